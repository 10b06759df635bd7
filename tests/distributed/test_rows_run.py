"""A folder of rows, made part by part in this process: resumed, brought up to date, replaced."""

from __future__ import annotations

import errno
import json
import shutil
import socket
import subprocess
import sys
import time
from functools import partial
from types import SimpleNamespace

import fsspec
import numpy as np
import pytest

import penult
from penult.distributed import turn
from penult.distributed.rows_folder import RowsFolder, RunRecord
from penult.errors import (
    ClusterError,
    ImageError,
    OutputError,
    OutputExistsError,
    RecipeMismatchError,
    ResumeError,
    SourceError,
    UsageError,
    WrongFileError,
)
from penult.features.parts.store import PartsStore
from penult.features.parts.write import write_part

PART = 40  # images: 40, 40 and 16


@pytest.fixture
def rows(light, tiles, tmp_path):
    """Extract the 96 tiles into `photos.rows`; options on top."""

    def extract(output=None, **options):
        options = {**light, "part_images": PART, **options}
        return penult.extract(tiles, output or tmp_path / "photos.rows", **options)

    return extract


@pytest.fixture
def plan(tiles, tmp_path):
    """What `rows` would do; options on top."""

    def planned(**options):
        options = {"model": "light:mean-colour", "part_images": PART, **options}
        return penult.plan(tiles, tmp_path / "photos.rows", **options)

    return planned


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def stopped_after(parts, monkeypatch, rows):
    """A run that is killed, as it were, when it has written some parts."""

    def writing(*args):
        if not left:
            raise KeyboardInterrupt
        left.pop()
        return write_part(*args)

    left = [None] * parts
    with monkeypatch.context() as patch:
        patch.setattr("penult.distributed.rows_folder.write_part", writing)
        with pytest.raises(KeyboardInterrupt):
            rows()


def test_its_rows_ids_labels_and_failures_are_those_of_one_file(rows, light, tiles, tmp_path):
    one = penult.extract(tiles, tmp_path / "one.h5", **light)

    found = rows()

    np.testing.assert_array_equal(found.features[:], one.features[:])
    assert list(found.ids) == list(one.ids)
    assert found.labels.tolist() == one.labels.tolist()
    assert found.failures == one.failures
    run = names(tmp_path / "photos.rows")[1].split("-")[1]
    parts = [f"rows-{run}-0000{k}.h5" for k in (1, 2, 3)]
    assert names(tmp_path / "photos.rows") == ["manifest.json", *parts]


def test_an_interrupted_run_goes_on_and_its_parts_are_the_same_to_the_byte(
    rows, tmp_path, monkeypatch
):
    stopped_after(2, monkeypatch, rows)
    with pytest.raises(penult.FeatureFileError, match="is not finished: 2 parts done"):
        penult.load(tmp_path / "photos.rows")
    before = {path.name: path.read_bytes() for path in (tmp_path / "photos.rows").glob("rows-*.h5")}
    told = []

    rows(progress=told.append)

    assert next(now for now in told if now.stage == "extract").kept == 2 * PART
    after = {path.name: path.read_bytes() for path in (tmp_path / "photos.rows").glob("rows-*.h5")}
    assert {name: after[name] for name in before} == before
    assert len(after) == 3


def test_a_plan_says_what_is_done_of_an_unfinished_run(plan, rows, monkeypatch):
    stopped_after(2, monkeypatch, rows)

    found = plan()

    left = found.unfinished
    assert left.line == "80 of 96 images are done, in 2 parts: an extraction goes on from there"
    assert (found.parts, found.part_images, found.part_format) == (3, PART, "h5")
    assert plan(restart=True, part_images=50).unfinished is None
    rows()
    assert plan(update=True).unfinished is None


@pytest.mark.parametrize(
    "options",
    [{"part_images": 50}, {"part_format": "parquet"}, {"dtype": "float16"}, {"shuffle": 3}],
)
def test_a_plan_refuses_to_go_on_with_another_run_as_the_run_does(plan, rows, monkeypatch, options):
    stopped_after(1, monkeypatch, rows)

    with pytest.raises(RecipeMismatchError) as planned:
        plan(**options)
    with pytest.raises(RecipeMismatchError) as run:
        rows(**options)
    assert str(planned.value) == str(run.value)


