"""Photos that are moved into the folders of their classes, and back."""

import errno
import json
import os
from functools import partial

import pytest

from penult import move_back
from penult.classify.prediction import copying, moves
from penult.classify.prediction.copying import digest_of_file
from penult.classify.prediction.sorting import Sorter
from penult.errors import FileFormatError, ImageError, OutputError, PathNotFoundError, UsageError
from penult.images.files import open_regular
from penult.records import Failure, ImageRecord

LABELS = ("daisy", "rose")


@pytest.fixture
def here(tmp_path):
    """Photos of different bytes, one name twice; what the folder holds can be compared."""
    for name, content in (("a/1.jpg", b"one"), ("b/1.jpg", b"two"), ("b/2.jpg", b"three")):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "photos"


@pytest.fixture
def there(tmp_path):
    return tmp_path / "sorted"


def record_of(path):
    return ImageRecord(path.name, partial(open_regular, path), path=path)


def move(there, *paths, label="rose"):
    sorter = Sorter(there, LABELS, mode="move")
    return [sorter.place(record_of(path), digest_of_file(path), label) for path in paths]


def held(folder):
    files = (p for p in folder.rglob("*") if p.is_file() and p.name != moves.LOG)
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


def without_links(monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EXDEV, "cross-device")

    monkeypatch.setattr(os, "link", refuse)


@pytest.mark.parametrize("disks", ["one disk", "two disks"])
def test_photos_are_moved_and_moved_back_as_if_nothing_had_been(here, there, disks, monkeypatch):
    before = held(here)
    if disks == "two disks":
        without_links(monkeypatch)
    moved = move(there, here / "a/1.jpg", here / "b/1.jpg", here / "b/2.jpg")
    assert [m.path.name for m in moved] == ["1.jpg", "1 (2).jpg", "2.jpg"]
    assert [m.renamed for m in moved] == [False, True, False]
    assert held(here) == {}
    assert held(there) == {"rose/1.jpg": b"one", "rose/1 (2).jpg": b"two", "rose/2.jpg": b"three"}
    assert move_back(there).photos == 3
    assert held(here) == before
    assert list(there.iterdir()) == []  # neither the log nor the emptied folder
    with pytest.raises(PathNotFoundError, match=r"moves\.jsonl is not there: no photos were moved"):
        move_back(there)


def test_the_same_photo_twice_is_moved_twice_for_both_are_to_be_gone(here, there):
    (here / "b/1.jpg").write_bytes(b"one")
    before = held(here)
    move(there, here / "a/1.jpg", here / "b/1.jpg")
    assert held(there) == {"rose/1.jpg": b"one", "rose/1 (2).jpg": b"one"}
    move_back(there)
    assert held(here) == before


