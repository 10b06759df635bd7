"""Rows of requests that wait at the same time are put into one call, and each gets its own answers."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest
from serving_client import COLOURS, Client, photo

from penult.serving.answers import classes, shared_calls
from penult.serving.answers.shared_calls import SharedCalls
from penult.serving.app import create_app
from penult.serving.routes import classify

pytestmark = pytest.mark.light


def rows(*numbers):
    return np.array(numbers, np.float32)[:, None]


class Doubled:
    """Twice each row, and of how many rows each call was; `go` has to be set."""

    def __init__(self):
        self.calls, self.go = [], threading.Event()
        self.go.set()

    def __call__(self, given):
        self.calls.append(len(given))
        assert self.go.wait(20)
        if (given < 0).any():
            raise ValueError("negative")
        return (2 * given[:, 0]).tolist()


def test_what_waits_at_the_same_time_is_one_call():
    function, together = Doubled(), SharedCalls()

    async def run():
        asked = [together("key", function, rows(k, k + 0.5)) for k in range(5)]
        return await asyncio.gather(*asked)

    assert asyncio.run(run()) == [[2 * k, 2 * k + 1] for k in range(5)]
    assert function.calls == [10]


def test_while_a_call_lasts_others_wait_for_the_next():
    function, together = Doubled(), SharedCalls()

    async def run():
        function.go.clear()
        first = asyncio.ensure_future(together("key", function, rows(1)))
        while not function.calls:
            await asyncio.sleep(0)
        later = [asyncio.ensure_future(together("key", function, rows(k))) for k in (2, 3, 4)]
        await asyncio.sleep(0)
        later[1].cancel()
        function.go.set()
        return await first, await asyncio.gather(*later, return_exceptions=True)

    first, (second, gone, fourth) = asyncio.run(run())
    assert (first, second, fourth) == ([2], [4], [8])
    assert isinstance(gone, asyncio.CancelledError)
    assert function.calls == [1, 2]


def test_other_keys_do_not_meet_and_an_error_is_told_to_all_who_wait():
    function, together = Doubled(), SharedCalls()

    async def run():
        asked = [together(k % 2, function, rows(k - 1)) for k in range(4)]
        return await asyncio.gather(*asked, return_exceptions=True)

    even, odd = asyncio.run(run())[::2], asyncio.run(run())[1::2]
    assert [str(one) for one in even] == ["negative"] * 2
    assert odd == [[0], [4]]


def test_after_a_quick_call_others_are_made_at_once_unless_they_may_have_to_wait(monkeypatch):
    in_threads, clock = [], [0.0]
    monkeypatch.setattr(shared_calls, "perf_counter", lambda: clock[0])

    def function(given):
        in_threads.append(threading.current_thread() is not threading.main_thread())
        clock[0] += 0.01 if given[0] == 2 else 0.001
        return given.tolist()

    async def run(together):
        in_threads.clear()
        for numbers in ((1,), (1,), (2,), (3,), (3,), range(17)):
            await together("key", function, rows(*numbers))
        return in_threads

    assert asyncio.run(run(SharedCalls())) == [True] * 6
    # The third was slow; the last has many rows.
    steady = SharedCalls(is_steady=True)
    assert asyncio.run(run(steady)) == [True, False, False, True, False, True]


def test_photos_of_many_requests_are_classified_together(serve, classifier, monkeypatch):
    calls = []

    def counted(model, given, *, top):
        calls.append((len(given), top))
        return classes.answers_of(model, given, top=top)

    monkeypatch.setattr(classify, "answers_of", counted)
    names = [*COLOURS] * 4
    asked = [
        ("POST", f"/v1/classify?top={1 + k % 2}", {"content": photo(COLOURS[name])})
        for k, name in enumerate(names)
    ]
    answers = Client(create_app(serve(classifier=classifier))).together(asked)
    assert [one.json()["label"] for one in answers] == names
    assert [len(one.json()["top"]) for one in answers] == [1, 2] * 6
    assert sum(n for n, _ in calls) == 12
    assert len(calls) < 12