def test_a_plan_goes_on_with_a_shuffled_run_with_views(plan, rows, monkeypatch):
    options = {"shuffle": 3, "augment": 1}
    stopped_after(1, monkeypatch, partial(rows, **options))
    assert plan(**options).unfinished.line.startswith("40 of 192 images are done, in 1 part:")


def test_a_plan_refuses_a_run_over_other_images_and_a_broken_folder_as_the_run_does(
    plan, rows, tmp_path, monkeypatch
):
    stopped_after(1, monkeypatch, rows)
    (tmp_path / "tiles/0/000.png").unlink()
    said = []
    for call in (plan, rows):
        with pytest.raises(ResumeError, match="over other images") as caught:
            call()
        said.append(str(caught.value))
    (tmp_path / "photos.rows/run.json").unlink()
    for call in (plan, rows):
        with pytest.raises(penult.FeatureFileError, match="has parts, and neither") as caught:
            call()
        said.append(str(caught.value))
    assert said[1::2] == said[::2]


def test_another_run_that_is_unfinished_is_not_gone_on_with(rows, tmp_path, monkeypatch):
    stopped_after(1, monkeypatch, rows)

    with pytest.raises(RecipeMismatchError, match="part_images: 40 then, 50 now"):
        rows(part_images=50)
    (tmp_path / "tiles/0/000.png").unlink()
    with pytest.raises(ResumeError, match=r"over other images, .* restart=True"):
        rows()

    assert len(rows(restart=True)) == 94
    assert len(names(tmp_path / "photos.rows")) == 4


def test_an_update_computes_what_is_new_and_is_what_a_new_run_would_be(
    rows, tiles, tmp_path, monkeypatch
):
    rows()
    (tiles / "0/000.png").unlink()
    shutil.copy(tiles / "0/003.png", tiles / "2/200.png")
    (tiles / "1/001.png").write_bytes((tiles / "1/004.png").read_bytes())
    told = []

    found = rows(update=True, progress=told.append)
    anew = rows(tmp_path / "anew.rows")

    assert (found.changes.added, found.changes.removed) == (("2/200.png",), ("0/000.png",))
    assert told[-1].kept == 95, "of 96, one is no image; copies have the row of their bytes"
    np.testing.assert_array_equal(found.features[:], anew.features[:])
    assert names(tmp_path / "photos.rows") == names(tmp_path / "anew.rows")
    assert rows(update=True).changes.added == ()


@pytest.mark.parametrize(("given", "parts"), [({}, 5), ({"part_images": 48}, 3)])
def test_an_update_keeps_the_size_of_parts_unless_it_is_given(light, tiles, tmp_path, given, parts):
    def extract(**options):
        return penult.extract(tiles, tmp_path / "photos.rows", **light, **options)

    extract(part_images=24)
    shutil.copy(tiles / "0/003.png", tiles / "2/200.png")
    extract(update=True, **given)

    found = penult.info(tmp_path / "photos.rows")
    assert (found.parts, found.part_images) == (parts, given.get("part_images", 24))


@pytest.mark.needs("pyarrow")
def test_an_update_keeps_the_format_of_parts(light, tiles, tmp_path):
    extract = partial(penult.extract, tiles, tmp_path / "photos.rows", **light)
    extract(part_format="parquet")
    (tiles / "0/000.png").unlink()
    extract(update=True)
    assert penult.info(tmp_path / "photos.rows").part_format == "parquet"


def test_parts_of_no_images_are_refused(rows, tmp_path):
    with pytest.raises(UsageError, match="part_images of 0 was given; it must be 1 or more"):
        rows(part_images=0)
    assert not (tmp_path / "photos.rows").exists()


