"""Photos are read by threads or by processes, and nothing but the time shows which."""

from __future__ import annotations

import io
import os
import pickle
import re
import signal
import subprocess
import sys
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import psutil
import pytest
from opened_elsewhere import deadly, logged, plain
from PIL import Image

from penult.backbones.registry import open_backbone
from penult.engines import photo_readers
from penult.engines.photo_decoder import PhotoDecoder
from penult.engines.photo_readers import PhotoReaders
from penult.engines.pipeline import run
from penult.engines.preprocessor import Preprocessor
from penult.engines.reading import Reading, read_photos
from penult.engines.reading_processes import ReadingProcesses
from penult.engines.registry import open_engine
from penult.images.in_memory import as_records
from penult.images.pixels.budget import DECODING
from penult.records import ImageRecord

pytestmark = [pytest.mark.light, pytest.mark.once]


def png(shade: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (9, 7), (shade,) * 3).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def engine(toy):
    backbone = open_backbone(toy)
    return open_engine(backbone, [backbone.recipe()], engine="auto", device="cpu")


@pytest.fixture
def two_are_enough(monkeypatch):
    """On two cores, and whatever is left to do, processes read photos once these are known to be
    small; they are waited for."""
    monkeypatch.setattr(photo_readers, "cores", lambda: 2)
    monkeypatch.setattr(photo_readers, "_CORES", 2)
    monkeypatch.setattr(photo_readers, "_WORTH_STARTING", 0)
    monkeypatch.setattr(photo_readers, "_SMALL", 60.0)
    monkeypatch.setattr(
        ReadingProcesses, "are_ready", property(lambda self: self._first.result(60) is None)
    )


def outcomes(blocks) -> dict[str, object]:
    """The mean shade of each image, or why there is none."""
    told: dict[str, object] = {}
    for block in blocks:
        rows = iter(block.rows[0] if block.rows else ())
        for outcome in block.outcomes:
            failure = outcome.failure
            told[outcome.record.id] = (
                failure.reason if failure else (outcome.digest, round(255 * next(rows)[0]))
            )
    return told


