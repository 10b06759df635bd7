"""Parts, the lock and the ledger: what is not whole is not trusted, and nobody shares a folder."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import filelock
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penult.errors import (
    OutputError,
    OutputExistsError,
    RecipeMismatchError,
    ResumeError,
    UnreadableFileError,
)
from penult.features.resume import chunk
from penult.features.resume import store as part_store
from penult.features.resume.chunk import Outcomes, Part, gather
from penult.features.resume.ledger import Ledger
from penult.features.resume.store import PartStore
from penult.recipe import Preprocessing, Recipe
from penult.records import Failure, ImageRecord

RECIPE = Recipe(
    architecture="toy/net",
    weights_sha256="00" * 32,
    layer="penultimate",
    pooling="none",
    preprocessing=Preprocessing(
        resize=4, crop=(4, 4), interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3
    ),
)
OPTIONS = {"dtype": "float32", "shuffle": None}


def digest(k: int) -> str:
    return f"{k:032x}"


def records(*names: str) -> list[ImageRecord]:
    return [ImageRecord(name, io.BytesIO) for name in names]


def outcomes(*positions: int, failed: tuple[int, ...] = ()) -> Outcomes:
    """The row of the image at position k is [k, 10 k]."""
    good = [k for k in positions if k not in failed]
    return Outcomes(
        positions=np.array(positions, np.int64),
        ids=[f"{k}.jpg" for k in positions],
        content=["" if k in failed else digest(k) for k in positions],
        reasons=["is empty" if k in failed else "" for k in positions],
        rows=[np.array([[k, 10 * k] for k in good], np.float32)] if good else [],
    )


FIVE = records(*(f"{k}.jpg" for k in range(5)))


def begin(store: PartStore, images=FIVE, recipe=RECIPE, options=OPTIONS, **how) -> Ledger:
    return store.begin({recipe.layer: recipe}, options, images, **how)


@pytest.fixture
def output(tmp_path) -> Path:
    return tmp_path / "f.h5"


@pytest.fixture
def interrupted(output):
    """Images 0, 1 (failed) and 2 are in the first part, 3 in the second; 4 is still to do."""
    store = PartStore(output)
    ledger = begin(store)
    store.add(outcomes(0, 1, failed=(1,)))
    store.add(outcomes(2))
    store.flush(ledger)
    store.add(outcomes(3))
    store.flush(ledger)
    store.close()
    return output


def test_what_is_flushed_is_what_a_later_run_knows(interrupted):
    store = PartStore(interrupted)
    ledger = begin(store)
    assert ledger.to_do.tolist() == [4]
    assert ledger.failures == [Failure("1.jpg", "is empty")]
    (first, second) = list(ledger.blocks())
    assert [r.id for r in first.records + second.records] == ["0.jpg", "2.jpg", "3.jpg"]
    assert first.content + second.content == [digest(0), digest(2), digest(3)]
    assert np.concatenate([first.rows[0], second.rows[0]]).tolist() == [[0, 0], [2, 20], [3, 30]]
    assert store.safe == 4
    store.close()


def test_what_was_only_added_is_not_known(interrupted):
    store = PartStore(interrupted)
    begin(store)
    store.add(outcomes(4))
    store.close()
    store = PartStore(interrupted)
    assert begin(store).to_do.tolist() == [4]
    store.close()


def first_part(output: Path) -> Part:
    return Part.all_in(part_store.parts_folder(output))[0]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data[: len(data) // 2], id="cut short"),
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: bytes(len(data)), id="zeros"),
        pytest.param(lambda data: data + b"\0", id="a byte too many"),
        pytest.param(lambda data: data[:-1] + bytes([data[-1] ^ 1]), id="one bit"),
    ],
)
def test_a_damaged_part_is_removed_and_its_images_done_again(interrupted, damage):
    path = first_part(interrupted).path
    path.write_bytes(damage(path.read_bytes()))
    store = PartStore(interrupted)
    assert begin(store).to_do.tolist() == [0, 1, 2, 4]
    assert not path.exists()
    store.close()


@pytest.mark.parametrize("error", [MemoryError("Unable to allocate 61.0 MiB"), OSError(12, "x")])
def test_parts_that_the_machine_fails_to_read_stay_where_they_are(interrupted, monkeypatch, error):
    def fails(*_, **__):
        raise error

    before = sorted(part_store.parts_folder(interrupted).iterdir())
    with monkeypatch.context() as patched:
        patched.setattr(chunk, "safe_open", fails)
        store = PartStore(interrupted)
        with pytest.raises(UnreadableFileError, match="too little memory"):
            begin(store)
        store.close()
    assert sorted(part_store.parts_folder(interrupted).iterdir()) == before
    store = PartStore(interrupted)
    assert begin(store).to_do.tolist() == [4]
    store.close()


@pytest.mark.parametrize("error", [MemoryError(), OSError(5, "Input/output error")])
def test_parts_whose_manifest_the_machine_fails_to_read_stay(interrupted, monkeypatch, error):
    def fails(*_, **__):
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", fails)
        store = PartStore(interrupted)
        with pytest.raises((UnreadableFileError, MemoryError)):
            begin(store)
        store.close()
    store = PartStore(interrupted)
    assert begin(store).to_do.tolist() == [4]
    store.close()


def test_a_manifest_that_is_damaged_makes_all_parts_worthless(interrupted):
    manifest = part_store.parts_folder(interrupted) / "run.json"
    manifest.write_bytes(manifest.read_bytes()[:-9])
    store = PartStore(interrupted)
    assert begin(store).to_do.tolist() == [0, 1, 2, 3, 4]
    store.close()


def test_a_newer_penults_run_is_refused(interrupted):
    manifest = part_store.parts_folder(interrupted) / "run.json"
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 3'))
    store = PartStore(interrupted)
    with pytest.raises(ResumeError, match="a newer one"):
        begin(store)
    assert begin(store, restart=True).to_do.tolist() == [0, 1, 2, 3, 4]
    store.close()


def test_a_full_disk_at_the_very_beginning_leaves_nothing(output, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(OSError, match="No space left"):
            PartStore(output)
    assert not part_store.parts_folder(output).exists()
    PartStore(output).close()


def test_what_a_killed_run_was_about_to_rename_is_removed(interrupted):
    folder = part_store.parts_folder(interrupted)
    for name in (".f.h5.abc.partial", "000003-0.new"):
        (folder / name).write_bytes(b"half")
    store = PartStore(interrupted)
    begin(store)
    assert not {p.suffix for p in folder.iterdir()} & {".partial", ".new"}
    store.close()


def test_another_recipe_is_refused_with_the_difference(interrupted):
    from dataclasses import replace

    store = PartStore(interrupted)
    with pytest.raises(RecipeMismatchError, match=r"layer: 'penultimate' then, 'logits' now"):
        begin(store, recipe=replace(RECIPE, layer="logits"))
    with pytest.raises(RecipeMismatchError, match=r"\(shuffle: None then, 7 now\).*restart=True"):
        begin(store, options={**OPTIONS, "shuffle": 7})
    store.close()
    assert len(Part.all_in(part_store.parts_folder(interrupted))) == 2


def test_other_images_are_refused_with_the_difference(interrupted):
    store = PartStore(interrupted)
    other = records("0.jpg", "a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg")
    with pytest.raises(ResumeError) as caught:
        begin(store, images=other)
    store.close()
    assert "(5 added: a.jpg, b.jpg, c.jpg, …; 4 removed: 1.jpg, 2.jpg, 3.jpg, …)" in str(
        caught.value
    )
    assert "update=True" in str(caught.value)
    assert "restart=True" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_image_that_was_touched_counts_as_changed(output, tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"1")
    image = [ImageRecord("0.jpg", io.BytesIO, path=path)]
    store = PartStore(output)
    ledger = begin(store, images=image)
    store.add(outcomes(0))
    store.flush(ledger)
    os.utime(path, ns=(1, 1))
    with pytest.raises(ResumeError, match=r"\(1 changed: 0\.jpg\)"):
        begin(store, images=image)
    store.close()


def test_restart_forgets_what_lies_there(interrupted):
    store = PartStore(interrupted)
    assert begin(store, images=records("x.jpg"), restart=True).to_do.tolist() == [0]
    store.close()
    assert not part_store.parts_folder(interrupted).exists()


def test_an_update_puts_the_parts_of_other_images_aside_and_a_later_run_still_finds_them(
    interrupted,
):
    for how in ({"update": True}, {}):
        store = PartStore(interrupted)
        ledger = begin(store, images=records("2.jpg"), **how)
        assert ledger.to_do.tolist() == [0]
        assert [part.content.tolist() for part in store.earlier()] == [
            [digest(0).encode(), digest(2).encode()],
            [digest(3).encode()],
        ]
        store.close()


def test_a_folder_with_nothing_to_go_on_with_is_removed(output):
    store = PartStore(output)
    begin(store)
    store.add(outcomes(0))
    store.close()
    assert not store.folder.exists()


def test_what_is_not_ours_is_never_removed(output):
    folder = part_store.parts_folder(output)
    (folder / "earlier").mkdir(parents=True)
    (folder / "earlier" / "thesis.tex").touch()
    (folder / "notes.txt").touch()
    store = PartStore(output)
    begin(store, restart=True)
    store.clear()
    store.close()
    assert sorted(p.name for p in folder.rglob("*")) == ["earlier", "notes.txt", "thesis.tex"]


@pytest.mark.parametrize(
    "limits",
    [
        pytest.param(part_store.Limits(images=2), id="images"),
        pytest.param(part_store.Limits(nbytes=16), id="bytes"),
        pytest.param(part_store.Limits(seconds=0), id="time"),
    ],
)
def test_a_part_is_due_by_number_by_size_and_by_time(output, monkeypatch, limits):
    store = PartStore(output)
    ledger = begin(store)
    store.add(outcomes(0))
    store.add(outcomes(1))
    assert not store.is_due
    monkeypatch.setattr(part_store, "LIMITS", limits)
    assert store.is_due
    store.flush(ledger)
    assert not store.is_due
    store.close()


def test_a_block_is_counted_once_however_often_it_is_asked_whether_a_part_is_due(
    output, monkeypatch
):
    counted = []
    nbytes = Outcomes.nbytes.fget
    monkeypatch.setattr(
        Outcomes, "nbytes", property(lambda one: counted.append(one.ids[0]) or nbytes(one))
    )
    monkeypatch.setattr(part_store, "LIMITS", part_store.Limits(nbytes=4 * 8))  # rows of two floats
    store = PartStore(output)
    ledger = begin(store)
    due = []
    for k in range(4):
        store.add(outcomes(k))
        due.append(store.is_due)
    assert (store.waiting, due) == (4, [False, False, False, True])
    assert counted == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    store.flush(ledger)
    store.add(outcomes(4))
    assert (store.waiting, store.is_due) == (1, False), "and begins anew with each part"
    store.close()


def test_a_second_run_is_refused_with_the_firsts_process_and_may_follow_it(output):
    first = PartStore(output)
    with pytest.raises(OutputExistsError, match=rf"another run, process {os.getpid()} on "):
        PartStore(output)
    first.close()
    PartStore(output).close()


def test_a_lock_ends_with_its_process_however_it_ends(output):
    code = f"""