def test_a_finished_folder_is_replaced_only_when_asked(rows, tmp_path):
    rows()
    before = names(tmp_path / "photos.rows")

    with pytest.raises(
        OutputExistsError,
        match="overwrite=True to replace it, update=True to bring it up to date, or another name",
    ):
        rows()
    assert names(tmp_path / "photos.rows") == before
    assert len(rows(overwrite=True)) == 95
    assert not {*names(tmp_path / "photos.rows")} & {*before} - {"manifest.json"}


def test_a_folder_of_something_else_is_left_alone(rows, tmp_path):
    (tmp_path / "photos.rows").mkdir()
    (tmp_path / "photos.rows/letters.txt").write_text("dear")

    with pytest.raises(WrongFileError, match="letters"):
        rows()
    assert names(tmp_path / "photos.rows") == ["letters.txt"]


def test_augmented_views_are_in_the_part_of_their_photo(rows, light, tiles, tmp_path):
    one = penult.extract(tiles, **light, augment=2)

    found = rows(augment=2)

    np.testing.assert_array_equal(found.augmented.features[:], one.augmented.features[:])
    assert found.augmented.of.tolist() == one.augmented.of.tolist()
    assert len(list((tmp_path / "photos.rows").glob("rows-*"))) == 3


def test_the_first_bad_image_ends_a_run_that_is_to_fail_and_what_was_done_stays(rows, tiles):
    with pytest.raises(ImageError, match=r"2/050.png: .*; 80 of 96 images are safe in"):
        rows(on_error="fail")


def test_where_no_image_has_a_row_nothing_is_left(rows, tiles, tmp_path):
    for path in tiles.rglob("*.png"):
        path.write_bytes(b"no image")

    with pytest.raises(SourceError, match=r"none of 96 images gave a row; the first, 0/000.png"):
        rows()
    assert not (tmp_path / "photos.rows").exists()


def test_options_of_parts_are_for_a_folder_of_rows(rows, tmp_path):
    with pytest.raises(UsageError, match=r"part_images=40 is for a folder of rows; .*one.rows"):
        rows(tmp_path / "one.h5")


class Faulty(PartsStore):
    """A store that fails some writes."""

    writes = 0
    fails = staticmethod(lambda number: number % 20 == 0)

    def put(self, name, path):
        Faulty.writes += 1
        if Faulty.fails(Faulty.writes):
            raise OutputError(f"{name} cannot be written (a fault)")
        super().put(name, path)


@pytest.fixture
def faulty(monkeypatch):
    monkeypatch.setattr("penult.distributed.target.PartsStore", Faulty)
    monkeypatch.setattr("penult.distributed.worker._PAUSE", 0.0)
    monkeypatch.setattr(Faulty, "writes", 0)
    return Faulty


def test_a_store_that_fails_one_write_in_twenty_is_asked_again(rows, faulty, tmp_path):
    found = rows(part_images=4)

    assert faulty.writes > 2 * 24 + 2, "some were written again"
    assert len(found) == 95


def test_a_store_that_fails_every_write_of_a_part_ends_the_run_and_names_the_part(
    rows, faulty, monkeypatch
):
    monkeypatch.setattr(faulty, "fails", staticmethod(lambda number: number > 3))

    with pytest.raises(OutputError, match=r"part 2 cannot be written, tried 6 times: .* 40 of 96"):
        rows()


def test_a_part_that_vanishes_while_the_run_goes_on_is_missed(rows, tmp_path):
    def lose(now):
        for path in (tmp_path / "photos.rows").glob("rows-*-00001.h5"):
            path.unlink()

    with pytest.raises(OutputError, match="1 part of 3, the first 1; the same call makes"):
        rows(progress=lose)
    assert len(rows()) == 95


def test_a_folder_that_is_moved_while_the_run_goes_on_ends_it_and_is_gone_on_with_when_it_is_back(
    rows, tmp_path
):
    def move(now):
        if now.stage == "extract" and now.done > PART and (tmp_path / "photos.rows").exists():
            (tmp_path / "photos.rows").rename(tmp_path / "elsewhere")

    with pytest.raises(OutputError, match=r"photos\.rows vanished during the run, and") as caught:
        rows(progress=move)
    assert "safe" not in str(caught.value)

    (tmp_path / "elsewhere").rename(tmp_path / "photos.rows")
    told = []
    rows(progress=told.append)
    assert next(now for now in told if now.stage == "extract").kept == PART


