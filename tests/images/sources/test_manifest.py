"""Manifests in CSV, and paths on standard input."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest
from PIL import Image

from penult.errors import ImageError, PathNotFoundError, SourceError, UsageError
from penult.images.listing import as_sources, list_images, origin_of
from penult.images.relocate import relocate_images


@pytest.fixture
def manifest(tmp_path):
    """Write a manifest beside a few files whose bytes are their own names, and list it."""
    for name in ("a.jpg", "b.jpg", "daisy/c.jpg", "train/rose/d.jpg", "two words 🌷.jpg"):
        file = tmp_path / "data" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)

    def write(text, name="list.csv", **options):
        file = tmp_path / "data" / name
        file.write_text(text)
        return list_images([file], **options)

    return write


def read(record):
    with record.open() as file:
        return file.read().decode()


def known(listing):
    return [(r.id, r.labels, r.split, r.group) for r in listing.records]


def test_a_manifest_names_images_relative_to_its_own_folder(manifest, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    listing = manifest(
        "split,group,label,path\nTest,s1,red | wild,b.jpg\n,,,a.jpg\nval,,white,./daisy/c.jpg\n"
    )
    assert known(listing) == [
        ("a.jpg", (), None, None),
        ("b.jpg", ("red", "wild"), "test", "s1"),
        ("daisy/c.jpg", ("white",), "validation", None),
    ]
    assert [read(r) for r in listing.records] == ["a.jpg", "b.jpg", "daisy/c.jpg"]
    assert [r.path.name for r in listing.records] == ["a.jpg", "b.jpg", "c.jpg"]


def test_without_a_column_of_labels_the_folders_tell(manifest):
    assert known(manifest("path\ntrain/rose/d.jpg\ndaisy/c.jpg\na.jpg\n")) == [
        ("a.jpg", (), None, None),
        ("daisy/c.jpg", ("daisy",), None, None),
        ("train/rose/d.jpg", ("rose",), "train", None),
    ]


def test_a_column_may_name_the_ids(manifest):
    listing = manifest("path;id\na.jpg;second\nb.jpg;first\n")
    assert [(r.id, read(r)) for r in listing.records] == [("first", "b.jpg"), ("second", "a.jpg")]


def test_another_column_may_hold_the_labels(manifest):
    text = "path,label,species\na.jpg,x,Bellis perennis\n"
    assert known(manifest(text, labels="column:Species"))[0][1] == ("Bellis perennis",)
    assert known(manifest(text, labels="none"))[0][1] == ()
    with pytest.raises(UsageError, match=r"list\.csv has no column genus; .* names path, label, "):
        manifest(text, labels="column:genus")


def test_the_name_of_a_manifest_may_be_that_of_a_split(manifest):
    assert known(manifest("path\na.jpg\n", "flowers_val.csv"))[0][2] == "validation"
    assert known(manifest("path,split\na.jpg,test\n", "flowers_val.csv"))[0][2] == "test"


def test_of_several_manifests_ids_begin_with_their_names(tmp_path):
    for name in ("train.csv", "test.csv"):
        (tmp_path / name).write_text("path,label\na.jpg,x\n")
    listing = list_images([tmp_path / "train.csv", tmp_path / "test.csv"])
    assert known(listing) == [
        ("test.csv/a.jpg", ("x",), "test", None),
        ("train.csv/a.jpg", ("x",), "train", None),
    ]


def test_a_row_may_stand_there_twice_if_it_says_the_same(manifest):
    listing = manifest("path,label\na.jpg,x\nb.jpg,y\n./a.jpg,x\n")
    assert [r.id for r in listing.records] == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("label\nx\n", r"list\.csv has no column path; its first line must name"),
        ("", r"list\.csv has no column path; .* names nothing"),
        ("path,path\na.jpg,b.jpg\n", r"list\.csv has more than one column path; keep one"),
        ("path,label\na.jpg\n", r"list\.csv, line 2: 1 value for 2 columns; write the others"),
        ("path,label\n\n ,x\na.jpg,\n", r"no column|line 3: the path is empty"),
        ("path,split\na.jpg,holdout\n", r"list\.csv, line 2: the split 'holdout' is none of"),
        (
            "path,label\nb.jpg,y\na.jpg,x\nb.jpg,z\n",
            r"list\.csv, line 4: b\.jpg is z, but \S*list\.csv, line 2 says y",
        ),
        (
            "path,id\na.jpg,one\nb.jpg,one\n",
            r"list\.csv, line 2 and \S*list\.csv, line 3 have the same id 'one'; rename one",
        ),
        ("path\n", r"no images in \S*list\.csv"),
    ],
)
def test_what_is_wrong_in_a_manifest_is_named_with_its_line(manifest, text, message):
    with pytest.raises(SourceError, match=message):
        manifest(text)


def test_an_image_that_is_not_there_is_named_with_its_line(manifest):
    record = manifest("path\na.jpg\nnone.jpg\n").records[1]
    with pytest.raises(
        ImageError,
        match=r"is named in \S*list\.csv, line 3, but is not there"
        r" \(looked for \S*none\.jpg\)$",
    ):
        record.open()


@pytest.mark.parametrize(
    ("named", "meant"),
    [
        ("A.jpg", "a.jpg"),
        ("Daisy/C.JPG", "daisy/c.jpg"),
        ("Train/Rose/d.jpg", "train/rose/d.jpg"),
        ("../Data/b.jpg", "../data/b.jpg"),
    ],
)
def test_an_image_whose_name_differs_in_capitals_is_named_as_it_is_on_the_disk(
    manifest, tmp_path, named, meant
):
    record = next(iter(manifest(f"path\n{named}\n").records))
    with pytest.raises(ImageError, match=r"; did you mean \S+\? Capitals count\)$") as told:
        record.open()
    assert f"did you mean {tmp_path / 'data'}/{meant}?" in str(told.value)


def test_of_many_images_that_are_not_there_a_folder_is_listed_once(manifest, monkeypatch):
    listed = []
    names = os.listdir
    records = list(manifest("path\n" + "".join(f"A{k}.jpg\n" for k in range(9))).records)
    monkeypatch.setattr("os.listdir", lambda folder: listed.append(folder) or names(folder))
    for record in records:
        with pytest.raises(ImageError):
            record.open()
    assert len(listed) == 1


def test_a_folder_or_a_link_to_nothing_is_no_image_that_was_meant(manifest, tmp_path):
    (tmp_path / "data" / "gone.jpg").symlink_to("nowhere.jpg")
    for record in manifest("path\nDaisy\ngone.jpg\nGone.jpg\na.jpg/b.jpg\n").records:
        with pytest.raises(ImageError, match=r"is not there \(looked for \S+\)$"):
            record.open()


@pytest.fixture
def piped(monkeypatch):
    """Put bytes on standard input, and list them."""

    def pipe(data):
        stream = io.TextIOWrapper(io.BytesIO(data))
        monkeypatch.setattr(sys, "stdin", stream)
        return list_images(as_sources("-"))

    return pipe


def test_paths_on_standard_input_are_relative_to_the_folder(piped, manifest, monkeypatch, tmp_path):
    manifest("path\na.jpg\n")
    monkeypatch.chdir(tmp_path / "data")
    listing = piped("./two words 🌷.jpg\r\n\ndaisy/c.jpg\na.jpg\ndaisy/c.jpg".encode())
    assert known(listing) == [
        ("a.jpg", (), None, None),
        ("daisy/c.jpg", ("daisy",), None, None),
        ("two words 🌷.jpg", (), None, None),
    ]
    assert [read(r) for r in listing.records] == ["a.jpg", "daisy/c.jpg", "two words 🌷.jpg"]
    # A second listing, of a report say, finds the same, though the pipe is empty.
    assert known(list_images(["-"])) == known(listing)
    find = relocate_images(origin_of(["-"]), [r.id for r in listing.records])
    assert read(find("daisy/c.jpg")) == "daisy/c.jpg"
    assert find("other.jpg") is None


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="such names need a POSIX system")
def test_paths_that_end_with_a_nul_may_hold_anything(piped, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    names = [b"new\nline.jpg", b"\xff \r.jpg"]
    for name in names:
        Path(os.fsdecode(name)).write_bytes(name)
    listing = piped(b"".join(name + b"\0" for name in names))
    assert [r.id for r in listing.records] == [r"\xff " + "\r.jpg", "new\nline.jpg"]
    assert [r.path.read_bytes() for r in listing.records] == [names[1], names[0]]


def test_standard_input_goes_alone_and_has_to_be_piped(piped, tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="goes alone"):
        list_images(["-", tmp_path])
    with pytest.raises(SourceError, match="no images in standard input"):
        piped(b"\n\n")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(SourceError, match=r"nothing is piped there; type e\.g\."):
        list_images(["-"])


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "JPEG2000"])
def test_an_image_on_standard_input_is_no_list_of_paths(piped, form):
    image = io.BytesIO()
    Image.effect_noise((32, 24), 50).save(image, form)
    named = {"WEBP": "WebP", "JPEG2000": "JPEG 2000"}.get(form, form)
    with pytest.raises(SourceError, match=f"^standard input is an? {named} image, not a list of p"):
        piped(image.getvalue())


def test_other_bytes_on_standard_input_are_refused_in_a_line_unless_they_are_a_path(
    piped, tmp_path, monkeypatch
):
    with pytest.raises(
        SourceError,
        match=r"^standard input is not a list of paths .it begins with the bytes 50 4b 03 04 00 00\)",
    ):
        piped(b"PK\3\4\0\0")
    monkeypatch.chdir(tmp_path)
    Path("a\3.jpg").write_bytes(b"x")
    Path("BMW.jpg").write_bytes(b"x")
    assert len(piped(b"a\3.jpg\0BMW.jpg\0").records) == 2
    assert len(piped(b"BMW.jpg\0none.jpg\0").records) == 2


def test_braces_stand_for_several_sources(tmp_path):
    for name in ("x1.csv", "x2.csv", "y.csv"):
        (tmp_path / name).write_text("path\na.jpg\n")
    ids = [r.id for r in list_images([tmp_path / "{x{1..2},y}.csv"]).records]
    assert ids == ["x1.csv/a.jpg", "x2.csv/a.jpg", "y.csv/a.jpg"]
    with pytest.raises(PathNotFoundError, match=r"x3\.csv"):
        list_images([tmp_path / "x{1..3}.csv"])
    with pytest.raises(UsageError, match=r"\{5\.\.1\} has to count up"):
        list_images([tmp_path / "x{5..1}.csv"])
    (tmp_path / "{1..2}").mkdir()
    (tmp_path / "{1..2}" / "a.jpg").touch()
    assert len(list_images([tmp_path / "{1..2}"]).records) == 1


def test_whole_numbers_of_a_column_with_gaps_are_read_as_such(manifest):
    gaps = "path,label\na.jpg,0.0\nb.jpg,\ndaisy/c.jpg,1.0\n"  # as pandas writes them
    assert [r.labels for r in manifest(gaps).records] == [("0",), (), ("1",)]
    versions = "path,label\na.jpg,1.0\nb.jpg,\ndaisy/c.jpg,1.5\n"
    assert [r.labels for r in manifest(versions).records] == [("1.0",), (), ("1.5",)]
    whole = "path,label\na.jpg,1.0\nb.jpg,2.0\n"
    assert [r.labels for r in manifest(whole).records] == [("1.0",), ("2.0",)]
