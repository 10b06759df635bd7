"""What is opened once in each process."""

from __future__ import annotations

import pickle
from functools import partial
from itertools import count

from penult.images.sources import per_process
from penult.images.sources.per_process import PerProcess


def test_it_is_made_once_and_anew_after_a_fork(monkeypatch):
    opened = PerProcess(partial(next, count(1)))
    assert [opened(), opened()] == [1, 1]
    monkeypatch.setattr(per_process.os, "getpid", lambda: -1)
    assert [opened(), opened()] == [2, 2]


def test_those_that_are_unpickled_one_by_one_share_theirs():
    opened = PerProcess(list, "ab")
    one, other = (pickle.loads(pickle.dumps(opened)) for _ in range(2))
    assert one() == ["a", "b"]
    assert one() is other()
    assert one() is not opened()
