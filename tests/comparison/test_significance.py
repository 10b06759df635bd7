"""The sign-flip test is exact, and Holm's correction is the one in the books."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from penult.comparison.significance import LEAST_P, holm, sign_flip_p

pytestmark = pytest.mark.light


def enumerated(amounts):
    """p by trying all signs."""
    signs = np.array(list(product([-1, 1], repeat=len(amounts))))
    return float((np.abs(signs @ amounts) >= abs(sum(amounts))).mean())


def test_three_differences_that_agree_are_three_coins_that_fall_alike():
    assert sign_flip_p(np.array([0, 1]), np.array([337, 3])) == pytest.approx(2 / 8, abs=1e-12)


@pytest.mark.parametrize(("a", "b"), [(1, 0), (6, 0), (9, 1), (40, 22), (3_000, 2_800), (7, 7)])
def test_of_right_and_wrong_it_is_the_exact_test_of_mcnemar(a, b):
    found = sign_flip_p(np.array([-1, 0, 1]), np.array([b, 1_000, a]))
    assert found == pytest.approx(stats.binomtest(a, a + b).pvalue, abs=1e-11)


@pytest.mark.parametrize(
    "amounts",
    [(3, -1, 2, 2, 0, 1), (60, 60, 120, -180), (5, 5, 5), (-12, 20, 30, 45, 60, -6, 12)],
    ids=str,
)
def test_differences_of_several_sizes_are_as_if_all_signs_were_tried(amounts):
    sizes, counts = np.unique(amounts, return_counts=True)
    assert sign_flip_p(sizes, counts) == pytest.approx(enumerated(amounts), abs=1e-12)
    theirs = stats.permutation_test(
        (np.array(amounts, float),), np.sum, permutation_type="samples", n_resamples=np.inf
    )
    assert sign_flip_p(sizes, counts) == pytest.approx(theirs.pvalue, abs=1e-12)


def test_networks_that_are_equal_are_told_apart_no_more_often_than_stated():
    sizes = np.array([1, 1, 1, 2, 2, 3, 3, 3, 1, 2])  # runs in which an image differs
    found = [
        sign_flip_p(*np.unique(sizes * signs, return_counts=True))
        for signs in product([-1, 1], repeat=len(sizes))
    ]
    for level in (0.01, 0.05, 0.2):
        assert 0 < (np.array(found) <= level).mean() <= level


def test_no_difference_at_all_has_a_p_of_one():
    assert sign_flip_p(np.array([0]), np.array([340])) == 1
    assert sign_flip_p(np.array([-2, 1]), np.array([1, 2])) == 1


def test_a_p_too_small_for_the_arithmetic_is_never_zero():
    assert sign_flip_p(np.array([1]), np.array([300])) == LEAST_P
    assert sign_flip_p(np.array([1]), np.array([50])) == LEAST_P


def test_many_large_differences_are_summed_as_the_normal_distribution_has_it():
    amounts, counts = np.array([-60, 60, 120]), np.array([20_000, 20_100, 5_000])
    assert sign_flip_p(amounts, counts * [1, 1, 0]) == pytest.approx(
        stats.binomtest(20_100, 40_100).pvalue, abs=1e-9
    )
    counts[2] = 100
    z = (100 * 60 + 100 * 120) / np.sqrt(40_100 * 60**2 + 100 * 120**2)
    assert sign_flip_p(amounts, counts) == pytest.approx(2 * stats.norm.sf(z), rel=0.01)


def test_holms_correction_is_that_of_a_hand_worked_example():
    # sorted 0.01 0.02 0.03 0.04: times 4, 3, 2, 1 = 0.04 0.06 0.06 0.04, and none falls again
    given = np.array([0.03, 0.01, 0.04, 0.02])
    np.testing.assert_allclose(holm(given), [0.06, 0.04, 0.06, 0.06])


def test_a_corrected_p_stays_a_probability():
    assert holm(np.array([0.6, 0.5])).tolist() == [1, 1]
    assert holm(np.array([0.2])).tolist() == [0.2]
    assert holm(np.array([])).tolist() == []
