"""The permutation null: by hand on few images, uniform on noise."""

from __future__ import annotations

from itertools import permutations
from math import isnan

import numpy as np
import pytest

from penult.similarity.cka import debiased_cka
from penult.similarity.null import cka_null, permutation_null, rsa_null
from penult.similarity.rows import CenteredRows, RowBlocks
from penult.similarity.rsa import spearman

pytestmark = [pytest.mark.light, pytest.mark.once]

MEASURES = {
    cka_null: lambda a, b: debiased_cka(CenteredRows(a), CenteredRows(b)),
    rsa_null: spearman,
}


def noise(rng, n=12, width=40):
    return RowBlocks(rng.normal(size=(n, width)), "noise")


@pytest.mark.parametrize("null", MEASURES)
def test_its_value_and_those_by_chance_are_the_measures_own(null):
    rng = np.random.default_rng(0)
    a, b = noise(rng), noise(rng)
    found = null(a, b, permutations=19, seed=3)
    assert found.value == pytest.approx(MEASURES[null](a, b), abs=1e-13)
    draws = np.random.default_rng(3)
    by_chance = [MEASURES[null](a, b.take(draws.permutation(12))) for _ in range(19)]
    assert found.high == pytest.approx(np.quantile(by_chance, 0.95), abs=1e-12)
    as_large = sum(one >= found.value for one in by_chance)
    assert found.p == (1 + as_large) / 20
    assert null(a, b, permutations=19, seed=3) == found
    assert null(a, b, permutations=19, seed=4) != found


@pytest.mark.parametrize("null", MEASURES)
def test_p_is_uniform_on_noise(null):
    rng = np.random.default_rng(1)
    ps = np.array([null(noise(rng), noise(rng), permutations=39, seed=k).p for k in range(120)])
    # A mean of 120 uniform numbers spreads by 0.026; of 120, 30 a quarter, by 4.7.
    assert abs(ps.mean() - 0.5) < 3 * 0.026
    quarters = np.histogram(ps, [0, 0.25001, 0.50001, 0.75001, 1.1])[0]
    assert np.abs(quarters - 30).max() < 3.2 * 4.7
    assert ps.min() >= 1 / 40


@pytest.mark.parametrize("null", MEASURES)
def test_what_is_alike_is_beyond_chance(null):
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(60, 20))
    mixed = RowBlocks(rows + rng.normal(size=rows.shape), "mixed")
    found = null(RowBlocks(rows, "rows"), mixed, permutations=99)
    assert found.p == 1 / 100
    assert found.high < found.value / 2
    against = null(RowBlocks(rows, "rows"), noise(rng, 60), permutations=99)
    assert against.p > 0.05


def test_matchings_that_are_the_same_count_as_large():
    # Of four images, one pair is more alike than the others, in both matrices the same: of the 24
    # permutations, the 4 that take {0, 1} to {0, 1} give 1. So p comes near 1/6.
    a = np.full((4, 4), -0.5)
    a[0, 1] = a[1, 0] = 2.5
    np.fill_diagonal(a, 0)
    exact = [(a * a[np.ix_(order, order)]).sum() for order in permutations(range(4))]
    assert sum(one == max(exact) for one in exact) == 4
    found = permutation_null(a, a.copy(), permutations=2_000, seed=0)
    assert found.value == pytest.approx(1)
    assert found.p == pytest.approx(1 / 6, abs=3 * 0.0083)
    assert found.high == pytest.approx(1)


@pytest.mark.parametrize("null", MEASURES)
def test_where_there_is_no_value_there_is_no_null(null):
    found = null(RowBlocks(np.ones((6, 3)), "a"), noise(np.random.default_rng(3), 6))
    assert all(isnan(one) for one in (found.value, found.p, found.high))
