"""Photos that are moved into the folders of their classes, and back."""

import errno
import json
import os
from functools import partial

import pytest

from penult import move_back
from penult.classify.prediction import copying, move_log, moves
from penult.classify.prediction.copying import digest_of_file
from penult.classify.prediction.move_log import LOG
from penult.classify.prediction.sorting import Sorter
from penult.errors import (
    FileFormatError,
    ImageError,
    OutputError,
    OutputExistsError,
    PathNotFoundError,
    UsageError,
)
from penult.images.files import open_regular
from penult.records import Failure, ImageRecord
from penult.scratch import scratch_file

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
    with Sorter(there, LABELS, mode="move") as sorter:
        return [sorter.place(record_of(path), digest_of_file(path), label) for path in paths]


def held(folder):
    files = (p for p in folder.rglob("*") if p.is_file() and p.name != LOG)
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
    with pytest.raises(PathNotFoundError, match=r"moves\.jsonl is not there: .* they are copied"):
        move_back(there)
    with pytest.raises(PathNotFoundError, match=r"^no such folder: .*nowhere$"):
        move_back(there.parent / "nowhere")


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

    monkeypatch.setattr(move_log, "move_file", killed)
    with pytest.raises(KeyboardInterrupt):
        move(there, here / "a/1.jpg")
    noted = json.loads((there / LOG).read_text())
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
    with Sorter(there, LABELS, mode="move") as sorter:
        (here / "a/1.jpg").write_bytes(b"edited")
        sorter.place(record_of(here / "a/1.jpg"), digest_of_file(here / "a/1.jpg"), "rose")
    assert held(there) == {"rose/1.jpg": b"one", "rose/1 (2).jpg": b"edited"}


def test_a_name_that_another_program_takes_meanwhile_leaves_no_line_that_never_settles(
    here, there, monkeypatch
):
    def too_late(record, target, digest):
        monkeypatch.setattr(move_log, "move_file", copying.move_file)
        target.write_bytes(b"of another program")
        raise FileExistsError

    before = held(here)
    monkeypatch.setattr(move_log, "move_file", too_late)
    (moved,) = move(there, here / "a/1.jpg")
    assert moved.path.name == "1 (2).jpg"
    back = move_back(there)
    assert (back.photos, back.failures) == (1, ())
    assert held(here) == before
    assert held(there) == {"rose/1.jpg": b"of another program"}
    assert not (there / LOG).exists()


def test_a_line_that_a_power_cut_left_unfinished_harms_no_other(here, there):
    move(there, here / "a/1.jpg")
    with (there / LOG).open("a") as log:
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
    (there / LOG).write_text(json.dumps(line) + "\n")
    with pytest.raises(FileFormatError, match=r"moves\.jsonl, line 1: leads out of"):
        move_back(there)


def test_a_photo_that_changes_on_its_way_to_another_disk_stays_where_it_is(
    here, there, monkeypatch
):
    without_links(monkeypatch)
    with (
        Sorter(there, LABELS, mode="move") as sorter,
        pytest.raises(ImageError, match="has changed since it was read"),
    ):
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
    assert not (there / LOG).exists()


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
    path = here / "a/1.jpg"
    with Sorter(there, LABELS, mode="move") as sorter:
        sorter.place(record_of(path), digest_of_file(path), "rose", aside="unlike")
    assert move_back(there).photos == 1
    assert not (there / "unlike").exists()


def test_photos_are_not_moved_while_others_are_moved_back_nor_by_two_at_once(here, there):
    before = held(here)
    refused = r"sorted is being written by another run, process \d+"
    with Sorter(there, LABELS, mode="move") as sorter:
        path = here / "a/1.jpg"
        sorter.place(record_of(path), digest_of_file(path), "rose")
        with pytest.raises(OutputExistsError, match=refused):
            move_back(there)
        with pytest.raises(OutputExistsError, match=refused):
            move(there, here / "b/1.jpg")
    assert move_back(there).photos == 1
    assert held(here) == before
    assert list(there.iterdir()) == []


