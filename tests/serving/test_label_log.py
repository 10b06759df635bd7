"""Labels that people change: the log is appended to, and what was acknowledged is in it."""

from __future__ import annotations

import json
import logging
import os
import re
import resource
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from penult.errors import (
    LabelLogError,
    OutputError,
    OutputExistsError,
    PathNotFoundError,
    UndoError,
    UsageError,
    WrongFileError,
)
from penult.serving.labels.log import LabelLog

pytestmark = pytest.mark.light

GALLERY = {"a.jpg": "rose", "b.jpg": "daisy", "c.jpg": None}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "rows.h5.labels.jsonl"


@pytest.fixture
def log(file):
    with LabelLog(file) as opened:
        yield opened


def put(log, ids, label, who=None, **options):
    return log.put(ids, label, who, before=GALLERY.get, **options)


def labels(log):
    """What stands of the log."""
    return {image: one.new for image, one in log.state().items() if one.undoes is None}


def lines(file):
    return [json.loads(line) for line in file.read_bytes().splitlines()]


def test_a_change_says_who_when_and_what_the_label_was(log, file):
    (entry,) = put(log, ["a.jpg"], "daisy", "Anna")
    assert (entry.entry, entry.batch, entry.id, entry.who) == (1, 1, "a.jpg", "Anna")
    assert (entry.old, entry.new) == ("rose", "daisy")
    assert entry.when.endswith("+00:00")
    (again,) = put(log, ["a.jpg"], None)
    assert (again.entry, again.old, again.new, again.who) == (2, "daisy", None, None)
    assert log.history("a.jpg") == [entry, again]
    assert log.history("b.jpg") == []
    assert [line.get("batch") for line in lines(file)] == [None, 1, 2]


def test_it_is_as_it_was_when_it_is_opened_again(file):
    with LabelLog(file) as log:
        put(log, ["a.jpg", "b.jpg"], "tulip", "Anna")
        put(log, ["a.jpg"], "iris")
        log.undo(batch=1)
        put(log, ["d \n\u2028é.jpg"], "Ringelblume|Löwenzahn", several=True)
        state, history = dict(log.state()), log.history("a.jpg")
        before = file.read_bytes()
    with LabelLog(file) as again:
        assert (dict(again.state()), again.history("a.jpg"), len(again)) == (state, history, 5)
        put(again, ["c.jpg"], "rose")
    assert file.read_bytes().startswith(before)
    assert labels(again)["d \n\u2028é.jpg"] == "Löwenzahn|Ringelblume"


def test_a_label_that_is_confirmed_is_an_entry_that_changes_nothing(log):
    (entry,) = put(log, ["a.jpg"], "rose")
    assert entry.old == entry.new == "rose"
    assert "a.jpg" in log.state()


def test_of_several_labels_that_are_expected_the_order_does_not_count(log):
    put(log, ["a.jpg"], "tulip|rose", several=True)
    put(log, ["a.jpg"], "daisy", several=True, expected={"a.jpg": "tulip|rose"})
    assert log.state()["a.jpg"].new == "daisy"


def test_many_images_are_one_line_and_each_counts_once(log, file):
    entries = put(log, ["a.jpg", "c.jpg", "a.jpg"], "tulip")
    assert [(one.entry, one.batch, one.id, one.old) for one in entries] == [
        (1, 1, "a.jpg", "rose"),
        (2, 1, "c.jpg", None),
    ]
    assert len(lines(file)) == 2


def test_undone_changes_go_back_one_by_one_to_what_the_gallery_says(log):
    put(log, ["a.jpg"], "daisy", "Anna")
    put(log, ["a.jpg", "b.jpg"], "tulip", "Anna")
    assert [(one.id, one.old, one.new, one.undoes) for one in log.undo(who="Anna")] == [
        ("a.jpg", "tulip", "daisy", 2),
        ("b.jpg", "tulip", "daisy", 3),
    ]
    assert labels(log) == {"a.jpg": "daisy"}
    log.undo(who="Anna")
    assert labels(log) == {}
    with pytest.raises(UndoError, match="no change of labels of Anna to undo"):
        log.undo(who="Anna")
    assert len(log.history("a.jpg")) == 4


