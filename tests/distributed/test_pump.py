"""Results are taken from Ray Data in a thread: what goes wrong there reaches whoever waits."""

from __future__ import annotations

import pickle
import threading
from types import SimpleNamespace

import pytest

from penult.distributed import cluster as executor
from penult.distributed.options import RayOptions
from penult.distributed.result import Result
from penult.distributed.tasks import Task
from penult.errors import ClusterError, OutputError

TASK = Task(1, 0, 1)


@pytest.fixture
def cluster(monkeypatch):
    """What `results` gives of some batches, on a cluster of one worker that is noted as `lost`."""
    monkeypatch.setattr(executor, "_SECONDS_APART", 0.01)
    connection = SimpleNamespace(
        address="127.0.0.1:1", workers=(1, None), say_where=lambda *_: None, is_lost=False
    )

    def results(batches):
        monkeypatch.setattr(executor, "_batches", lambda *_args: batches)
        return executor.results(connection, RayOptions(), None, [TASK], None, None, None)

    return SimpleNamespace(results=results, connection=connection)


def test_a_head_that_is_gone_ends_the_run_which_asks_ray_for_nothing_more(cluster, monkeypatch):
    silent = threading.Event()

    def batches():
        silent.wait(60)
        yield b""

    def look(_head):
        raise ClusterError("the head has not answered")

    monkeypatch.setattr(executor.Head, "look", look)
    monkeypatch.setattr(executor, "_end", lambda _begun: pytest.fail("Ray would wait"))
    with pytest.raises(ClusterError, match="has not answered"):
        next(cluster.results(batches()))
    assert cluster.connection.is_lost
    silent.set()


def test_whoever_takes_no_more_has_the_thread_end(cluster):
    closed = threading.Event()

    def batches():
        try:
            while True:
                yield pickle.dumps(Result(TASK, "n"))
        finally:
            closed.set()

    results = cluster.results(batches())
    assert next(results).task == TASK
    results.close()
    assert closed.wait(60)


@pytest.mark.needs("ray")
def test_what_ray_data_raises_is_one_line_and_what_penult_raises_stays(cluster):
    def failing(error):
        yield pickle.dumps(Result(TASK, "n"))
        raise error

    results = cluster.results(failing(RuntimeError("no blocks\nat plan.py:3")))
    assert next(results).node == "n"
    with pytest.raises(ClusterError, match=r"could not do its part: no blocks$"):
        next(results)
    with pytest.raises(OutputError, match=r"^the disk is full$"):
        list(cluster.results(failing(OutputError("the disk is full"))))


def test_an_answer_that_is_none_names_its_machine_or_says_that_it_cannot_be_read():
    with pytest.raises(ClusterError, match="a worker's answer cannot be read: "):
        executor._result(b"no pickle")
    with pytest.raises(ClusterError, match=r"^on node7: it is odd$"):
        executor._result(pickle.dumps(("node7", "ValueError", "it is odd")))