def test_two_drivers_do_not_write_one_folder(rows, tmp_path):
    def again(now):
        if now.stage == "extract":
            with pytest.raises(OutputExistsError, match="is being written by another run, process"):
                rows(progress=False)
            tried.append(True)

    tried = []
    rows(progress=again)
    assert tried


@pytest.fixture
def address(monkeypatch):
    fsspec.filesystem("memory").store.clear()
    monkeypatch.setattr(turn, "_SETTLES", 0.0)
    return "memory://bucket/photos.rows"


def test_at_an_address_it_is_the_same(rows, address, tmp_path):
    local, found = rows(), rows(address)

    np.testing.assert_array_equal(found.features[:], local.features[:])
    there = PartsStore.at(address)
    assert there.names() == names(tmp_path / "photos.rows")


@pytest.mark.needs("ray", "pyarrow")
def test_the_memory_of_this_process_is_no_place_for_workers(rows, address):
    with pytest.raises(UsageError, match=r"photos\.rows'? lies in the memory of this process"):
        rows(address, ray="local")


def test_at_an_address_a_note_keeps_two_drivers_apart(rows, address):
    there = PartsStore.at(address)
    rows(address)
    note = {"token": "0", "host": "node7", "process": 17, "time": 4e9}
    there.put_bytes(turn.NOTE, json.dumps(note).encode())

    with pytest.raises(OutputExistsError, match="another run, process 17 on node7; wait"):
        rows(address, overwrite=True)

    there.put_bytes(turn.NOTE, json.dumps({**note, "time": 0}).encode())  # long dead
    assert len(rows(address, overwrite=True)) == 95
    assert turn.NOTE not in there.names()


def test_at_an_address_a_driver_that_was_taken_for_dead_stops(rows, address, monkeypatch):
    there = PartsStore.at(address)
    monkeypatch.setattr(turn, "_EVERY", 0.0)

    def take_over(now):
        if now.stage != "extract":
            return
        note = {"token": "0", "host": "node7", "process": 17, "time": 4e9}
        there.put_bytes(turn.NOTE, json.dumps(note).encode())

    with pytest.raises(OutputError, match="process 17 on node7 has taken over"):
        rows(address, progress=take_over)
    assert turn.NOTE in there.names(), "it is the other's"


def test_what_is_refused_leaves_a_finished_folder_as_it_was(rows, tmp_path):
    rows()
    before = names(tmp_path / "photos.rows")

    with pytest.raises(UsageError, match="Parquet parts cannot hold rows of augmented views"):
        rows(part_format="parquet", augment=1, overwrite=True)

    assert names(tmp_path / "photos.rows") == before


@pytest.mark.parametrize("number", [0, -1, 10**15])
def test_a_number_of_images_that_no_part_can_have_is_refused_before_anything_is_made(
    rows, tmp_path, number
):
    with pytest.raises(UsageError, match=r"part_images of -?\d+ was given; it must be 1 or more"):
        rows(part_images=number)
    assert not (tmp_path / "photos.rows").exists()


def test_parts_that_have_lost_their_manifest_are_not_removed_unless_that_is_asked_for(
    rows, tiles, tmp_path
):
    rows()
    (tmp_path / "photos.rows/manifest.json").unlink()
    (tiles / "0/000.png").unlink()
    before = names(tmp_path / "photos.rows")

    with pytest.raises(penult.FeatureFileError, match=r"neither the manifest.json .*overwrite"):
        penult.load(tmp_path / "photos.rows")
    with pytest.raises(penult.FeatureFileError, match="put back what is missing"):
        rows()
    assert names(tmp_path / "photos.rows") == before
    assert len(rows(overwrite=True)) == 94