def test_one_undoes_only_their_own_last_change_unless_they_name_another(log):
    put(log, ["a.jpg"], "daisy", "Anna")
    put(log, ["b.jpg"], "tulip", "Ben")
    assert [one.id for one in log.undo(who="Anna")] == ["a.jpg"]
    assert [one.who for one in log.undo(entry=2, who="Anna")] == ["Anna"]
    with pytest.raises(UndoError):
        log.undo(who="Ben")


def test_a_change_that_another_person_followed_is_not_undone_and_it_is_said_whose_that_is(log):
    put(log, ["a.jpg"], "daisy", "Anna")
    put(log, ["a.jpg"], "tulip", "Ben")
    followed = (
        "^'a.jpg' has the label 'tulip' now, given by Ben since; to undo the change of 'a.jpg' to "
        "the label 'daisy', undo what followed it first$"
    )
    with pytest.raises(UndoError, match=followed):
        log.undo(entry=1, who="Anna")
    assert labels(log) == {"a.jpg": "tulip"}


def test_where_others_have_followed_every_change_of_a_person_it_is_said_who_has(log):
    put(log, ["a.jpg"], "daisy", "Anna")
    put(log, ["a.jpg"], "rose", "Ben")
    put(log, ["a.jpg"], "tulip", "Cara")
    log.undo(who="Cara")  # which leaves that of Ben in the way
    told = (
        "there is no change of labels of Anna to undo: the label of 'a.jpg' was changed again "
        "since, by Ben; undo that first"
    )
    with pytest.raises(UndoError, match=f"^{re.escape(told)}$"):
        log.undo(who="Anna")
    put(log, ["b.jpg", "c.jpg"], "daisy", "Anna")
    put(log, ["b.jpg", "c.jpg"], "rose")
    told = (
        "there is no change of labels of Anna to undo: the labels of all 3 images were changed "
        "again since, by Ben, somebody; undo what followed first"
    )
    with pytest.raises(UndoError, match=f"^{re.escape(told)}$"):
        log.undo(who="Anna")
    with pytest.raises(UndoError, match=r"no change of labels of Dora to undo$"):
        log.undo(who="Dora")


def test_changes_of_images_that_are_gone_are_said_to_be_left(log):
    put(log, ["gone.jpg"], "daisy", "Anna")
    told = r"to undo; those of 1 image that the gallery no longer has are undone only by number$"
    with pytest.raises(UndoError, match=told):
        log.undo(who="Anna", among=["a.jpg"])


def test_of_a_batch_what_was_changed_since_stays(log):
    put(log, ["a.jpg", "b.jpg"], "tulip")
    put(log, ["b.jpg"], "iris")
    assert [one.id for one in log.undo(batch=1)] == ["a.jpg"]
    assert labels(log) == {"b.jpg": "iris"}


@pytest.mark.parametrize(
    ("which", "message"),
    [
        (
            {"entry": 1},
            "^'a.jpg' has the label 'iris' now, given by somebody since; to undo the change",
        ),
        ({"entry": 2}, "^the change of 'b.jpg' to the label 'tulip' was undone already"),
        ({"batch": 3}, "batch 3 is an undoing itself"),
        ({"entry": 9}, "there is no entry 9 in the log of labels; they go from 1 to 4"),
        ({"batch": 0}, "there is no batch 0"),
    ],
)
def test_what_cannot_be_undone_is_refused_and_nothing_is_written(log, file, which, message):
    put(log, ["a.jpg", "b.jpg"], "tulip")
    put(log, ["a.jpg"], "iris")
    log.undo(batch=1)
    before = file.read_bytes()
    with pytest.raises(UndoError, match=message):
        log.undo(**which)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("  ", "the label is empty"),
        ("x" * 201, "201 characters; 200 are the most"),
        ("ro\nse", "cannot be shown"),
        ("ro\u202ese", "cannot be shown"),
        ("ro\ud800se", "cannot be shown"),
        ("rose|wild", r"has a \| in it"),
    ],
)
def test_what_cannot_be_a_label_is_refused(log, file, label, message):
    with pytest.raises(UsageError, match=message):
        put(log, ["a.jpg"], label)
    assert not file.exists()


def test_names_and_images_are_checked_as_well(log):
    with pytest.raises(UsageError, match="the name of who changes it has 101 characters"):
        put(log, ["a.jpg"], "rose", "x" * 101)
    with pytest.raises(UsageError, match="no image"):
        put(log, [], "rose")
    assert put(log, ["a.jpg"], " re\u0301sine ", "  ")[0].new == "résine"
    assert log.history("a.jpg")[0].who is None


