from fractions import Fraction

import numpy as np
import pytest

from penult.neighbors.candidates.batch import Batch
from penult.neighbors.lengths import part_lengths
from penult.neighbors.rounding import gamma, length_error

pytestmark = pytest.mark.light

WORST = np.float32(1 + 2**-12 + 2**-23)  # whose square is rounded by nearly half a unit


def one_after_the_other(rows, query):
    """Products in float32, in the order that loses most: each sum is rounded."""
    total = np.zeros(len(rows), np.float32)
    for column, number in zip(rows.T, query, strict=True):
        total += column * number
    return total


def exact_square(row):
    return sum(Fraction(float(number)) ** 2 for number in row)


def test_gamma_is_highams():
    assert gamma(1) == pytest.approx(2**-24, rel=1e-6)
    assert gamma(2**20) == pytest.approx((1 / 16) / (15 / 16))
    assert gamma(2**24) == np.inf


def test_lengths_are_within_their_bound():
    rng = np.random.default_rng(0)
    rows = np.concatenate([np.full((1, 999), WORST), rng.random((9, 999), np.float32)])
    for row, length in zip(rows, part_lengths(rows), strict=True):
        true = float(exact_square(row)) ** 0.5
        assert abs(length / true - 1) <= length_error(999)


@pytest.mark.parametrize(
    ("row", "length"), [([3e38, 4e38 / 2], None), ([3e-30, 4e-30], 5e-30), ([0, 0], 0)]
)
def test_huge_and_small_rows_are_measured_too(row, length):
    length = np.hypot(*np.float32(row).astype(float)) if length is None else length
    assert part_lengths(np.array([row], np.float32))[0] == pytest.approx(length, rel=1e-6)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_scores_are_within_their_bound_in_the_worst_order(metric):
    rng = np.random.default_rng(0)
    # Positive numbers, whose sum grows and with it what is lost of each.
    rows = np.concatenate([np.full((1, 5000), WORST), rng.random((30, 5000), np.float32)])
    batch = Batch.of(rows[:4], metric)
    lengths = part_lengths(rows)
    errors = batch.errors(lengths.max())
    for i in range(4):
        query = batch.columns[:, i]
        products = one_after_the_other(rows, query).astype(np.float64)
        scores = batch.finished(products, lengths)
        exact = rows.astype(np.float64)
        if metric == "cosine":
            exact /= np.sqrt(np.square(exact).sum(axis=1))[:, None]
        values = np.sqrt(np.square(exact - batch.asked[i]).sum(axis=1))
        values = 1 - values**2 / 2 if metric == "cosine" else values
        off = np.abs(scores - batch.scores(values, np.full(31, i)))
        assert off.max() <= errors[i]
        assert off.max() > errors[i] / 1000  # the bound is not far from the worst