def test_a_photo_that_is_moved_while_others_are_moved_back_is_in_the_log_afterwards(
    here, there, monkeypatch
):
    """What `move_back` has read is what it writes: nothing is noted between the two."""
    move(there, here / "a/1.jpg", here / "b/2.jpg")
    (here / "a/1.jpg").write_bytes(b"another file")  # its line stays

    def meanwhile(noted, elsewhere):
        with pytest.raises(OutputExistsError):
            move(there, here / "b/1.jpg")
        return undo(noted, elsewhere)

    undo = moves._undo
    monkeypatch.setattr(moves, "_undo", meanwhile)
    assert move_back(there).photos == 1
    assert held(here)["b/1.jpg"] == b"two"


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line[: len(line) // 2],
        lambda line: line.replace(b'"from"', b'"frm"'),
        lambda line: b"\x00\xff" + line[2:],
        lambda line: line.replace(b'"to": "rose/', b'"to": "\\u0000rose/'),
        lambda line: b"[1]",
    ],
)
def test_a_damaged_line_is_named_and_kept_for_its_photo_is_still_there(here, there, damage):
    move(there, here / "a/1.jpg", here / "b/1.jpg", here / "b/2.jpg")
    first, second, third = (there / LOG).read_bytes().splitlines()
    damaged = damage(second)
    (there / LOG).write_bytes(b"\n".join([first, damaged, third, b""]))
    done = move_back(there)
    (failure,) = done.failures
    assert done.photos == 2
    assert failure.id == f"{there / LOG}, line 1"
    assert "is damaged, and stays there" in failure.reason
    assert (there / LOG).read_bytes() == damaged + b"\n"
    assert held(there) == {"rose/1 (2).jpg": b"two"}


def test_a_line_that_a_power_cut_left_unfinished_is_of_no_move_and_is_taken_away(here, there):
    move(there, here / "a/1.jpg")
    whole = (there / LOG).read_bytes()
    (there / LOG).write_bytes(whole + whole[:40])
    move(there, here / "b/2.jpg")
    assert move_back(there).failures == ()
    assert not (there / LOG).exists()


def test_a_last_line_that_lacks_its_end_alone_is_a_move(here, there):
    before = held(here)
    move(there, here / "a/1.jpg")
    (there / LOG).write_bytes((there / LOG).read_bytes().rstrip(b"\n"))
    move(there, here / "b/2.jpg")
    assert move_back(there).photos == 2
    assert held(here) == before


def test_a_photo_that_is_gone_is_named_where_another_file_has_its_name(here, there):
    move(there, here / "a/1.jpg")
    (there / "rose/1.jpg").unlink()
    (here / "a/1.jpg").write_bytes(b"another file")
    (failure,) = move_back(there).failures
    assert "no longer there, and" in failure.reason
    assert "a/1.jpg is another file by now" in failure.reason
    assert (there / LOG).exists()


@pytest.mark.parametrize("label", ["moves.jsonl", "Moves.JSONL", "moves.lock"])
def test_a_class_may_be_called_as_penults_own_files_are(here, there, label):
    path = here / "a/1.jpg"
    with Sorter(there, [label], mode="move") as sorter:
        sorter.place(record_of(path), digest_of_file(path), label)
    assert held(there) == {f"{label} (2)/1.jpg": b"one"}
    assert move_back(there).photos == 1


def test_what_killed_moves_left_between_two_disks_is_swept_on_both_sides(here, there):
    move(there, here / "a/1.jpg")
    (here / "a").mkdir(exist_ok=True)
    left = []
    for folder in (here / "a", there / "rose"):
        left.append(scratch_file(folder, copying.SCRATCH))
        left[-1] = left[-1].rename(
            left[-1].with_name(left[-1].name.replace(f"-{os.getpid()}-", "-999999999-"))
        )
    move_back(there)
    assert not any(path.exists() for path in left)
    assert list(there.iterdir()) == []


def test_what_a_killed_move_back_left_is_swept_by_the_next_move(here, there):
    left = scratch_file(here / "a", copying.SCRATCH)
    left = left.rename(left.with_name(left.name.replace(f"-{os.getpid()}-", "-999999999-")))
    Sorter(there, LABELS, mode="move").require_files([record_of(here / "a/1.jpg")])
    assert not left.exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-20],  # of a photo that was moved
        lambda data: b"\xff\xfe\x00",
        lambda data: data.replace(b"\n", b""),
    ],
)
def test_a_last_line_that_no_power_cut_leaves_is_named_and_kept(here, there, damage):
    move(there, here / "a/1.jpg", here / "b/2.jpg")
    damaged = damage((there / LOG).read_bytes())
    (there / LOG).write_bytes(damaged)
    done = move_back(there)
    assert any("is damaged, and stays there" in failure.reason for failure in done.failures)
    assert (there / LOG).read_bytes().rstrip(b"\n") == damaged.splitlines()[-1]
    move(there, here / "b/1.jpg")
    assert damaged.splitlines()[-1] in (there / LOG).read_bytes()


