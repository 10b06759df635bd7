"""What penult itself wrote is no photo; what anybody else did is, whatever it is called."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from PIL import Image, PngImagePlugin

from penult.errors import OutputError, SourceError
from penult.images.listing import list_images
from penult.images.notes import listing_messages
from penult.written import CONFUSION, NOTES_FILE, SIGNED, note_set_aside, note_written


@pytest.fixture
def root(tmp_path):
    """A folder with one photo, in which things may be written."""
    (tmp_path / "root/daisy").mkdir(parents=True)
    (tmp_path / "root/daisy/1.jpg").write_bytes(b"a photo")
    return tmp_path / "root"


def picture(path, **texts):
    path.parent.mkdir(parents=True, exist_ok=True)
    info = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        info.add_text(name, text)
    Image.new("L", (8, 8)).save(path, pnginfo=info)
    return path


def copied(root, name, content=b"a copy"):
    path = root / "sorted" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    note_written(root / "sorted", path, copy=True)
    return path


def ids(*sources):
    return [record.id for record in list_images(sources).records]


def test_a_signed_picture_is_left_out_wherever_it_is(root):
    picture(root / "report" / CONFUSION, **SIGNED)
    picture(root / "daisy" / CONFUSION, **SIGNED)
    picture(root / "daisy" / "layers.png", **SIGNED)
    listing = list_images([root])
    assert [r.id for r in listing.records] == ["daisy/1.jpg"]
    assert listing.left_out == {"files in daisy/": 2, "files in report/": 1}
    assert listing.passed_over == {}
    assert listing_messages(listing.notes) == [
        "left out, for penult wrote them: 2 files in daisy/, 1 file in report/"
    ]


def test_a_picture_of_that_name_without_the_signature_is_anybodys(root):
    picture(root / "daisy" / CONFUSION, Software="Matplotlib version 3.10")
    (root / "daisy" / "layers.png").touch()
    assert ids(root) == ["daisy/1.jpg", f"daisy/{CONFUSION}", "daisy/layers.png"]


def test_a_folder_of_nothing_but_pictures_says_so(root):
    picture(root / "report" / CONFUSION, **SIGNED)
    with pytest.raises(SourceError, match="penult wrote them: 1 file in report/; images end in"):
        list_images([root / "report"])
    assert ids(root / "report" / CONFUSION) == [CONFUSION]


def test_copies_are_left_out_unless_their_folder_is_given(root):
    copied(root, "rose/1.jpg")
    copied(root, "rose/2.jpg")
    listing = list_images([root])
    assert [r.id for r in listing.records] == ["daisy/1.jpg"]
    assert listing.left_out == {"copies in sorted/": 2}
    assert listing_messages(listing.notes)[0].endswith(
        "; copies are read where their folder is given by itself"
    )
    assert ids(root / "sorted") == ["rose/1.jpg", "rose/2.jpg"]
    assert ids(root / "sorted/rose") == ["1.jpg", "2.jpg"]
    assert ids(root / "sorted", root / "daisy") == ["daisy/1.jpg", "sorted/rose/1.jpg", "sorted/rose/2.jpg"]  # fmt: skip


def test_photos_of_ones_own_among_copies_are_read(root):
    copied(root, "rose/1.jpg")
    (root / "sorted/rose/own.jpg").write_bytes(b"a copy")
    (root / "sorted/tulip").mkdir()
    (root / "sorted/tulip/1.jpg").write_bytes(b"longer than the copy")
    assert ids(root) == ["daisy/1.jpg", "sorted/rose/own.jpg", "sorted/tulip/1.jpg"]
    (root / "sorted/rose/1.jpg").write_bytes(b"what was put in its place")
    assert "sorted/rose/1.jpg" in ids(root)


def test_one_of_the_same_name_and_size_is_told_by_its_time(root):
    copied(root, "rose/1.bmp", b"40x30 pixels")
    own = root / "sorted/tulip/1.bmp"
    own.parent.mkdir()
    own.write_bytes(b"30x40 pixels")
    os.utime(own, (1e9, 1e9))
    assert ids(root) == ["daisy/1.jpg", "sorted/tulip/1.bmp"]


def test_a_copy_that_was_put_into_another_class_is_still_a_copy(root):
    path = copied(root, "rose/1.jpg")
    (root / "sorted/tulip").mkdir()
    shutil.move(path, root / "sorted/tulip/1.jpg")
    assert ids(root) == ["daisy/1.jpg"]
    shutil.move(root / "sorted/tulip/1.jpg", root / "daisy/2.jpg")  # taken in by its owner
    assert ids(root) == ["daisy/1.jpg", "daisy/2.jpg"]


def sorted_to(root, mode, *, old_notes=False):
    """A photo's copy, or a link to it, with the photo's name, size and time of change."""
    photo, copy = root / "daisy/1.jpg", root / "sorted/rose/1.jpg"
    copy.parent.mkdir(parents=True)
    {"copy": shutil.copy2, "hardlink": os.link, "symlink": os.symlink}[mode](photo, copy)
    note_written(root / "sorted", copy, copy=True, source=photo)
    if old_notes:  # as notes were first
        notes = json.loads((root / "sorted" / NOTES_FILE).read_text())
        kept = {key: notes[key] for key in ("path", "size", "time", "copy")}
        (root / "sorted" / NOTES_FILE).write_text(json.dumps(kept) + "\n")
    return photo, copy


@pytest.mark.parametrize("old_notes", [False, True])
@pytest.mark.parametrize("mode", ["copy", "hardlink"])
def test_the_photo_itself_is_none_beside_its_copy(root, mode, old_notes):
    photo, _ = sorted_to(root, mode, old_notes=old_notes)
    for place in ("tulip/1.jpg", "1.jpg"):
        (root / "sorted" / place).parent.mkdir(exist_ok=True)
        photo = photo.rename(root / "sorted" / place)
        assert ids(root) == [f"sorted/{place}"]
        assert list_images([root]).left_out == {"copies in sorted/": 1}


@pytest.mark.parametrize("mode", ["copy", "symlink"])
def test_the_photo_itself_is_none_where_its_copy_was_removed_or_no_longer_leads_to_it(root, mode):
    photo, copy = sorted_to(root, mode)
    if mode == "copy":
        copy.unlink()
    (root / "sorted/tulip").mkdir()
    photo = photo.rename(root / "sorted/tulip/1.jpg")
    assert "sorted/tulip/1.jpg" in ids(root)
    photo.replace(copy)
    assert ids(root) == ["sorted/rose/1.jpg"]


def test_a_photo_of_which_no_hardlink_is_left_is_one_wherever_it_is(root):
    photo, link = sorted_to(root, "hardlink")
    (root / "sorted/own").mkdir()
    photo.rename(root / "sorted/own/1.jpg")
    link.unlink()
    assert ids(root) == ["sorted/own/1.jpg"]


def test_a_link_of_penults_whose_photo_has_gone_is_no_photo_that_cannot_be_read(root):
    photo, _ = sorted_to(root, "symlink")
    photo.rename(root / "daisy/2.jpg")
    assert ids(root) == ["daisy/2.jpg"]


@pytest.mark.parametrize("place", ["1.jpg", "a/b/c/1.jpg"])
def test_by_older_notes_a_copy_can_have_moved_only_to_where_photos_are_sorted_to(root, place):
    photo, copy = sorted_to(root, "copy", old_notes=True)
    (root / "sorted/tulip").mkdir()
    copy = copy.rename(root / "sorted/tulip/1.jpg")
    assert ids(root) == ["daisy/1.jpg"]
    copy.unlink()
    (root / "sorted" / place).parent.mkdir(parents=True, exist_ok=True)
    photo.rename(root / "sorted" / place)
    assert ids(root) == [f"sorted/{place}"]


@pytest.mark.parametrize("mode", ["copy", "hardlink", "symlink"])
def test_a_copy_or_link_that_was_moved_is_known_again_beside_its_photo(root, mode):
    _, copy = sorted_to(root, mode)
    (root / "sorted/tulip").mkdir()
    copy.rename(root / "sorted/tulip/1.jpg")
    assert ids(root) == ["daisy/1.jpg"]


def test_the_folder_of_the_copies_may_be_moved_and_copied(root, tmp_path):
    copied(root, "rose/1.jpg")
    shutil.move(root / "sorted", root / "elsewhere")
    shutil.copytree(root / "elsewhere", root / "again", copy_function=shutil.copyfile)
    listing = list_images([root])
    assert listing.left_out == {"copies in elsewhere/": 1, "copies in again/": 1}


def test_a_noted_file_that_is_no_copy_is_left_out_of_its_own_folder_too(root):
    note_written(root / "daisy", picture(root / "daisy" / "seen.png"))
    assert ids(root) == ["daisy/1.jpg"]
    assert ids(root / "daisy") == ["1.jpg"]
    assert list_images([root / "daisy"]).left_out == {"files in daisy/": 1}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX only")
def test_notes_and_pictures_that_are_no_files_are_not_waited_for(root):
    os.mkfifo(root / NOTES_FILE)
    os.mkfifo(root / CONFUSION)
    (root / "daisy" / NOTES_FILE).mkdir()
    assert ids(root) == [CONFUSION, "daisy/1.jpg"]


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[" * 20_000,
        b"[]",
        b"\xff\xfe",
        b"3",
        json.dumps({"path": ["daisy/1.jpg"], "size": 7, "time": 0, "copy": False}).encode(),
        json.dumps({"path": "daisy/1.jpg", "size": None, "time": 0, "copy": False}).encode(),
        b'{"path": "daisy/1.jpg", "size": 1e999, "time": 0, "copy": false}',
        b'{"path": "daisy/1.jpg", "size": 7, "time": 0, "copy": true, "inode": []}',
        json.dumps({"path": "../daisy/1.jpg", "size": 7, "time": 0, "copy": False}).encode(),
    ],
)
def test_notes_that_nobody_wrote_hide_nothing(root, line):
    (root / NOTES_FILE).write_bytes(line + b"\n")
    assert ids(root) == ["daisy/1.jpg"]


def test_notes_are_not_written_through_a_link(root, tmp_path):
    (tmp_path / "precious").write_text("mine")
    (root / NOTES_FILE).symlink_to(tmp_path / "precious")
    with pytest.raises(OutputError, match="penult-wrote cannot be written"):
        note_written(root, root / "daisy/1.jpg")
    assert (tmp_path / "precious").read_text() == "mine"


def set_aside(root):
    """A folder that photos were moved to: one of a class, two that are no more than guesses."""
    for name in ("rose/1.jpg", "unlike/rose/2.jpg", "unlike/tulip/3.jpg"):
        (root / "sorted" / name).parent.mkdir(parents=True)
        (root / "sorted" / name).write_bytes(name.encode())
    note_set_aside(root / "sorted", "unlike")
    return root / "sorted"


def test_photos_that_were_set_aside_are_of_no_class(root):
    folder = set_aside(root)
    listing = list_images([folder])
    assert [(r.id, r.labels) for r in listing.records] == [("rose/1.jpg", ("rose",))]
    assert listing_messages(listing.notes) == [
        "left out, for penult only guessed their classes: 2 photos in unlike/; move those that you "
        "know into the folders of their classes"
    ]
    assert list_images([root]).left_out == {"set aside in sorted/unlike/": 2}
    (folder / "unlike/tulip/3.jpg").rename(folder / "rose/3.jpg")  # corrected by hand
    assert ids(folder) == ["rose/1.jpg", "rose/3.jpg"]


def test_they_are_read_where_labels_come_from_elsewhere_and_where_they_are_given(root):
    folder = set_aside(root)
    every = ["rose/1.jpg", "unlike/rose/2.jpg", "unlike/tulip/3.jpg"]
    assert [r.id for r in list_images([folder], labels="none").records] == every
    pattern = list_images([folder], label_pattern=r"(?P<label>\d)")
    assert [r.id for r in pattern.records] == every
    assert ids(folder / "unlike") == ["rose/2.jpg", "tulip/3.jpg"]


def test_a_class_of_that_name_is_read_where_penult_did_not_note_it(root):
    (root / "unlike").mkdir()
    (root / "unlike/1.jpg").touch()
    assert ids(root) == ["daisy/1.jpg", "unlike/1.jpg"]