def test_nothing_is_made_before_the_first_change(file):
    with LabelLog(file) as log:
        assert not log.state()
    assert not file.exists()


def test_a_second_service_is_refused_until_the_first_has_ended(file):
    with LabelLog(file) as log:
        put(log, ["a.jpg"], "tulip")
        with pytest.raises(
            OutputExistsError, match=f"another service, process {os.getpid()} on .*label_log"
        ):
            LabelLog(file)
        (link := file.with_name("link.jsonl")).symlink_to(file)
        with pytest.raises(OutputExistsError, match="another service"):
            LabelLog(link)
    LabelLog(file).close()


@pytest.mark.parametrize("kept", [0, 1, 9, 30, "all but its end"])
def test_a_last_line_that_was_cut_is_taken_away_with_a_warning(file, caplog, kept):
    with LabelLog(file) as log:
        put(log, ["a.jpg"], "tulip")
        whole = file.read_bytes()
        put(log, ["b.jpg"], "iris")
    last = file.read_bytes()[len(whole) :]
    file.write_bytes(whole + (last[:-1] if kept == "all but its end" else last[:kept]))
    with caplog.at_level(logging.WARNING), LabelLog(file) as log:
        assert labels(log) == {"a.jpg": "tulip"}
        assert file.read_bytes() == whole
        put(log, ["b.jpg"], "iris")
    assert ("has no end" in caplog.text) == (kept != 0)
    with LabelLog(file) as log:
        assert labels(log) == {"a.jpg": "tulip", "b.jpg": "iris"}


def test_a_first_line_that_was_cut_is_taken_away_too(file):
    file.write_bytes(b'{"penult lab')
    with LabelLog(file) as log:
        put(log, ["a.jpg"], "tulip")
    with LabelLog(file) as log:
        assert labels(log) == {"a.jpg": "tulip"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 3: is no change of labels"),
        ('{"batch": 2}', "line 3: is no change of labels: it lacks"),
        ("", "line 3"),
        ('{"batch":2,"when":"","who":null,"changes":[]}', "of no image"),
        (
            '{"batch":3,"when":"","who":null,"changes":[{"entry":2,"id":"a","old":"","new":""}]}',
            "line 3: is batch 3 with entry 2, where batch 2 with entry 2",
        ),
        (
            '{"batch":2,"when":"","who":null,"changes":[{"entry":2,"id":"a","old":"","new":"",'
            '"undoes":1}]}',
            "undoes entry 1, which is not the last one of a",
        ),
        ("\xff", "line 3: is no change"),
    ],
)
def test_any_other_damage_is_refused_with_its_line_and_left_alone(file, line, message):
    with LabelLog(file) as log:
        put(log, ["a.jpg"], "tulip")
        log.put(["b.jpg"], "iris")
    good = file.read_bytes().splitlines(keepends=True)
    damaged = b"".join([*good[:2], line.encode("latin-1") + b"\n", good[2]])
    file.write_bytes(damaged)
    with pytest.raises(LabelLogError, match=message):
        LabelLog(file)
    assert file.read_bytes() == damaged
    file.write_bytes(b"".join(good))
    LabelLog(file).close()  # the lock was let go


@pytest.mark.parametrize("content", [b"path,label\na.jpg,rose", b"mine", b"{}\n"])
def test_a_file_of_something_else_is_refused_and_left_alone(file, content):
    file.write_bytes(content)
    with pytest.raises(LabelLogError, match="is not a log of labels"):
        LabelLog(file)
    assert file.read_bytes() == content


def test_a_folder_or_a_folder_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(WrongFileError, match="is a folder"):
        LabelLog(tmp_path)
    with pytest.raises(PathNotFoundError, match=r"cannot be written: there is no folder .*none"):
        LabelLog(tmp_path / "none" / "log.jsonl")


