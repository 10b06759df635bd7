"""Averages over queries and over labels, and how sure they are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from penult.retrieve.evaluation import bootstrap
from penult.retrieve.evaluation.bootstrap import Averages

pytestmark = pytest.mark.light


def averages(values, labels, units=None):
    """Of one score; `labels` are columns of each query."""
    targets = np.zeros((len(values), 1 + max(max(one) for one in labels)), int)
    for query, columns in enumerate(labels):
        targets[query, columns] = 1
    every = np.arange(len(values)) if units is None else np.array(units)
    return Averages(np.array(values, float)[:, None], csr_array(targets), every)


def test_micro_counts_queries_and_macro_labels():
    one = averages([1, 1, 1, 0], [[0], [0], [0], [1]])
    assert one.micro(seed=0)[0].value == 3 / 4
    assert one.macro(seed=0)[0].value == (1 + 0) / 2


def test_a_query_of_several_labels_counts_for_each():
    one = averages([1, 0], [[0, 1], [1]])
    assert one.macro(seed=0)[0].value == (1 + 1 / 2) / 2


def test_the_interval_is_that_of_scipys_bootstrap():
    from scipy.stats import bootstrap as of_scipy

    values = np.random.default_rng(0).random(80)
    found = averages(values, [[0]] * 80).micro(seed=0)[0]
    theirs = of_scipy(
        (values,),
        np.mean,
        method="percentile",
        n_resamples=5000,
        random_state=np.random.default_rng(1),
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx(tuple(theirs), abs=0.008)
    assert found.low < found.value < found.high


def test_queries_that_belong_together_are_drawn_together():
    values = [1, 0] * 20
    apart = averages(values, [[0]] * 40).micro(seed=0)[0]
    fours = averages(sorted(values), [[0]] * 40, np.repeat(np.arange(10), 4)).micro(seed=0)[0]
    assert fours.value == apart.value
    # Ten groups, of zeros alone or of ones alone, are a quarter of the queries: twice as wide.
    ratio = (fours.high - fours.low) / (apart.high - apart.low)
    assert ratio == pytest.approx(2, abs=0.4)


@pytest.mark.parametrize(("value", "low", "high"), [(1, 0.025 ** (1 / 9), 1), (0, 0, 1 - 0.025 ** (1 / 9))])  # fmt: skip
def test_where_all_queries_score_the_same_the_interval_is_clopper_and_pearsons(value, low, high):
    from scipy.stats import binomtest

    for found in (
        averages([value] * 9, [[0]] * 9).micro(seed=0)[0],
        averages([value] * 9, [[0]] * 5 + [[1]] * 4).macro(seed=0)[0],
    ):
        assert (found.value, found.low, found.high) == pytest.approx((value, low, high))
    exact = binomtest(9 * value, 9).proportion_ci(method="exact")
    assert (exact.low, exact.high) == pytest.approx((low, high))


def test_the_seed_decides():
    one = averages(np.random.default_rng(0).random(30), [[0]] * 30)
    assert one.micro(seed=3) == one.micro(seed=3)
    assert one.micro(seed=3) != one.micro(seed=4)


@pytest.mark.parametrize("way", ["micro", "macro"])
def test_drawings_are_the_same_however_many_are_averaged_at_once(monkeypatch, way):
    values, labels = np.random.default_rng(0).random(30), [[k % 3] for k in range(30)]
    (at_once,) = getattr(averages(values, labels), way)(seed=0)
    monkeypatch.setattr(bootstrap, "_NUMBERS", 30 * 7)  # seven drawings, and six in the end
    (apart,) = getattr(averages(values, labels), way)(seed=0)
    ends = (apart.value, apart.low, apart.high)
    assert ends == pytest.approx((at_once.value, at_once.low, at_once.high), rel=1e-12)
