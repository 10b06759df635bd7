"""Decoding threads: one a core for large photos, and eight for small ones."""

from __future__ import annotations

from threading import Event, Semaphore

import pytest

from penult import decoding_threads
from penult.decoding_threads import DecodingThreads

pytestmark = pytest.mark.light


@pytest.fixture(autouse=True)
def sixteen_cores(monkeypatch):
    monkeypatch.setattr(decoding_threads, "cores", lambda: 16)


def require_at_once(pool: DecodingThreads, expected: int) -> None:
    """Fail unless so many of twenty tasks run at the same time, and no more."""
    begun, goes_on = Semaphore(0), Event()
    tasks = [pool.submit(lambda: (begun.release(), goes_on.wait(10))) for _ in range(20)]
    try:
        assert all(begun.acquire(timeout=10) for _ in range(expected))
        assert sum(task.running() for task in tasks) == expected
    finally:
        goes_on.set()
        pool.shutdown()
    assert all(task.done() for task in tasks)


@pytest.mark.parametrize(
    ("workers", "seconds", "threads"),
    [(None, 0.002, 8), (None, 0.1, 16), (16, 0.002, 16), (3, 0.1, 3)],
)
def test_small_photos_have_eight_threads_unless_their_number_is_given(
    monkeypatch, workers, seconds, threads
):
    pool = DecodingThreads(workers)
    times = iter([5.0, 5.0 + seconds])  # of a core, before the first task and after it
    monkeypatch.setattr(decoding_threads, "thread_time", lambda: next(times, 0.0))
    assert pool.submit(pow, 2, 5).result() == 32
    require_at_once(pool, threads)


def test_what_has_not_begun_is_cancelled_at_an_end_that_says_so():
    pool = DecodingThreads(1)
    begun, goes_on = Event(), Event()
    first = pool.submit(lambda: (begun.set(), goes_on.wait(10))[1])
    second = pool.submit(int)
    second.add_done_callback(lambda _: goes_on.set())  # or the first waits in vain
    begun.wait(10)
    pool.shutdown(cancel_futures=True)
    assert first.result()
    assert second.cancelled()
