"""The driver of a run on a cluster into one file, whose workers are here in this process."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from feature_files import without_time

import penult
from penult.distributed import run
from penult.distributed.worker import PartWorker, WorkerJob
from penult.errors import ClusterError, ImageError, OutputError


@pytest.fixture
def on_cluster(light, tiles, tmp_path, monkeypatch):
    """Extract the 96 tiles into `two.h5`, in six tasks; `change` is done to each result."""
    change = {"to": lambda result: result}

    @contextmanager
    def connected(_options, *, shared_bytes):
        yield SimpleNamespace(workers=(2, 2))

    def results(_connection, _options, job, tasks, records, to_do, known):
        worker = PartWorker(job, records, to_do, known)
        for task in tasks:
            yield change["to"](worker(task))

    monkeypatch.setattr(WorkerJob, "set_up", lambda self: None)
    monkeypatch.setattr("penult.distributed.target.require_ray", lambda: None)
    monkeypatch.setattr(run, "connected", connected)
    monkeypatch.setattr(run, "results", results)

    def extract(to=lambda result: result, **options):
        change["to"] = to
        return penult.extract(tiles, tmp_path / "two.h5", **light, ray=True, **options)

    return extract


def stopped_after(parts, on_cluster, **options):
    """A run that is killed, as it were, after some parts."""

    def count(result):
        if result.task.number > parts:
            raise KeyboardInterrupt
        return result

    with pytest.raises(KeyboardInterrupt):
        on_cluster(count, **options)


def test_a_run_that_was_stopped_goes_on_and_gives_the_file_of_one_machine(
    on_cluster, light, tiles, tmp_path
):
    penult.extract(tiles, tmp_path / "one.h5", **light)
    stopped_after(2, on_cluster)
    told = []

    on_cluster(progress=told.append)

    assert without_time(tmp_path / "two.h5") == without_time(tmp_path / "one.h5")
    kept = next(now for now in told if now.stage == "extract").kept
    assert kept == 48, "the third part was there already, though nobody had been told"


def test_an_update_takes_the_rows_that_are_known_by_their_bytes(on_cluster, tiles):
    before = on_cluster()
    shutil.copy(tiles / "0/003.png", tiles / "2/200.png")
    told = []

    after = on_cluster(update=True, progress=told.append)

    assert after.changes.added == ("2/200.png",)
    ids = [*after.ids]
    np.testing.assert_array_equal(
        after.features[ids.index("2/200.png")], before.features[ids.index("0/003.png")]
    )
    assert on_cluster(update=True).changes.added == ()


def test_a_run_of_which_no_image_is_left_asks_no_cluster(on_cluster, monkeypatch):
    def stop(*_args, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("penult.runs._place", stop)
        with pytest.raises(KeyboardInterrupt):
            on_cluster()
    monkeypatch.setattr(run, "connected", lambda *_args, **_options: pytest.fail("it is asked"))
    told = []

    assert len(on_cluster(progress=told.append)) == 95
    extracting = [now for now in told if now.stage == "extract"]
    assert [(now.done, now.failed, now.kept) for now in extracting] == [(96, 1, 96)]


def test_a_run_that_is_to_fail_does_so_at_once_where_an_image_was_unreadable_before(
    on_cluster, monkeypatch
):
    stopped_after(5, on_cluster)
    monkeypatch.setattr(run, "connected", lambda *_args, **_options: pytest.fail("it is asked"))
    with pytest.raises(ImageError, match=r"^2/050\.png: .*; 96 of 96 images are safe in "):
        on_cluster(on_error="fail")


def test_a_disk_without_room_for_the_file_ends_the_run_when_that_is_known(on_cluster, monkeypatch):
    """The first part says how large a row is."""

    class NoRoom:
        def require(self, images):
            raise OutputError(f"no room for {images}")

    monkeypatch.setattr("penult.runs.Job.room", lambda *_args: NoRoom())
    with pytest.raises(OutputError, match=r"^no room for 96; 16 of 96 images are safe in "):
        on_cluster()
    with pytest.raises(OutputError, match=r"^no room for 80; 16 of 96 images are safe in "):
        on_cluster()


def test_a_part_that_lacks_images_is_missed(on_cluster):
    with pytest.raises(ClusterError, match=r"^part 1, of .*, lacks some of its images"):
        on_cluster(lambda result: replace(result, entry=None))
