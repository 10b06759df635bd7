from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from penult.errors import PathNotFoundError, SourceError, UsageError
from penult.images.listing import list_images
from penult.images.notes import listing_messages

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="POSIX file systems only")


def ids(listing):
    return [record.id for record in listing.records]


def known(listing):
    return {record.id: (record.labels, record.split) for record in listing.records}


def test_images_are_labelled_by_their_folder_and_sorted_by_id(tree):
    root = tree("photos/tulip/b.jpg", "photos/daisy/z.jpg", "photos/daisy/a.jpg", "photos/c.jpg")
    listing = list_images([root / "photos"])
    assert known(listing) == {
        "c.jpg": ((), None),
        "daisy/a.jpg": (("daisy",), None),
        "daisy/z.jpg": (("daisy",), None),
        "tulip/b.jpg": (("tulip",), None),
    }
    assert ids(listing) == sorted(ids(listing))
    assert listing.records[0].path == root / "photos/c.jpg"
    assert listing.failures == ()
    assert listing.passed_over == {}


def test_the_order_does_not_depend_on_the_file_system(tree, monkeypatch):
    names = [f"{c}/{n}.png" for c in ("B", "a", "é") for n in ("10", "9", "_", "Z")]
    root = tree(*names)
    expected = ids(list_images([root]))
    scandir = os.scandir

    class Reversed:
        def __init__(self, path):
            with scandir(path) as entries:
                self.entries = list(entries)[::-1]

        def __enter__(self):
            return iter(self.entries)

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(os, "scandir", Reversed)
    assert ids(list_images([root])) == expected == sorted(names)


def test_the_label_is_the_folder_next_to_the_image(tree):
    root = tree("2024/may/daisy/1.jpg")
    assert known(list_images([root])) == {"2024/may/daisy/1.jpg": (("daisy",), None)}


@pytest.mark.parametrize(
    ("folder", "split"),
    [
        ("train", "train"),
        ("Val", "validation"),
        ("VALID", "validation"),
        ("validation", "validation"),
        ("test", "test"),
    ],
)
def test_a_top_folder_with_the_name_of_a_split_is_one(tree, folder, split):
    root = tree(f"{folder}/daisy/1.jpg", f"{folder}/2.jpg")
    assert known(list_images([root])) == {
        f"{folder}/daisy/1.jpg": (("daisy",), split),
        f"{folder}/2.jpg": ((), split),
    }


def test_only_a_top_folder_is_a_split(tree):
    root = tree("daisy/test/1.jpg")
    assert known(list_images([root])) == {"daisy/test/1.jpg": (("test",), None)}


def test_of_several_sources_the_ids_begin_with_the_source(tree):
    root = tree("daisy/1.jpg", "tulip/1.jpg", "tulip/dark/2.jpg")
    listing = list_images([root / "tulip", root / "daisy"])
    assert known(listing) == {
        "daisy/1.jpg": (("daisy",), None),
        "tulip/1.jpg": (("tulip",), None),
        "tulip/dark/2.jpg": (("dark",), None),
    }


def test_sources_named_as_splits_are_splits(tree):
    root = tree("train/daisy/1.jpg", "test/daisy/1.jpg")
    assert known(list_images([root / "train", root / "test"])) == {
        "test/daisy/1.jpg": (("daisy",), "test"),
        "train/daisy/1.jpg": (("daisy",), "train"),
    }


def test_each_of_several_sources_may_hold_splits(tree):
    root = tree("daisy/train/1.jpg", "tulip/test/1.jpg")
    assert known(list_images([root / "daisy", root / "tulip"])) == {
        "daisy/train/1.jpg": (("daisy",), "train"),
        "tulip/test/1.jpg": (("tulip",), "test"),
    }


def test_sources_of_one_name_are_told_apart_by_the_folder_above(tree):
    root = tree("a/daisy/1.jpg", "b/daisy/1.jpg", "c/tulip/1.jpg")
    listing = list_images([root / "a/daisy", root / "b/daisy", root / "c/tulip"])
    assert known(listing) == {
        "a/daisy/1.jpg": (("daisy",), None),
        "b/daisy/1.jpg": (("daisy",), None),
        "tulip/1.jpg": (("tulip",), None),
    }


def test_files_may_be_given_one_by_one_and_with_folders(tree):
    root = tree("daisy/1.jpg", "x/1.jpg", "y/1.jpg", "y/holiday")
    listing = list_images([root / name for name in ("x/1.jpg", "y/1.jpg", "y/holiday", "daisy")])
    assert known(listing) == {
        "daisy/1.jpg": (("daisy",), None),
        "holiday": ((), None),
        "x/1.jpg": ((), None),
        "y/1.jpg": ((), None),
    }


def test_a_single_file_is_taken_whatever_its_extension(tree):
    root = tree("scan.dat")
    assert ids(list_images([root / "scan.dat"])) == ["scan.dat"]


def test_the_working_folder_may_be_the_source(tree, monkeypatch):
    monkeypatch.chdir(tree("daisy/1.jpg"))
    assert known(list_images([Path()])) == {"daisy/1.jpg": (("daisy",), None)}