def test_processes_give_the_outcomes_that_threads_give(engine, two_are_enough, tmp_path):
    log = tmp_path / "processes"
    contents = [b"not an image" if k % 10 == 9 else png(k) for k in range(60)]
    records = [
        ImageRecord(f"{k:02}.png", partial(logged, data, log)) for k, data in enumerate(contents)
    ]
    by_processes = outcomes(run(records, engine, total=len(records)))
    room = dict(map(int, line.split()) for line in log.read_text().splitlines())
    assert room.pop(os.getpid()) == DECODING.size
    assert room
    assert set(room.values()) == {DECODING.size // 4}
    assert not any(psutil.pid_exists(other) for other in room)
    assert by_processes == outcomes(run(records, engine))
    assert list(by_processes) == [record.id for record in records]
    assert by_processes["08.png"][1] == 8
    assert "not an image" in by_processes["19.png"]


def test_what_a_process_read_when_it_was_killed_is_read_again(engine, two_are_enough, caplog):
    parent = os.getpid()
    records = [
        ImageRecord(f"{k:02}.png", partial(deadly if k == 30 else plain, png(k), parent))
        for k in range(60)
    ]
    told = outcomes(run(records, engine, total=len(records)))
    assert [shade for _, shade in told.values()] == list(range(60))
    (warning,) = caplog.messages
    assert "photos are read by threads from here on" in warning
    assert "TerminatedWorkerError" in warning


def test_where_no_process_can_be_started_threads_go_on(engine, two_are_enough, caplog, monkeypatch):
    def no_memory(*_):
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(ReadingProcesses, "__init__", no_memory)
    records = [ImageRecord(f"{k:02}.png", partial(io.BytesIO, png(k))) for k in range(20)]
    assert len(outcomes(run(records, engine, total=len(records)))) == 20
    (warning,) = caplog.messages
    assert "Cannot allocate memory" in warning


def test_where_not_all_processes_can_be_started_none_is_left(engine, two_are_enough, monkeypatch):
    from loky.backend.process import LokyProcess

    start, started = LokyProcess.start, []

    def start_one(process):
        if started:
            raise OSError(11, "Resource temporarily unavailable")
        start(process)
        started.append(process)

    monkeypatch.setattr(LokyProcess, "start", start_one)
    records = [ImageRecord(f"{k:02}.png", partial(io.BytesIO, png(k))) for k in range(20)]
    assert len(outcomes(run(records, engine, total=len(records)))) == 20
    (process,) = started
    process.join(30)
    assert process.exitcode == -signal.SIGTERM


class Counted:
    """In place of processes: reads at once, and counts its tasks and their photos."""

    are_ready = True

    def __init__(self, count: int, decode: PhotoDecoder) -> None:
        self.count, self.decode, self.tasks = count, decode, []
        all_counted.append(self)

    def submit(self, data: bytes) -> Future[Reading]:
        photos = pickle.loads(data)
        self.tasks.append(len(photos))
        done: Future[Reading] = Future()
        done.set_result(read_photos(self.decode, photos))
        return done

    def shutdown(self) -> None:
        pass


all_counted: list[Counted] = []


@pytest.fixture
def sixteen_cores(monkeypatch):
    all_counted.clear()
    monkeypatch.setattr(photo_readers, "cores", lambda: 16)
    monkeypatch.setattr(photo_readers, "free_memory", lambda: 1 << 36)
    monkeypatch.setattr(photo_readers, "_WORTH_STARTING", 5)
    monkeypatch.setattr(photo_readers, "_SMALL", 60.0)
    monkeypatch.setattr(photo_readers, "ReadingProcesses", Counted)


def files(folder, count=60) -> list[ImageRecord]:
    folder.mkdir()
    for k in range(count):
        folder.joinpath(f"{k:02}.png").write_bytes(png(k))
    return as_records([folder / f"{k:02}.png" for k in range(count)])


def read_all(records, **options) -> None:
    blocks = run(records, options.pop("engine"), **{"total": len(records), **options})
    assert len(outcomes(blocks)) == len(records)


def test_many_small_photos_are_read_by_a_process_a_core(engine, sixteen_cores, tmp_path):
    read_all(files(tmp_path / "photos"), engine=engine)
    (pool,) = all_counted
    assert pool.count == 16
    assert sum(pool.tasks) > 0


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        ({"workers": 8}, {}),
        ({"waiters": 16}, {}),
        ({"total": None}, {}),
        ({"known": lambda digest: False}, {}),
        ({}, {"cores": lambda: 8}),
        ({}, {"free_memory": lambda: 1 << 30}),
        ({}, {"_WORTH_STARTING": 61}),
        ({}, {"_SMALL": -1.0}),
    ],
    ids=[
        "eight workers",
        "a network to wait for",
        "nobody knows how many",
        "known rows",
        "eight cores",
        "little memory",
        "few photos",
        "large photos",
    ],
)
def test_threads_read_where_processes_would_not_pay(
    engine, sixteen_cores, tmp_path, monkeypatch, options, changed
):
    for name, value in changed.items():
        monkeypatch.setattr(photo_readers, name, value)
    read_all(files(tmp_path / "photos"), engine=engine, **options)
    assert not any(pool.tasks for pool in all_counted)


def ours(data: bytes) -> io.BytesIO:
    return io.BytesIO(data)


ours.__module__ = "__main__"


@pytest.mark.parametrize(
    "opened",
    [
        lambda k: lambda: io.BytesIO(png(k)),
        lambda k: partial(io.BytesIO, png(k) + bytes(1 << 15)),
        lambda k: partial(ours, png(k)),
    ],
    ids=["no pickle", "a large one", "a function of the main program"],
)
def test_what_cannot_well_be_sent_is_read_by_threads(
    engine, sixteen_cores, tmp_path, monkeypatch, opened
):
    monkeypatch.setattr(sys.modules["__main__"], "ours", ours, raising=False)
    records = [ImageRecord(f"{k}", opened(k)) for k in range(60)]
    read_all(records, engine=engine)
    assert not all_counted
    read_all([*files(tmp_path / "photos", 50), *records], engine=engine)
    (pool,) = all_counted
    assert 0 < sum(pool.tasks) <= 50