@pytest.mark.parametrize("blocked", ["a", ""])
def test_a_photo_whose_folder_is_a_file_by_now_stays_and_the_file_is_named(here, there, blocked):
    move(there, here / "a/1.jpg", here / "b/1.jpg")
    (here / "b/2.jpg").unlink()
    for folder in (here / "a", here / "b", here):
        if folder == here / "a" or not blocked:
            folder.rmdir()
    (here / blocked).write_text("mine")

    back = move_back(there)

    photos, said = (1, 1) if blocked else (0, 2)
    assert (back.photos, len(back.failures)) == (photos, said)
    assert {one.reason for one in back.failures} == {
        f"{here / blocked} is no folder by now; move it away"
    }
    (here / blocked).unlink()
    assert move_back(there).photos == said


def test_a_photo_whose_folder_cannot_be_made_is_named_with_the_reason(here, there, monkeypatch):
    move(there, here / "a/1.jpg")
    with monkeypatch.context() as patch:

        def refuse(*_, **__):
            raise PermissionError(errno.EACCES, "Permission denied")

        patch.setattr(moves.Path, "mkdir", refuse)
        log, elsewhere = there / LOG, moves._Elsewhere(there, [])
        [noted] = move_log.read_log(log).moves
        with pytest.raises(OutputError, match=r"photos/a cannot be written: Permission denied"):
            moves._undo(noted, elsewhere)
    assert move_back(there).photos == 1


def test_a_photo_that_cannot_be_read_any_more_is_named(here, monkeypatch):
    def refuse(_path):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(move_log, "digest_of_file", refuse)
    one = move_log.Move(here / "a/1.jpg", here / "b/1.jpg", "0")
    with pytest.raises(ImageError, match=r"a/1\.jpg cannot be read: Input/output error"):
        _ = one.is_home


def test_a_log_that_cannot_be_read_or_written_is_named(here, there, tmp_path):
    (there / LOG).mkdir(parents=True)
    with pytest.raises(FileFormatError, match=r"moves\.jsonl cannot be read as a log of moved"):
        move_log.read_log(there / LOG)
    log = move_log.MoveLog(there)
    with pytest.raises(OutputError, match=r"moves\.jsonl cannot be written: Is a directory"):
        log._note(move_log.Move(here / "a/1.jpg", there / "rose/1.jpg", "0"))


def test_a_file_in_the_place_of_the_lock_is_named(here, there):
    there.mkdir()
    (there / move_log._LOCK).write_text("")
    with pytest.raises(OutputExistsError, match=f"{move_log._LOCK} is a file, in the place of a"):
        move(there, here / "a/1.jpg")
    assert (here / "a/1.jpg").exists()


def test_a_half_done_move_whose_photo_cannot_be_removed_is_named(here, there, monkeypatch):
    there.mkdir()
    one = move_log.Move(here / "a/1.jpg", there / "1.jpg", digest_of_file(here / "a/1.jpg"))
    (there / "1.jpg").write_bytes(b"one")
    (there / LOG).write_text(one.to_json(there))

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    log = move_log.MoveLog(there)
    log.begin()
    with monkeypatch.context() as patch:
        patch.setattr(move_log.Path, "unlink", refuse)
        with pytest.raises(OutputError, match=r"a/1\.jpg cannot be written: Permission denied"):
            log.finish(record_of(here / "a/1.jpg"), one.digest)
    log.close()
    assert held(here)["a/1.jpg"] == held(there)["1.jpg"]


def test_lines_that_are_json_and_no_moves_are_damaged():
    assert move_log._parsed(b'{"from": 1, "to": "a", "digest": "b"}', move_log.Path("/f")) is None
    assert not move_log._is_torn(b'{"from": "\\x", "to": ')