import os, signal
from pathlib import Path
from penult.features.resume.store import PartStore
store = PartStore(Path({str(output)!r}))
print("locked", flush=True)
signal.pause()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(OutputExistsError, match=f"process {other.pid} on "):
            PartStore(output)
        other.kill()
    PartStore(output).close()


def require_one_at_a_time(output):
    first = PartStore(output)
    with pytest.raises(OutputExistsError, match=rf"process {os.getpid()} on "):
        PartStore(output)
    first.close()
    assert not first.folder.exists()
    PartStore(output).close()


def test_where_there_is_no_flock_a_file_with_the_process_takes_its_place(output, monkeypatch):
    def no_flock(self, *_arguments, **_options):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(filelock.FileLock, "acquire", no_flock)
    require_one_at_a_time(output)


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP], ids=os.strerror)
def test_the_file_that_could_not_be_locked_is_not_taken_for_a_lock(output, monkeypatch, code):
    def no_flock(*_arguments):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("fcntl.flock", no_flock)
    require_one_at_a_time(output)


def test_a_folder_that_vanishes_is_noticed_before_anything_is_written(interrupted):
    import shutil

    store = PartStore(interrupted)
    ledger = begin(store)
    store.add(outcomes(4))
    shutil.rmtree(store.folder)
    other = PartStore(interrupted)  # and another run has begun there
    with pytest.raises(OutputError, match="vanished during the run"):
        store.flush(ledger)
    assert store.safe == 0
    store.close()
    assert sorted(p.name for p in other.folder.iterdir()) == ["lock", "owner"]
    other.close()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=40))
def test_gathered_rows_are_the_rows_asked_for_in_any_order(indices):
    rows = np.arange(62).reshape(31, 2)
    wanted = np.array(indices)
    assert gather(rows.__getitem__, wanted).tolist() == rows[wanted].tolist()


def test_rows_are_read_in_the_order_of_the_listing_wherever_they_lie(output):
    store = PartStore(output)
    ledger = begin(store)
    for positions in ((4, 2), (0,), (3, 1)):
        store.add(outcomes(*positions))
        store.flush(ledger)
    blocks = list(ledger.blocks())
    assert [r.id for block in blocks for r in block.records] == [f"{k}.jpg" for k in range(5)]
    rows = np.concatenate([block.rows[0] for block in blocks])
    assert rows.tolist() == [[k, 10 * k] for k in range(5)]
    store.close()


def test_a_file_in_the_place_of_the_parts_is_named_and_stays(output):
    place = output.with_name(f"{output.name}.parts")
    place.write_text("mine")
    with pytest.raises(OutputExistsError, match=rf"{place.name} is a file, in the place of a fold"):
        PartStore(output)
    assert place.read_text() == "mine"
