"""A worker by itself: its part, its patience, and what it says of a machine that is not as it should be."""

from __future__ import annotations

import logging
import pickle
import socket
import sys
import tarfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from toys import LightMeanColour

from penult.backbones.registry import registered
from penult.backbones.weights.choice import WeightsChoice
from penult.distributed.cluster import _actor_class, _explained, _result
from penult.distributed.destination import SharedFolder
from penult.distributed.following import Tally, follow
from penult.distributed.known import KnownContent
from penult.distributed.result import Note, Result
from penult.distributed.tasks import Task, divided, task_size
from penult.distributed.worker import PartWorker, WorkerJob
from penult.engines.registry import ENGINES
from penult.errors import ClusterError, ImageError, OutputError, PenultError, SourceError
from penult.extraction import Extraction
from penult.extractor import EngineOptions, ExtractorSpec, ModelRows, ReadingOptions
from penult.features.resume.lock import RunLock, owner_of
from penult.features.resume.store import PartStore
from penult.interface import option
from penult.machine import cores

HERE = f"on {socket.gethostname()}: "


@pytest.fixture
def job(light, tiles):
    """What an extraction of the tiles decides."""
    spec = ExtractorSpec(
        rows=ModelRows(models=("light:mean-colour",)), engine=EngineOptions(engine="means")
    )
    return Extraction(extractor=spec)._job(str(tiles), (), lambda _now: None)


@pytest.fixture
def folder(tmp_path):
    """The locked folder of an unfinished file."""
    lock = RunLock(tmp_path / "rows.h5.parts", tmp_path / "rows.h5")
    yield SharedFolder(tmp_path / "rows.h5.parts", owner_of(tmp_path / "rows.h5.parts"))
    lock.release(remove=True)


@pytest.fixture
def work(job, folder, monkeypatch, tmp_path):
    """A worker; options are other fields of its `WorkerJob`."""
    monkeypatch.setattr(WorkerJob, "set_up", lambda self: None)
    monkeypatch.setattr("penult.distributed.worker._PAUSE", 0.0)

    def worker(known=None, **fields):
        own = replace(WorkerJob.of(job, job.extractor.spec, folder, cores=1), **fields)
        to_do = np.arange(len(job.records))
        return PartWorker(own, job.records, to_do, known or KnownContent.none())

    return worker


def given(*results):
    """An executor's results."""
    yield from results


def test_tasks_are_consecutive_and_cover_everything_once():
    tasks = divided(10, 4, number=7)

    assert tasks == [Task(7, 0, 4), Task(8, 4, 4), Task(9, 8, 2)]
    assert task_size(96, 2) == 16, "few images: the smallest"
    assert task_size(10_000, 4) == 313, "eight tasks a worker"
    assert task_size(1_000_000, 4) == 512
    assert task_size(1_000_000_000, 4) == 10_000, "no more tasks than have numbers"


def test_a_part_has_the_outcomes_of_its_images_and_is_found_again(work, folder):
    worker = work()

    result = worker(Task(6, 78, 18))

    assert (result.error, result.failed, result.node) == (None, 1, socket.gethostname())
    outcomes = result.entry.outcomes()
    assert outcomes.positions.tolist() == [*range(78, 96)]
    assert [why for why in outcomes.reasons if why] == [outcomes.reasons[2]]
    assert len(result.entry.take(np.arange(17))[0]) == 17
    worker._opened = lambda: pytest.fail("it is computed again")
    assert worker(Task(6, 78, 18)).entry.path == result.entry.path
    assert len([*folder.folder.glob("*.safetensors")]) == 1


def test_images_whose_rows_are_known_are_only_read(work):
    first = work()(Task(1, 0, 16)).entry
    known = KnownContent.of(first.content[:10])

    result = work(known)(Task(2, 0, 16))

    assert sorted(result.again.tolist()) == [*range(10)]
    assert result.entry.outcomes().positions.tolist() == [*range(10, 16)]


def test_warnings_are_taken_down_once(work, monkeypatch):
    def put(self, number, records, outcomes):
        for _ in range(3):
            logging.getLogger("penult").warning("the disk is slow")

    monkeypatch.setattr(SharedFolder, "put", put)

    notes = work()(Task(1, 0, 16)).notes

    assert [note.message for note in notes] == ["the disk is slow"]


def test_a_write_is_tried_again_but_not_for_ever(work, monkeypatch):
    tried = []

    def put(self, number, records, outcomes):
        tried.append(number)
        if len(tried) != 3:
            raise OSError(5, "Input/output error")
        return "there"

    monkeypatch.setattr(SharedFolder, "put", put)

    assert work()(Task(1, 0, 16)).entry == "there"
    error = work()(Task(9, 0, 16)).error
    assert isinstance(error, OutputError)
    assert str(error) == f"{HERE}part 9 cannot be written, tried 6 times: Input/output error"