def test_a_disk_too_full_for_the_lock_is_called_full_and_what_was_there_stays(
    rows, tmp_path, monkeypatch
):
    rows()

    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(turn, "RunLock", full)
    with pytest.raises(OutputError, match=r"photos.rows cannot be written: the disk is full"):
        rows(overwrite=True)
    assert len(penult.load(tmp_path / "photos.rows")) == 95


def test_a_file_and_a_dangling_link_of_that_name_are_called_so(rows, tmp_path):
    (tmp_path / "file.rows").write_text("mine")
    (tmp_path / "link.rows").symlink_to(tmp_path / "gone")

    with pytest.raises(OutputExistsError, match=r"file\.rows is a file; a folder of rows needs"):
        rows(tmp_path / "file.rows", overwrite=True)
    with pytest.raises(penult.PathNotFoundError, match=r"is a link to .*gone, which does not"):
        rows(tmp_path / "link.rows")
    assert (tmp_path / "file.rows").read_text() == "mine"


def stopped_before_it_is_tidy(monkeypatch, run):
    """A run that is killed, as it were, when its manifest is written and its record still there."""
    remove = PartsStore.remove

    def stop(store, name):
        if name == "run.json":
            raise KeyboardInterrupt
        remove(store, name)

    with monkeypatch.context() as patch:
        patch.setattr(PartsStore, "remove", stop)
        with pytest.raises(KeyboardInterrupt):
            run()


def test_a_run_that_was_killed_when_all_was_done_is_tidied_up_and_not_made_again(
    rows, tmp_path, monkeypatch
):
    stopped_before_it_is_tidy(monkeypatch, rows)
    before = names(tmp_path / "photos.rows")
    assert "run.json" in before

    told = []
    assert len(rows(progress=told.append)) == 95

    assert names(tmp_path / "photos.rows") == [name for name in before if name != "run.json"]
    assert "extract" not in {now.stage for now in told}

    stopped_before_it_is_tidy(monkeypatch, partial(rows, overwrite=True))
    assert len(rows(restart=True, overwrite=True)) == 95
    assert "run.json" not in names(tmp_path / "photos.rows")