def test_sources_that_overlap_are_refused(tree):
    root = tree("daisy/1.jpg", "tulip/1.jpg")
    with pytest.raises(UsageError, match="daisy was given twice"):
        list_images([root / "daisy", root / "tulip" / ".." / "daisy"])
    with pytest.raises(UsageError, match=r"1\.jpg lies in .*daisy, so its images would be taken"):
        list_images([root / "daisy", root / "daisy" / "1.jpg"])


def test_extensions_count_in_any_case_and_others_are_counted(tree):
    images = ["a.JPG", "b.Jpeg", "c.jpe", "d.jfif", "e.PNG", "f.webp", "g.gif", "h.bmp"]
    images += ["i.tif", "j.TIFF", "k.avif", "l.HEIC", "m.heif", "n.hif", "o.mpo", "p.jp2", "q.ico"]
    images += ["r.ppm", "s.pgm", "t.jxl"]  # read, or a failure that says why
    root = tree(*images, "notes.txt", "more.TXT", "movie.mov", "README", ".jpg")
    listing = list_images([root])
    assert ids(listing) == images
    assert listing.passed_over == {".txt": 2, ".mov": 1, "(no extension)": 1}


def test_sources_without_an_image_are_named_where_others_have_some(tree):
    root = tree("daisy/1.jpg", "texts/a.txt")
    (root / "empty").mkdir()
    notes = list_images([root / name for name in ("texts", "daisy", "empty")]).notes
    assert notes["without_images"] == [str(root / "empty"), str(root / "texts")]
    assert f"no images in {root / 'empty'}, {root / 'texts'}" in listing_messages(notes)
    assert "without_images" not in list_images([root / "daisy"]).notes


def test_hidden_files_and_those_of_mac_archives_are_left_out(tree):
    root = tree("a.jpg", ".hidden/b.jpg", "._a.jpg", "__MACOSX/a.jpg", "daisy/.DS_Store")
    listing = list_images([root])
    assert ids(listing) == ["a.jpg"]
    assert listing.passed_over == {}


@pytest.mark.parametrize(
    "name", ["two words.jpg", "new\nline.jpg", "blüte.jpg", "🌷.jpg", "-o.jpg", "a'b\"c.jpg"]
)
@posix_only
def test_odd_names_stay_as_they_are(tree, name):
    root = tree(f"a b/{name}")
    (record,) = list_images([root]).records
    assert record.id == f"a b/{name}"
    with record.open() as file:
        assert file.read() == b""


@posix_only
@pytest.mark.skipif(sys.platform == "darwin", reason="macOS refuses such names")
def test_bytes_that_are_not_utf8_are_escaped(tmp_path):
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)  # noqa: PTH102
    with open(folder + b"/\xff.jpg", "wb") as file:  # noqa: PTH123
        file.write(b"bytes")
    (record,) = list_images([tmp_path]).records
    assert record.id == r"caf\xe9/\xff.jpg"
    assert record.labels == (r"caf\xe9",)
    with record.open() as file:
        assert file.read() == b"bytes"


@posix_only
def test_links_are_followed_but_not_in_circles(tree):
    root = tree("photos/daisy/1.jpg", "elsewhere/tulip/2.jpg")
    photos = root / "photos"
    (photos / "tulip").symlink_to(root / "elsewhere/tulip")
    (photos / "daisy/up").symlink_to(photos)
    (photos / "daisy/self").symlink_to(photos / "daisy")
    (root / "elsewhere/tulip/back").symlink_to(photos)
    (photos / "3.jpg").symlink_to(photos / "daisy/1.jpg")
    listing = list_images([photos])
    assert ids(listing) == ["3.jpg", "daisy/1.jpg", "tulip/2.jpg"]
    assert listing.failures == ()


@posix_only
def test_a_link_to_itself_is_listed_if_it_is_named_like_an_image(tree):
    root = tree("1.jpg")
    (root / "loop.jpg").symlink_to("loop.jpg")
    (root / "loop").symlink_to("loop")
    (root / "nowhere.jpg").symlink_to("nothing")
    listing = list_images([root])
    assert ids(listing) == ["1.jpg", "loop.jpg", "nowhere.jpg"]
    assert listing.passed_over == {"(no extension)": 1}


def test_a_folder_that_cannot_be_read_is_a_failure_not_the_end(tree, monkeypatch):
    # By a stand-in: the user who runs the tests may be one to whom nothing is forbidden.
    root = tree("daisy/1.jpg", "locked/2.jpg")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    listing = list_images([root])
    assert ids(listing) == ["daisy/1.jpg"]
    (failure,) = listing.failures
    assert failure.id == "locked"
    assert failure.reason == "the folder cannot be read (permission denied)"


@posix_only
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read all")
def test_a_folder_without_permission_is_a_failure(tree):
    root = tree("daisy/1.jpg", "locked/2.jpg")
    (root / "locked").chmod(0)
    try:
        assert [f.id for f in list_images([root]).failures] == ["locked"]
    finally:
        (root / "locked").chmod(0o700)


