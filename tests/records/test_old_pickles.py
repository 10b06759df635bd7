"""Records that were pickled when all of them stood in one file."""

from __future__ import annotations

import pickle

import pytest

from penult.records import Failure, Prediction, Predictions

pytestmark = [pytest.mark.light, pytest.mark.once]


def test_a_record_pickled_by_an_older_version_opens():
    written = (
        b"ccopy_reg\n_reconstructor\np0\n(cpenult.records\nFailure\np1\nc__builtin__\nobject\np2\n"
        b"Ntp3\nRp4\n(dp5\nVid\np6\nVa.jpg\np7\nsVreason\np8\nVnot an image\np9\nsb."
    )
    assert pickle.loads(written) == Failure("a.jpg", "not an image")


def test_a_list_of_records_pickled_now_opens_again():
    one = Prediction("a.jpg", "cat", 0.75, (("cat", 0.75), ("dog", 0.25)))
    again = pickle.loads(pickle.dumps(Predictions([one], [Failure("b.jpg", "empty")])))
    assert (list(again), again.failures) == ([one], (Failure("b.jpg", "empty"),))