def test_images_in_memory_stay_in_this_process(engine, sixteen_cores, tmp_path):
    images = as_records([Image.new("RGB", (9, 7), (k,) * 3) for k in range(60)])
    read_all(images, engine=engine)
    assert not all_counted
    read_all([*files(tmp_path / "photos", 50), *images], engine=engine)
    (pool,) = all_counted
    assert 0 < sum(pool.tasks) <= 50


@pytest.fixture
def readers(sixteen_cores, toy):
    """Of forty photos, eight a task at most."""
    readers = PhotoReaders(PhotoDecoder(Preprocessor([open_backbone(toy).recipe()])), None, 40, 8)
    yield readers
    readers.shutdown()


def tell(readers: PhotoReaders, *, core_seconds: float = 0.0, size: int = 0) -> None:
    """Let them know of one photo that was read."""
    task: Future[Reading] = Future()
    task.set_result(Reading([], 1.0, core_seconds, size))
    readers.result(task, [])


def submit(readers: PhotoReaders, photos: int = 1) -> None:
    photo = ImageRecord("a.png", partial(io.BytesIO, png(1)))
    readers.submit([[photo]] * photos)


@pytest.mark.parametrize(("edge", "at_once"), [(1, 8), (224, 6), (384, 2), (1024, 1)])
def test_a_process_is_given_a_megabyte_of_pixels_at_once(readers, edge, at_once):
    assert readers.at_once == 1
    tell(readers, size=3 * edge**2)
    assert readers.at_once == 1  # a thread gets one that took a second
    submit(readers)
    assert readers.at_once == at_once


def test_there_are_two_tasks_for_each_process(readers):
    assert readers.busy == 16
    tell(readers)
    submit(readers)
    assert readers.busy == 32


def test_photos_that_become_large_go_to_threads(readers):
    tell(readers)
    submit(readers)
    tell(readers, core_seconds=61.0)
    submit(readers)
    tell(readers)
    submit(readers)
    (pool,) = all_counted
    assert pool.tasks == [1, 1]


def test_what_threads_have_begun_is_not_left_for_processes(readers):
    submit(readers, photos=36)
    tell(readers)
    submit(readers)
    assert not all_counted


SCRIPT = """
import os, sys, time
from penult.backbones.registry import open_backbone
from penult.engines.photo_decoder import PhotoDecoder
from penult.engines.preprocessor import Preprocessor
from penult.engines.reading_processes import ReadingProcesses

sys.stderr = open(os.devnull, "w")  # as the command line has it where that is closed
pool = ReadingProcesses(1, PhotoDecoder(Preprocessor([open_backbone("efficientnet_lite0").recipe()])))
print(pool._pool.submit(os.getpid).result(), flush=True)
print(pool._pool.submit(os.getpid).result() if input() else "", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_process_needs_no_stderr_is_left_alone_by_ctrl_c_and_ends_with_its_parent():
    with subprocess.Popen(
        ["sh", "-c", 'exec "$0" -c "$1" 2>&-', sys.executable, SCRIPT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        child = 0
        try:
            child = int(parent.stdout.readline())
            status = Path(f"/proc/{child}/status")
            if status.exists():  # on Linux: it never got any, not even while it started
                (blocked,) = re.findall("SigBlk:\t(.*)", status.read_text())
                assert int(blocked, 16) & 1 << signal.SIGINT - 1
            os.kill(child, signal.SIGINT)
            parent.stdin.write("still there?\n")
            parent.stdin.flush()
            assert int(parent.stdout.readline()) == child
        finally:
            parent.kill()
            if child and sys.exc_info()[0]:
                os.kill(child, signal.SIGKILL)
    try:
        psutil.Process(child).wait(30)
    except psutil.TimeoutExpired:
        os.kill(child, signal.SIGKILL)
        pytest.fail("the process outlives its parent")
    except psutil.NoSuchProcess:
        pass