def test_a_run_that_was_killed_before_its_manifest_computes_nothing_more(
    rows, tmp_path, monkeypatch
):
    def stop(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("penult.distributed.rows_run.PartsManifest.write", stop)
        with pytest.raises(KeyboardInterrupt):
            rows()
    told = []

    assert len(rows(progress=told.append)) == 95

    extracting = [now for now in told if now.stage == "extract"]
    assert [(now.done, now.failed, now.kept) for now in extracting] == [(96, 1, 96)]


def test_a_folder_that_an_unfinished_run_is_to_replace_is_replaced_only_when_asked_again(
    rows, tmp_path, monkeypatch
):
    rows()
    stopped_after(1, monkeypatch, partial(rows, overwrite=True, part_images=50))

    with pytest.raises(OutputExistsError, match="overwrite=True to replace it"):
        rows()
    assert len(penult.load(tmp_path / "photos.rows")) == 95
    assert len(rows(overwrite=True, part_images=50)) == 95


def test_an_update_to_what_is_gone_again_leaves_the_folder_as_it_was(
    rows, tiles, tmp_path, monkeypatch
):
    rows()
    before = names(tmp_path / "photos.rows")
    shutil.copy(tiles / "0/003.png", tiles / "2/200.png")
    stopped_after(1, monkeypatch, partial(rows, update=True))
    assert "run.json" in names(tmp_path / "photos.rows")
    (tiles / "2/200.png").unlink()

    found = rows(update=True)

    assert (found.changes.added, found.changes.removed) == ((), ())
    assert names(tmp_path / "photos.rows") == before


def test_a_run_that_fails_before_its_first_part_says_of_none_that_it_is_safe(
    rows, faulty, monkeypatch, tmp_path
):
    monkeypatch.setattr(faulty, "fails", staticmethod(lambda number: number > 1))

    with pytest.raises(OutputError, match=r"^part 1 cannot be written, tried 6 times: ") as caught:
        rows()
    assert "safe" not in str(caught.value)
    assert not (tmp_path / "photos.rows").exists()


def test_a_part_that_its_worker_found_there_is_not_computed_again(rows, tmp_path, monkeypatch):
    stopped_after(1, monkeypatch, rows)
    store = PartsStore.at(tmp_path / "photos.rows")
    header = SimpleNamespace(run=RunRecord.read(store).run, part_images=PART, format="h5")
    folder = RowsFolder(store, header, "", None)

    assert folder.find(1, []).images == PART
    assert folder.find(2, []) is None
    [entry] = (tmp_path / "photos.rows").glob("rows-*-00001.json")
    [part] = (tmp_path / "photos.rows").glob("rows-*-00001.h5")
    part.write_bytes(part.read_bytes()[:-1])
    assert folder.find(1, []) is None, "it is not whole"
    entry.write_text("{")
    assert folder.find(1, []) is None


def test_a_worker_writes_into_no_folder_but_that_of_its_run(rows, tmp_path, monkeypatch):
    stopped_after(1, monkeypatch, rows)
    store = PartsStore.at(tmp_path / "photos.rows")
    token = RunRecord.read(store).token

    RowsFolder(store, None, token).require()
    with pytest.raises(ClusterError, match="is another one there, or another run's by now"):
        RowsFolder(store, None, "0").require()
    store.remove("run.json")
    with pytest.raises(ClusterError, match=r"photos\.rows has no run\.json there; it has to be a"):
        RowsFolder(store, None, token).require()


def test_the_record_of_a_newer_penult_is_refused_and_one_that_is_no_record_counts_for_nothing(
    rows, tmp_path, monkeypatch
):
    stopped_after(1, monkeypatch, rows)
    store = PartsStore.at(tmp_path / "photos.rows")
    record = json.loads(store.read("run.json"))

    def write(**changes):
        store.put_bytes("run.json", json.dumps({**record, **changes}).encode())

    write(format=2, penult="9.1")
    with pytest.raises(ResumeError, match=r"of penult 9\.1, a newer one; finish it with that, or"):
        rows()
    write(options={**record["options"], "part_images": "many"})
    assert RunRecord.read(store).entries(store) == {}
    write(format="two")
    assert RunRecord.read(store) is None
    write(names=[])
    assert RunRecord.read(store) is None


def test_where_there_is_no_folder_for_the_rows_that_folder_is_named(rows, tmp_path):
    with pytest.raises(penult.PathNotFoundError, match=r"there is no folder .*/gone$"):
        rows(tmp_path / "gone/photos.rows")


def test_an_update_of_nothing_is_refused(light, tiles):
    with pytest.raises(UsageError, match="an update needs an output to bring up to date"):
        penult.extract(tiles, **light, update=True)


def test_at_an_address_a_driver_that_was_killed_on_this_machine_is_gone_at_once(rows, address):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    note = {"token": "0", "host": socket.gethostname(), "process": ended.pid, "time": 4e9}
    PartsStore.at(address).put_bytes(turn.NOTE, json.dumps(note).encode())

    assert len(rows(address)) == 95


def test_at_an_address_one_of_two_drivers_that_begin_at_once_gives_way(rows, address, monkeypatch):
    there = PartsStore.at(address)

    def begin(_seconds):
        note = {"token": "0", "host": "node7", "process": 17, "time": 4e9}
        there.put_bytes(turn.NOTE, json.dumps(note).encode())

    monkeypatch.setattr(
        turn, "time", SimpleNamespace(sleep=begin, time=time.time, monotonic=time.monotonic)
    )
    with pytest.raises(OutputExistsError, match="another run, process 17 on node7"):
        rows(address)
    assert there.names() == [turn.NOTE], "it is the other's"


def test_at_an_address_a_driver_dates_its_note_again_and_again(rows, address, monkeypatch):
    there, dates = PartsStore.at(address), set()
    monkeypatch.setattr(turn, "_EVERY", 0.0)

    def look(now):
        if now.stage == "extract":
            dates.add(json.loads(there.read(turn.NOTE))["time"])

    rows(address, progress=look)

    assert len(dates) > 1