def full_after(size):
    """Have the system refuse that files grow beyond a size, as a full disk does: in mid-line."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


@pytest.mark.parametrize("room", [0, 40])
def test_a_full_disk_refuses_the_change_and_leaves_the_log_as_it_was(log, file, room):
    put(log, ["a.jpg"], "tulip")
    before = file.read_bytes()
    make_room = full_after(len(before) + room)
    try:
        with pytest.raises(OutputError, match=r"the disk is full.*no label was changed"):
            put(log, ["a.jpg", "b.jpg"], "iris")
    finally:
        make_room()
    assert file.read_bytes() == before
    assert labels(log) == {"a.jpg": "tulip"}
    assert [one.entry for one in put(log, ["b.jpg"], "iris")] == [2]


def test_a_disk_that_refuses_even_to_take_it_back_is_mended_before_the_next_change(
    log, file, monkeypatch
):
    put(log, ["a.jpg"], "tulip")

    def broken(*_):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", broken)
        patched.setattr(os, "ftruncate", broken)
        with pytest.raises(OutputError, match="Input/output error"):
            put(log, ["b.jpg"], "iris")
    put(log, ["b.jpg"], "rose")
    assert [line["changes"][0]["new"] for line in lines(file)[1:]] == ["tulip", "rose"]


def test_it_is_on_the_disk_before_it_is_acknowledged(log, file, monkeypatch):
    synced = []

    def sync(descriptor):
        synced.append(os.fstat(descriptor).st_size)

    monkeypatch.setattr(os, "fsync", sync)
    put(log, ["a.jpg"], "tulip")
    assert synced[-1] == file.stat().st_size
    assert len(synced) == 2  # the first is that of the folder, which has the new name


def test_a_log_that_was_removed_or_changed_meanwhile_is_not_written_into(log, file):
    put(log, ["a.jpg"], "tulip")
    moved = file.rename(file.with_name("moved"))
    with pytest.raises(OutputError, match="was removed or replaced"):
        put(log, ["b.jpg"], "iris")
    moved.rename(file)
    put(log, ["b.jpg"], "iris")
    with file.open("ab") as other:
        other.write(b"\n")
    with pytest.raises(OutputError, match="was changed by something else"):
        put(log, ["c.jpg"], "iris")


def test_changes_of_many_threads_follow_each_other(log, file):
    def change(k):
        for turn in range(5):
            put(log, [f"{k}.jpg", "shared.jpg"], f"{k} {turn}")

    threads = [Thread(target=change, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    with LabelLog(file) as again:
        assert len(again) == 80
        history = again.history("shared.jpg")
        assert [one.old for one in history[1:]] == [one.new for one in history[:-1]]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_of_twenty_kills_while_labels_are_written_none_that_was_acknowledged_is_lost(file, caplog):
    program = Path(__file__).with_name("label_killing.py")
    ran = subprocess.run(
        [sys.executable, str(program), str(file), "20", "18"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lives = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(lives) == 20
    assert sum(1 for entries in lives if entries) >= 10
    with LabelLog(file) as log:
        for entry, image, label in (one for entries in lives for one in entries):
            (there,) = log.history(image)
            assert (there.entry, there.new) == (entry, label)
        put(log, ["last.jpg"], "rose")  # and it goes on


def test_no_lock_is_left_when_it_is_closed(file):
    with LabelLog(file) as log:
        put(log, ["a.jpg"], "tulip")
        assert len([*file.parent.iterdir()]) == 2
    assert [*file.parent.iterdir()] == [file]
    log.close()


def test_a_line_that_changes_an_image_twice_is_damage(file):
    with LabelLog(file) as log:
        put(log, ["a.jpg"], "tulip")
    twice = ",".join(f'{{"entry":{k},"id":"b","old":"","new":"iris"}}' for k in (2, 3))
    line = f'{{"batch":2,"when":"","who":null,"changes":[{twice}]}}\n'
    file.write_bytes(file.read_bytes() + line.encode())
    with pytest.raises(LabelLogError, match=r"line 3: changes an image twice$"):
        LabelLog(file)


def test_a_log_that_cannot_be_read_or_mended_is_named_and_left_alone(file, monkeypatch):
    with LabelLog(file) as log:
        put(log, ["a.jpg"], "tulip")
    cut = file.read_bytes() + b'{"batch":2'
    file.write_bytes(cut)

    def broken(*_):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", broken)
        with pytest.raises(LabelLogError, match=r"jsonl cannot be read: Input/output error$"):
            LabelLog(file)
    with monkeypatch.context() as patched:
        patched.setattr(os, "ftruncate", broken)
        with pytest.raises(OutputError, match=r"jsonl.*: Input/output error"):
            LabelLog(file)
    assert file.read_bytes() == cut
    LabelLog(file).close()  # the lock was let go
    assert file.read_bytes() == cut.removesuffix(b'{"batch":2')