def test_a_folder_that_is_not_shared_is_not_written(work, folder, tmp_path):
    elsewhere = SharedFolder(tmp_path / "missing", folder.owner)
    error = work(destination=elsewhere)(Task(1, 0, 16)).error
    assert str(error).startswith(f"{HERE}the folder {tmp_path}/missing is not there; it has to be")

    others = SharedFolder(folder.folder, "process 1 on another")
    error = work(destination=others)(Task(1, 0, 16)).error
    assert "is another one, or another run's by now" in str(error)
    assert not [*folder.folder.glob("*.safetensors")]


def test_weights_that_a_machine_lacks_are_named_with_it(work, job):
    spec = ExtractorSpec(
        rows=ModelRows(models=("checkpoint:/nowhere/net.pt",)), weights=WeightsChoice()
    )

    error = work(spec=spec)(Task(1, 0, 16)).error

    assert isinstance(error, PenultError)
    assert str(error).startswith(HERE)
    assert "/nowhere/net.pt" in str(error)


def test_another_network_than_the_drivers_is_refused(work, job):
    [recipe] = job.extractor.recipes
    other = replace(recipe, weights_sha256="17" * 32)

    error = work(recipes=(other,))(Task(1, 0, 16)).error

    assert str(error).startswith(HERE)
    assert "the network there" in str(error)


def test_a_fault_is_one_line_that_names_machine_and_part(work, monkeypatch):
    def fail(self, *_):
        raise RuntimeError("no\nsuch thing")

    monkeypatch.setattr(SharedFolder, "put", fail)
    assert str(work()(Task(3, 0, 16)).error) == f"{HERE}part 3: RuntimeError: no"

    def burst(self, *_):
        raise MemoryError

    monkeypatch.setattr(SharedFolder, "put", burst)
    assert str(work()(Task(3, 0, 16)).error) == f"{HERE}part 3: out of memory"


def test_a_machine_that_does_not_see_the_images_is_told_from_images_that_are_gone(work, job, tiles):
    (tiles / "1/001.png").unlink()
    task = Task(1, 32, 16)

    result = work()(task)
    assert job.records[result.unopened].id == "1/001.png"
    tally, entered = Tally(0, 0, 0), []
    follow(given(result), [task], job, tally, enter=entered.append, beat=lambda: None)
    assert entered == [result], "it is gone here, too"

    (tiles / "1/001.png").write_bytes(b"it is here")
    with pytest.raises(SourceError, match=f"{socket.gethostname()} cannot open .*1/001.png"):
        follow(given(result), [task], job, tally, enter=entered.append, beat=lambda: None)


def test_the_first_bad_image_is_told_whichever_worker_finds_one_first(job):
    tasks = [Task(k, 0, 1) for k in (1, 2, 3)]
    bad = [Result(task, "n", error=ImageError(f"image {task.number}")) for task in tasks]
    good = Result(tasks[0], "n")
    tally, entered = Tally(0, 0, 0), []

    def run(*results):
        follow(given(*results), tasks, job, tally, enter=entered.append, beat=lambda: None)

    with pytest.raises(ImageError, match="image 2"):
        run(bad[2], None, bad[1], good)
    assert entered == [good], "it was waited for"
    with pytest.raises(ImageError, match="image 1"):
        run(bad[0], good)


def test_a_run_whose_parts_do_not_all_come_fails(job):
    tasks = [Task(k, 0, 1) for k in range(1, 7)]

    with pytest.raises(ClusterError, match=r"5 parts of 6 did not come: 2, 3, 4, …"):
        follow(
            given(*[Result(tasks[0], "n")] * 2),
            tasks,
            job,
            Tally(0, 0, 0),
            enter=lambda _result: None,
            beat=lambda: None,
        )


def test_a_machine_with_another_penult_is_named():
    batch = {"number": [1], "first": [0], "count": [1]}

    [answer] = _actor_class("0.0.7")(None, None, [], ("run", 7))(batch)["result"]

    with pytest.raises(ClusterError, match=rf"{socket.gethostname()} .* it has penult .*0\.0\.7"):
        _result(answer)
    assert isinstance(_result(pickle.dumps(Result(Task(1, 0, 1), "n"))), Result)


@pytest.mark.skipif(find_spec("ray") is None, reason="needs Ray")
def test_what_has_happened_to_workers_is_one_line():
    import ray

    out = _explained(ray.exceptions.OutOfMemoryError("Task was killed due to the node running low"))
    assert "ran out of memory; give ray_workers=N" in str(out)
    died = _explained(ray.exceptions.ActorDiedError())
    assert "could not be reached again and again" in str(died)
    assert "\n" not in f"{out}{died}"