def test_a_move_is_noted_before_it_is_done(here, there, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(moves, "move_file", killed)
    with pytest.raises(KeyboardInterrupt):
        move(there, here / "a/1.jpg")
    noted = json.loads((there / moves.LOG).read_text())
    assert noted["from"] == str(here / "a/1.jpg")
    assert noted["to"] == "rose/1.jpg"
    assert move_back(there).photos == 0  # it never left
    assert held(here)["a/1.jpg"] == b"one"


@pytest.mark.parametrize("disks", ["one disk", "two disks"])
@pytest.mark.parametrize("then", ["the same command again", "moved back"])
def test_a_kill_between_there_and_gone_loses_nothing(here, there, then, disks, monkeypatch):
    def killed(*_, **__):
        raise KeyboardInterrupt

    if disks == "two disks":
        without_links(monkeypatch)
    unlink = copying.Path.unlink
    monkeypatch.setattr(copying.Path, "unlink", killed)
    with pytest.raises(KeyboardInterrupt):
        move(there, here / "a/1.jpg")
    monkeypatch.setattr(copying.Path, "unlink", unlink)
    for scratch in there.rglob("*.partial"):  # which a kill leaves as well, and the next run sweeps
        scratch.unlink()
    assert held(here)["a/1.jpg"] == held(there)["rose/1.jpg"] == b"one"
    if then == "moved back":
        assert move_back(there).photos == 1
        assert (held(here)["a/1.jpg"], held(there)) == (b"one", {})
    else:
        move(there, here / "a/1.jpg")
        assert "a/1.jpg" not in held(here)
        assert held(there) == {"rose/1.jpg": b"one"}


def test_a_photo_that_is_edited_before_its_half_done_move_is_finished_is_moved_as_it_is(
    here, there
):
    move(there, here / "a/1.jpg")
    (here / "a/1.jpg").write_bytes(b"one")  # in both places, as a kill leaves it
    sorter = Sorter(there, LABELS, mode="move")
    (here / "a/1.jpg").write_bytes(b"edited")
    sorter.place(record_of(here / "a/1.jpg"), digest_of_file(here / "a/1.jpg"), "rose")
    assert held(there) == {"rose/1.jpg": b"one", "rose/1 (2).jpg": b"edited"}


def test_a_name_that_another_program_takes_meanwhile_leaves_no_line_that_never_settles(
    here, there, monkeypatch
):
    def too_late(record, target, digest):
        monkeypatch.setattr(moves, "move_file", copying.move_file)
        target.write_bytes(b"of another program")
        raise FileExistsError

    before = held(here)
    monkeypatch.setattr(moves, "move_file", too_late)
    (moved,) = move(there, here / "a/1.jpg")
    assert moved.path.name == "1 (2).jpg"
    back = move_back(there)
    assert (back.photos, back.failures) == (1, ())
    assert held(here) == before
    assert held(there) == {"rose/1.jpg": b"of another program"}
    assert not (there / moves.LOG).exists()


def test_a_line_that_a_power_cut_left_unfinished_harms_no_other(here, there):
    move(there, here / "a/1.jpg")
    with (there / moves.LOG).open("a") as log:
        log.write('{"from": "/some')
    move(there, here / "b/2.jpg")
    assert move_back(there).photos == 2
    assert set(held(here)) == {"a/1.jpg", "b/1.jpg", "b/2.jpg"}


def test_no_file_is_replaced_by_a_photo_that_goes_back(here, there):
    move(there, here / "a/1.jpg", here / "b/2.jpg")
    (here / "a/1.jpg").write_bytes(b"new")
    moved = move_back(there)
    assert moved.photos == 1
    reason = f"{here / 'a/1.jpg'} is another file by now; move one of them"
    assert moved.failures == (Failure(str(there / "rose/1.jpg"), reason),)
    assert held(here)["a/1.jpg"] == b"new"
    (here / "a/1.jpg").unlink()
    assert move_back(there).photos == 1  # what could not go back stayed in the log
    assert held(here)["a/1.jpg"] == b"one"


@pytest.mark.parametrize(
    ("meanwhile", "reason"),
    [
        pytest.param(lambda path: path.unlink(), "is no longer there", id="removed"),
        pytest.param(lambda path: path.write_bytes(b"!"), "was changed since", id="changed"),
    ],
)
def test_a_photo_that_is_not_what_was_moved_stays(here, there, meanwhile, reason):
    (moved,) = move(there, here / "a/1.jpg")
    meanwhile(moved.path)
    (failure,) = move_back(there).failures
    assert reason in failure.reason
    assert str(here / "a/1.jpg") in failure.reason
    assert "a/1.jpg" not in held(here)


def test_a_folder_that_was_moved_itself_still_gives_its_photos_back(here, there, tmp_path):
    before = held(here)
    move(there, here / "a/1.jpg")
    (here / "a").rmdir()
    there.rename(tmp_path / "elsewhere")
    assert move_back(tmp_path / "elsewhere").photos == 1
    assert held(here) == before


def test_a_photo_that_cannot_leave_is_in_its_place_alone(here, there, monkeypatch):
    unlink = copying.Path.unlink

    def refuse(path, **options):
        if path == here / "a/1.jpg":
            raise PermissionError(errno.EACCES, "permission denied")
        unlink(path, **options)

    monkeypatch.setattr(copying.Path, "unlink", refuse)
    with pytest.raises(OutputError, match=r"1\.jpg cannot be moved: permission denied; .*'copy'"):
        move(there, here / "a/1.jpg")
    assert (held(here)["a/1.jpg"], held(there)) == (b"one", {})


def test_read_only_folders_and_links_are_refused_before_anything_is_moved(here, there, monkeypatch):
    sorter = Sorter(there, LABELS, mode="move")
    (here / "link.jpg").symlink_to("a/1.jpg")
    with pytest.raises(UsageError, match=r"link\.jpg is a symbolic link, which is not moved"):
        sorter.require_files([record_of(here / "link.jpg")])
    monkeypatch.setattr(os, "access", lambda path, _: path != here / "b")  # root may write anywhere
    sorter.require_files([record_of(here / "a/1.jpg")])
    with pytest.raises(OutputError, match="b is read-only, and photos cannot be moved out of it"):
        sorter.require_files([record_of(here / "a/1.jpg"), record_of(here / "b/1.jpg")])


@pytest.mark.parametrize("to", ["../../stolen", "/etc/passwd"])
def test_a_log_that_leads_elsewhere_is_refused(there, tmp_path, to):
    there.mkdir()
    line = {"from": str(tmp_path / "x"), "to": to, "digest": "00"}
    (there / moves.LOG).write_text(json.dumps(line) + "\n")
    with pytest.raises(FileFormatError, match=r"moves\.jsonl, line 1: leads out of"):
        move_back(there)


def test_a_photo_that_changes_on_its_way_to_another_disk_stays_where_it_is(
    here, there, monkeypatch
):
    without_links(monkeypatch)
    sorter = Sorter(there, LABELS, mode="move")
    with pytest.raises(ImageError, match="has changed since it was read"):
        sorter.place(record_of(here / "a/1.jpg"), digest_of_file(here / "b/1.jpg"), "rose")
    assert held(here)["a/1.jpg"] == b"one"
    assert held(there) == {}


def test_a_photo_that_was_put_into_another_class_by_hand_goes_back(here, there):
    before = held(here)
    move(there, here / "a/1.jpg", here / "b/2.jpg")
    (there / "tulip").mkdir()
    (there / "rose/1.jpg").rename(there / "tulip/renamed.jpg")
    assert move_back(there).photos == 2
    assert held(here) == before
    assert not (there / moves.LOG).exists()


def test_two_of_the_same_bytes_are_named_and_stay(here, there):
    (here / "b/1.jpg").write_bytes(b"one")
    move(there, here / "a/1.jpg", here / "b/1.jpg")
    (there / "tulip").mkdir()
    for path in list((there / "rose").iterdir()):
        path.rename(there / "tulip" / path.name)
    done = move_back(there)
    assert done.photos == 0
    assert len(done.failures) == 2
    assert "the same photo is now" in done.failures[0].reason
    assert str(there / "tulip/1.jpg") in done.failures[0].reason
    assert len(held(there / "tulip")) == 2


def test_the_folders_of_those_set_aside_are_gone_when_all_are_back(here, there):
    sorter = Sorter(there, LABELS, mode="move")
    path = here / "a/1.jpg"
    sorter.place(record_of(path), digest_of_file(path), "rose", aside="unlike")
    assert move_back(there).photos == 1
    assert not (there / "unlike").exists()