def test_very_deep_folders_are_no_problem(tmp_path):
    folder = tmp_path
    for _ in range(300):
        folder = folder / "d"
    folder.mkdir(parents=True)
    (folder / "1.jpg").touch()
    assert ids(list_images([tmp_path])) == ["d/" * 300 + "1.jpg"]


def test_a_path_that_does_not_exist_is_named_with_a_close_one(tree):
    root = tree("photos/1.jpg")
    with pytest.raises(PathNotFoundError, match=r"no such .*phtos; did you mean .*photos\?"):
        list_images([root / "phtos"])
    with pytest.raises(PathNotFoundError, match=r"no such file or folder: \S+$"):
        list_images([root / "nothing" / "like" / "this"])
    (root / "gone.jpg").symlink_to("nowhere")
    with pytest.raises(PathNotFoundError, match=r"no such file or folder: \S+gone\.jpg$"):
        list_images([root / "gone.jpg"])


def test_no_image_at_all_is_an_error_that_says_what_there_is(tree):
    root = tree("docs/a.txt", "docs/b.txt", "docs/c.mov")
    with pytest.raises(
        SourceError, match=r"no images in .*docs; other files there: 2 \.txt, 1 \.mov"
    ):
        list_images([root / "docs"])
    (root / "empty").mkdir()
    with pytest.raises(SourceError, match="no other files either"):
        list_images([root / "empty"])


def test_no_source_is_an_error():
    with pytest.raises(UsageError, match="no folder or image was given"):
        list_images([])


def test_labels_may_be_left_out(tree):
    root = tree("train/daisy/1.jpg")
    assert known(list_images([root], labels="none")) == {"train/daisy/1.jpg": ((), "train")}


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("baby_shoe_12.jpg", "baby_shoe"),
        ("cup_1.PNG", "cup"),
    ],
)
def test_a_pattern_finds_the_label_in_the_name(tree, name, label):
    root = tree(f"folder/{name}")
    (record,) = list_images([root], label_pattern=r"(?P<label>.+)_\d+").records
    assert record.labels == (label,)


def test_names_in_which_the_pattern_finds_nothing_are_counted_at_once(tree, caplog):
    root = tree("cup_1.jpg", "cup_2.jpg", *(f"a/{k}.jpg" for k in range(4)))
    pattern = r"(?P<label>.+)_\d+"
    assert [r.labels for r in list_images([root], label_pattern=pattern).records] == [
        *[()] * 4, ("cup",), ("cup",),
    ]  # fmt: skip
    assert [record.getMessage() for record in caplog.records] == [
        "penult: label_pattern finds no label in 4 of 6 names, and these images get none: "
        "'a/0.jpg', 'a/1.jpg', 'a/2.jpg', …"
    ]
    with pytest.raises(SourceError, match=r"finds no label in any of the 6 names, which are 'a/0"):
        list_images([root], label_pattern=r"(?P<label>.+)-\d+")


def test_a_pattern_that_finds_a_label_in_every_name_is_no_matter_for_a_word(tree, caplog):
    list_images([tree("train/cup_1.jpg", "test/cup_2.jpg")], label_pattern=r"(?P<label>.+)_\d+")
    assert not caplog.records


def test_a_pattern_may_name_the_extension_the_split_and_the_group(tree):
    root = tree("daisy-s7-test.jpg")
    pattern = r"(?P<label>[a-z]+)-(?P<group>s\d+)-(?P<split>[a-z]+)\.jpg$"
    (record,) = list_images([root], label_pattern=pattern).records
    assert (record.labels, record.group, record.split) == (("daisy",), "s7", "test")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label_pattern": "(?P<label>"}, "is not a regular expression: "),
        ({"label_pattern": r"(.+)_\d+"}, "has no group named label; write e.g. "),
        ({"label_pattern": "(?P<label>.)", "labels": "none"}, "exclude each other"),
        (
            {"labels": "folder"},
            "labels 'folder' is not known; allowed: parent, none, column:NAME, or ",
        ),
        ({"labels": "labels.tsv"}, "labels 'labels.tsv' is not known"),
        ({"labels": "column:"}, "labels 'column:' names no column; write e.g"),
        ({"labels": "column:x"}, "is no table with a column x; labels column:NAME is for lists"),
        ({"label_column": "x"}, "labels of a folder are in a table: labels='FILE.csv'"),
        ({"label_pattern": r"\\d+"}, r"the label pattern '\\\\d\+' has no group"),
    ],
)
def test_wrong_options_are_refused(tree, options, message):
    with pytest.raises(UsageError, match=message):
        list_images([tree("1.jpg")], **options)


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (b"\xff\xd8\xff\xe0", "a JPEG; give it a name with .jpg"),
        (b"\0\0\0\x18ftypheic", "a HEIC; give it a name with .heic"),
    ],
)
def test_a_photo_without_an_extension_is_named(tree, head, told):
    root = tree("1.jpg", "more/README")
    (root / "more" / "no_suffix").write_bytes(head + bytes(20))
    listing = list_images([root])
    assert ids(listing) == ["1.jpg"]
    (failure,) = listing.failures
    assert (failure.id, failure.reason) == ("more/no_suffix", f"has no extension, but is {told}")
    assert listing.passed_over == {"(no extension)": 1}
