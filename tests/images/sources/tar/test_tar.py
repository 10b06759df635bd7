"""Images in tar archives; the archives are made by the standard library and by GNU tar's rules."""

from __future__ import annotations

import io
import json
import logging
import os
import tarfile

import pytest
from archives import packed_kinds
from PIL import Image

import penult
from penult.errors import ImageError, SourceError, UsageError
from penult.images.listing import list_images
from penult.images.notes import listing_messages


def pack(path, members, **options):
    """Write an archive of name to bytes, text, or None for a folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", **options) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            if data is None:
                info.type = tarfile.DIRTYPE
                archive.addfile(info)
                continue
            data = data.encode() if isinstance(data, str) else data
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def read(record):
    with record.open() as file:
        return file.read()


def known(listing):
    return [(r.id, r.labels, r.split) for r in listing.records]


@pytest.mark.parametrize("layout", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_packed_folder_is_like_the_folder(tmp_path, layout):
    long = f"{'d' * 90}/{'f' * 90}.jpg"
    members = {".": None, "./tulip/b.jpg": b"B" * 700, "./daisy/a.jpg": b"A", "./.DS_Store": b"x"}
    members |= {"./tulip/._b.jpg": b"x", long: b"long", "notes.txt": b"x", "empty.jpg": b""}
    listing = list_images([pack(tmp_path / "photos.tar", members, format=layout)])
    assert known(listing) == [
        ("daisy/a.jpg", ("daisy",), None),
        (long, ("d" * 90,), None),
        ("empty.jpg", (), None),
        ("tulip/b.jpg", ("tulip",), None),
    ]
    assert [read(r) for r in listing.records] == [b"A", b"long", b"", b"B" * 700]
    assert listing.passed_over == {".txt": 1}
    assert listing.failures == ()


def test_labels_lie_beside_the_images(tmp_path):
    members = {
        "0.jpg": b"0",
        "0.cls": "7\n",
        "1.cls": "red tulip",
        "1.png": b"1",
        "2.json": json.dumps({"label": 3, "caption": "two"}),
        "2.jpg": b"2",
        "3.jpg": b"3",
        "3.json": json.dumps({"label": ["a", "b", "a"]}),
        "rose/4.jpg": b"4",
        "rose/4.json": json.dumps({"caption": "none"}),
        "5.txt": "a caption",
        "5.jpg": b"5",
    }
    shard = pack(tmp_path / "shard-train-000.tar", members)
    listing = list_images([shard])
    labels = {r.id: r.labels for r in listing.records}
    assert labels == {
        "0.jpg": ("7",),
        "1.png": ("red tulip",),
        "2.jpg": ("3",),
        "3.jpg": ("a", "b"),
        "5.jpg": (),
        "rose/4.jpg": ("rose",),
    }
    assert {r.split for r in listing.records} == {"train"}
    assert listing.passed_over == {".txt": 1}
    captions = {r.id: r.labels for r in list_images([shard], labels="column:caption").records}
    assert captions["2.jpg"] == ("two",)
    assert captions["rose/4.jpg"] == ("none",)
    assert captions["0.jpg"] == ()
    texts = {r.id: r.labels for r in list_images([shard], labels="column:txt").records}
    assert texts["5.jpg"] == ("a caption",)
    assert {r.labels for r in list_images([shard], labels="none").records} == {()}


def test_companions_of_an_image_are_no_images(tmp_path):
    members = {
        "7.jpg": b"7",
        "7.mask.png": b"mask",
        "IMG.2020.01.jpg": b"8",
        "IMG.2020.02.jpg": b"9",
    }
    listing = list_images([pack(tmp_path / "a.tar", members)])
    assert [read(r) for r in listing.records] == [b"7", b"8", b"9"]
    assert listing.passed_over == {".mask.png": 1}


def test_a_folder_of_shards_is_read_if_it_holds_no_image(tmp_path):
    pack(tmp_path / "s/test/001.tar", {"rose/b.jpg": b"1", "a.jpg": b"2"})
    pack(tmp_path / "s/tulip/000.tar", {"c.jpg": b"3"})
    (tmp_path / "s/readme.md").touch()
    listing = list_images([tmp_path / "s"])
    assert known(listing) == [
        ("test/001.tar/a.jpg", (), "test"),
        ("test/001.tar/rose/b.jpg", ("rose",), "test"),
        ("tulip/000.tar/c.jpg", ("tulip",), None),
    ]
    assert listing.passed_over == {".md": 1}
    (tmp_path / "s/image.jpg").touch()
    listing = list_images([tmp_path / "s"])
    assert [r.id for r in listing.records] == ["image.jpg"]
    assert listing.passed_over == {".md": 1, ".tar": 2}


def test_shards_may_be_given_with_braces(tmp_path):
    for k in range(3):
        pack(tmp_path / f"{k:03}.tar", {"x.jpg": str(k)})
    listing = list_images([tmp_path / "{000..002}.tar"])
    assert [(r.id, read(r)) for r in listing.records] == [
        (f"00{k}.tar/x.jpg", b"%d" % k) for k in range(3)
    ]


def test_links_are_the_files_that_they_lead_to(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name, kind, target in [
            ("d/a.jpg", tarfile.REGTYPE, ""),
            ("hard.jpg", tarfile.LNKTYPE, "d/a.jpg"),
            ("d/soft.jpg", tarfile.SYMTYPE, "a.jpg"),
            ("lost.jpg", tarfile.SYMTYPE, "/elsewhere/x.jpg"),
        ]:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, target, 0 if target else 1
            archive.addfile(info, io.BytesIO(b"a"))
    *found, lost = list_images([tmp_path / "a.tar"]).records
    assert [(r.id, read(r)) for r in found] == [
        ("d/a.jpg", b"a"),
        ("d/soft.jpg", b"a"),
        ("hard.jpg", b"a"),
    ]
    assert lost.id == "lost.jpg"
    with pytest.raises(ImageError, match=r"is a link to /elsewhere/x\.jpg, which is no file in"):
        lost.open()


def test_names_that_are_not_utf8_are_escaped(tmp_path):
    path = pack(
        tmp_path / "a.tar", {"caf\udce9/🌷.jpg": b"1"}, encoding="utf-8", format=tarfile.GNU_FORMAT
    )
    (record,) = list_images([path]).records
    assert record.id == r"caf\xe9/🌷.jpg"
    assert record.labels == (r"caf\xe9",)
    assert read(record) == b"1"


def test_wherever_an_archive_is_cut_that_is_a_failure_and_the_rest_is_read(tmp_path):
    members = {f"{k}.jpg": bytes([65 + k]) * 600 for k in range(4)}
    whole = pack(tmp_path / "whole.tar", members).read_bytes()
    member = 512 + 1024  # a header, and 600 bytes in blocks
    cut = tmp_path / "cut.tar"
    for size in (1, 511, 512, 1000, member, member + 100, 2 * member + 600, 3 * member, 4 * member):
        cut.write_bytes(whole[:size])
        good = [k for k in range(4) if k * member + 512 + 600 <= size]
        if not good:
            with pytest.raises(SourceError, match=r"no images in .*cut\.tar; cut\.tar: is "):
                list_images([cut])
            continue
        listing = list_images([cut])
        assert [read(r) for r in listing.records] == [members[f"{k}.jpg"] for k in good]
        (failure,) = listing.failures
        assert failure.id == "cut.tar"
        assert "is truncated or damaged" in failure.reason
    cut.write_bytes(whole[: 4 * member + 512])  # one block of zeros is an end
    assert list_images([cut]).failures == ()


def test_a_damaged_header_is_a_failure(tmp_path):
    members = {f"{k}.jpg": b"x" * 600 for k in range(4)}
    data = bytearray(pack(tmp_path / "a.tar", members).read_bytes())
    data[2 * 1536 + 100] ^= 0xFF
    (tmp_path / "a.tar").write_bytes(data)
    listing = list_images([tmp_path / "a.tar"])
    assert [r.id for r in listing.records] == ["0.jpg", "1.jpg"]
    (failure,) = listing.failures
    assert failure.reason == "has a damaged header at byte 3,072; before that: 2 files read"


def test_what_is_no_archive_is_named(tmp_path):
    (tmp_path / "text.tar").write_text("hello" * 200)
    with pytest.raises(SourceError, match=r"text\.tar: is not a tar archive"):
        list_images([tmp_path / "text.tar"])
    for name in ("a.tar.gz", "a.tgz", "a.tar"):
        with tarfile.open(tmp_path / name, "w:gz") as archive:
            archive.addfile(tarfile.TarInfo("x.jpg"))
        with pytest.raises(SourceError, match="is compressed, so that no image in it"):
            list_images([tmp_path / name])


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("0.json", "{", r"0\.json is not JSON: "),
        ("0.cls", b"\xff", r"0\.cls is not UTF-8 text"),
        ("0.cls", b"x" * (1 << 20 | 1), r"0\.cls has 1,048,577 bytes, no label"),
    ],
)
def test_a_label_that_cannot_be_read_is_the_failure_of_its_image(tmp_path, name, text, reason):
    path = pack(tmp_path / "a.tar", {"0.jpg": b"0", name: text, "1.jpg": b"1", "1.cls": "rose"})
    first, second = list_images([path]).records
    with pytest.raises(ImageError, match=f"^has a label that cannot be read: {reason}"):
        first.open()
    assert (first.labels, second.open().read()) == ((), b"1")
    assert read(list_images([path], labels="none").records[0]) == b"0"


def test_a_label_of_a_kind_that_none_can_be_is_refused(tmp_path):
    path = pack(tmp_path / "a.tar", {"0.jpg": b"", "0.json": '{"label": {"a": 1}}'})
    with pytest.raises(SourceError, match=r"label is \{\"a\": 1\}; allowed: a text, a number"):
        list_images([path])
    assert len(list_images([path], labels="none").records) == 1


def test_an_archive_that_is_replaced_meanwhile_is_not_misread(tmp_path):
    path = pack(tmp_path / "a.tar", {"0.jpg": b"0"})
    (record,) = list_images([path]).records
    pack(path, {"longer name.jpg": b"1", "0.jpg": b"0" * 20_000})
    with pytest.raises(ImageError, match=r"a\.tar has changed since it was listed"):
        record.open()


def test_an_archive_that_changes_after_it_was_read_is_not_misread(tmp_path):
    path = pack(tmp_path / "a.tar", {"0.jpg": b"0", "1.jpg": b"1"})
    first, second = list_images([path]).records
    assert first.open().read() == b"0"  # and the file is kept open
    path.write_bytes(path.read_bytes().replace(b"1.jpg", b"2.jpg") + bytes(512))
    for record in (first, second):
        with pytest.raises(ImageError, match=r"a\.tar has changed since it was listed"):
            record.open()


def test_an_archive_that_one_thread_has_open_is_not_misread_when_another_takes_its_place(tmp_path):
    path = pack(tmp_path / "a.tar", {"0.jpg": b"0", "1.jpg": b"1"})
    first, second = list_images([path]).records
    assert read(first) == b"0"
    status = path.stat()
    other = pack(tmp_path / "b.tar", {"0.jpg": b"2", "1.jpg": b"3"})
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)  # of the same size and time: it is read, as if it had been opened anew
    assert read(second) == b"3"
    path.unlink()
    with pytest.raises(FileNotFoundError):
        second.open()


def test_a_label_column_that_no_image_has_is_refused_with_names_that_are_there(tmp_path):
    members = {"0.jpg": b"0", "0.json": '{"genus": "Rosa", "id": 7}', "0.txt": "a caption"}
    path = pack(tmp_path / "w.tar", members)
    with pytest.raises(UsageError) as refused:
        list_images([path], label_column="Genus")
    assert str(refused.value) == (
        f"{path}: no image has a file .Genus, or Genus in a .json file, beside it; beside images "
        "there is genus, id, txt"
    )
    with pytest.raises(UsageError, match=r"beside it; beside images there is nothing"):
        list_images([pack(tmp_path / "bare.tar", {"rose/0.jpg": b"0"})], labels="column:genus")
    some = pack(tmp_path / "some.tar", {**members, "1.jpg": b"1"})
    assert known(list_images([some], label_column="genus")) == [
        ("0.jpg", ("Rosa",), None),
        ("1.jpg", (), None),
    ]


def test_a_damaged_archive_is_a_failure_though_no_image_before_that_has_the_label(tmp_path):
    path = pack(tmp_path / "w.tar", {"0.jpg": b"0", "1.jpg": b"1", "1.genus": "Rosa"})
    path.write_bytes(path.read_bytes()[:1024])
    listing = list_images([path], label_column="genus")
    assert [failure.id for failure in listing.failures] == ["w.tar"]


NOT_SORTED = {"d/0.cls": "rose", "d/1.json": '{"label": "tulip"}', "9.cls": "of no image"}
NOT_SORTED |= {"d/0.jpg": b"0", "d/1.jpg": b"1", "2.jpg": b"2"}


def test_labels_that_do_not_stand_next_to_their_images_are_counted(tmp_path):
    listing = list_images([pack(tmp_path / "w.tar", NOT_SORTED)])
    assert listing.labels_apart == {"w.tar": 2}
    (line,) = (line for line in listing_messages(listing.notes) if "label" in line)
    assert line == (
        "2 label files of images in w.tar (same key) do not stand next to them and were passed "
        "over; pack the folder anew, in the order of names: tar --sort=name -cf FILE.tar -C FOLDER ."
    )
    in_order = dict(sorted(NOT_SORTED.items()))
    assert list_images([pack(tmp_path / "w.tar", in_order)]).labels_apart == {}


def test_labels_that_are_not_asked_for_are_not_missed(tmp_path):
    path = pack(tmp_path / "w.tar", {**NOT_SORTED, "3.jpg": b"3", "3.genus": "Rosa"})
    assert list_images([path], labels="none").labels_apart == {}
    # Of the others, a JSON file may state the genus, and a .cls file may not.
    assert list_images([path], label_column="genus").labels_apart == {"w.tar": 1}


def test_a_label_column_that_does_not_stand_next_to_images_is_refused(tmp_path):
    path = pack(tmp_path / "w.tar", {"0.genus": "Rosa", "1.genus": "Tulipa", "0.jpg": b""})
    with pytest.raises(UsageError, match=r"beside it; 1 label file of images stands elsewhere"):
        list_images([path], label_column="genus")


def test_a_label_that_was_added_alone_later_is_counted(tmp_path):
    path = pack(tmp_path / "w.tar", {"7.jpg": b"7", "7.cls": "rose", "8.jpg": b"8"})
    with tarfile.open(path, "a") as archive:
        info = tarfile.TarInfo("7.cls")
        info.size = 5
        archive.addfile(info, io.BytesIO(b"tulip"))
    listing = list_images([path])
    assert known(listing) == [("7.jpg", ("rose",), None), ("8.jpg", (), None)]
    assert listing.labels_apart == {"w.tar": 1}


def test_a_label_that_was_added_later_with_its_image_makes_good_the_one_apart(tmp_path):
    # As docs/images.md says what to do: the image and its label once more, one after the other.
    path = pack(tmp_path / "w.tar", {"7.jpg": b"7", "8.jpg": b"8", "7.cls": "rose", "8.cls": "oak"})
    assert list_images([path]).labels_apart == {"w.tar": 2}
    with tarfile.open(path, "a") as archive:
        for name, data in [("7.jpg", b"7"), ("7.cls", b"rose"), ("8.jpg", b"8"), ("8.json", b"{}")]:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    listing = list_images([path])
    assert known(listing) == [("7.jpg", ("rose",), None), ("8.jpg", (), None)]
    assert listing.labels_apart == {"w.tar": 1}  # 8.cls would still count if it was unpacked


def test_a_label_that_was_added_alone_several_times_is_one(tmp_path):
    files = [("7.jpg", b"7"), ("7.cls", b"rose"), ("8.jpg", b"8")]
    files += [("7.cls", b"tulip"), ("9.jpg", b"9"), ("7.cls", b"daisy")]
    path = tmp_path / "w.tar"
    path.write_bytes(packed_kinds(*((name, tarfile.REGTYPE, data) for name, data in files)))
    assert list_images([path]).labels_apart == {"w.tar": 1}


def test_python_says_what_becomes_of_labels_apart_and_advises_no_folders(tmp_path, toy, caplog):
    photo = io.BytesIO()
    Image.new("RGB", (8, 8)).save(photo, "png")
    photo = photo.getvalue()
    path = pack(tmp_path / "w.tar", {"0.cls": "rose", "1.png": photo, "0.png": photo})
    with caplog.at_level(logging.WARNING, "penult"):
        penult.extract([path], model=toy)
    assert "1 label file of images in w.tar (same key) does not stand next to them" in caplog.text
    assert "no labels" not in caplog.text