def test_what_is_left_of_a_run_that_was_taken_for_dead_counts_once(job, tmp_path, light):
    output = tmp_path / "rows.h5"
    store = PartStore(output)
    store.begin(job.recipes, job.options, job.records)
    folder = SharedFolder(store.folder, owner_of(store.folder))
    worker = PartWorker(
        WorkerJob.of(job, job.extractor.spec, folder, cores=1),
        job.records,
        np.arange(len(job.records)),
        KnownContent.none(),
        extractor=job.extractor,
    )
    worker(Task(1, 0, 16))
    worker(Task(2, 8, 16))
    store.close()

    store = PartStore(output)
    ledger = store.begin(job.recipes, job.options, job.records)

    assert ledger.done == 16
    assert [path.name[:6] for path in Path(store.folder).glob("*.safetensors")] == ["000001"]
    store.close()


def test_a_note_of_several_workers_is_said_once_and_an_error_ends_the_run_at_once(job, caplog):
    tasks = [Task(k, 0, 1) for k in (1, 2, 3)]
    slow = (Note("penult", logging.WARNING, "the disk is slow"),)
    results = [Result(task, "n", notes=slow) for task in tasks]
    results[1] = replace(results[1], error=OutputError("the disk is full"))
    entered = []

    with pytest.raises(OutputError, match=r"^the disk is full$"):
        follow(
            given(*results),
            tasks,
            job,
            Tally(0, 0, 0),
            enter=entered.append,
            beat=lambda: None,
        )

    assert caplog.messages == ["the disk is slow"]
    assert entered == results[:1]


def test_an_image_that_is_to_end_the_run_is_told_as_on_one_machine(work, job):
    spec = replace(job.extractor.spec, reading=ReadingOptions(on_error="fail"))
    error = work(spec=spec)(Task(6, 78, 18)).error
    assert isinstance(error, ImageError)
    assert str(error).startswith("2/050.png: ")


def test_a_worker_names_options_as_the_command_line_of_its_driver_does(work, monkeypatch):
    def put(self, number, records, outcomes):
        raise OutputError(f"give {option('restart', True)}")

    monkeypatch.setattr(SharedFolder, "put", put)
    told = {here: str(work(at_command_line=here)(Task(9, 0, 16)).error) for here in (True, False)}
    assert told[True].endswith("give --restart")
    assert told[False].endswith("give restart=True")


def test_a_worker_has_the_sources_and_engines_of_its_driver_in_place_of_its_own(
    job, folder, tmp_path, monkeypatch, light
):
    monkeypatch.setattr("penult.machine._share", [])
    monkeypatch.chdir(tmp_path)
    theirs = pickle.loads(pickle.dumps(LightMeanColour()))
    engine = replace(ENGINES["means"])
    own = WorkerJob.of(job, job.extractor.spec, folder, cores=1)
    monkeypatch.chdir("/")

    replace(own, sources=(theirs,), engines=(engine,)).set_up()

    assert Path.cwd() == tmp_path
    assert cores() == 1
    assert [source for source in registered() if source.prefix == "light"] == [theirs]
    assert ENGINES["means"] is engine


def test_a_machine_without_penult_is_named(monkeypatch):
    batch = {"number": [1], "first": [0], "count": [1]}
    actor = _actor_class("0.0.7")(None, None, [], ("run", 7))
    monkeypatch.setitem(sys.modules, "penult", None)

    [answer] = actor(batch)["result"]

    monkeypatch.undo()
    with pytest.raises(ClusterError, match=r"run: penult is not installed there \(.*; install the"):
        _result(answer)


def test_a_folder_that_is_gone_by_the_time_of_writing_is_called_so(tmp_path):
    with pytest.raises(ClusterError, match="gone is not there; it has to be on a file system that"):
        SharedFolder(tmp_path / "gone", "process 1 on n").put(1, [], None)


def test_a_machine_that_cannot_open_an_archive_that_is_open_elsewhere_is_named(
    light, tiles, folder, tmp_path
):
    with tarfile.open(tmp_path / "tiles.tar", "w") as archive:
        archive.add(tiles / "0", "tiles")
    spec = ExtractorSpec(
        rows=ModelRows(models=("light:mean-colour",)), engine=EngineOptions(engine="means")
    )
    job = Extraction(extractor=spec)._job(str(tmp_path / "tiles.tar"), (), lambda _now: None)
    worker = PartWorker(
        WorkerJob.of(job, spec, folder, cores=1),
        job.records,
        np.arange(len(job.records)),
        KnownContent.none(),
        extractor=job.extractor,
    )
    hidden = (tmp_path / "tiles.tar").rename(tmp_path / "elsewhere.tar")
    task = Task(1, 0, 16)

    result = worker(task)
    assert result.unopened == 0
    hidden.rename(tmp_path / "tiles.tar")
    with pytest.raises(SourceError, match=f"{socket.gethostname()} cannot open .*tiles/000.png"):
        follow(given(result), [task], job, Tally(0, 0, 0), enter=lambda _: None, beat=lambda: None)
