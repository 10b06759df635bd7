"""RSA: by hand, and beside SciPy."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr

from penult.similarity.rows import RowBlocks, draw_pair
from penult.similarity.rsa import dissimilarities, spearman

pytestmark = [pytest.mark.light, pytest.mark.once]


def fresh():
    """What a test draws does not depend on the tests before it."""
    return np.random.default_rng(7)


RNG = np.random.default_rng(0)
A = RNG.normal(size=(40, 30))
B = np.hstack([A[:, :10], RNG.normal(size=(40, 60))])
KINDS = ["correlation", "cosine", "euclidean"]


def rsa(a, b, *kind):
    return spearman(RowBlocks(np.asarray(a), "a"), RowBlocks(np.asarray(b), "b"), *kind)


def test_four_images_by_hand():
    # Rows 1 and 2 of a have a correlation of 1, row 3 one of -1 with both, row 4 of 0 with all. So
    # how unlike the pairs 12, 13, 14, 23, 24, 34 are is 0, 2, 1, 2, 1, 1; their ranks, ties
    # averaged, 1, 5.5, 3, 5.5, 3, 3, less their mean of 3.5: -2.5, 2, -.5, 2, -.5, -.5.
    a = [[0, 1, 2], [0, 2, 4], [2, 1, 0], [1, 0, 1]]
    pairs = dissimilarities(RowBlocks(np.array(a), "a"))
    assert pairs.tolist() == [0, 2, 1, 2, 1, 1]
    # In b, rows 2 and 3 have changed places: 2, -2.5, -.5, 2, -.5, -.5. Their product is -5.25,
    # that of either with itself 15.
    b = [a[0], a[2], a[1], a[3]]
    assert rsa(a, b) == pytest.approx(-5.25 / 15, rel=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_what_scipy_gives(kind):
    metric = "sqeuclidean" if kind == "euclidean" else kind
    of_a, of_b = pdist(A, metric), pdist(B, metric)
    found = dissimilarities(RowBlocks(A, "a"), kind)
    if kind == "euclidean":
        found = found / found.max() * of_a.max()
    np.testing.assert_allclose(found, of_a, atol=1e-10)
    assert rsa(A, B, kind) == pytest.approx(spearmanr(of_a, of_b).statistic, abs=1e-12)
    assert rsa(A, B, kind) == rsa(B, A, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_pairs_that_are_equally_unlike_are_ties_in_whatever_order_they_are_added(kind):
    doubled = np.repeat(fresh().normal(size=(5, 300)), 3, axis=0)
    for memory in (1, 40_000, 1 << 20):
        pairs = dissimilarities(RowBlocks(doubled, "a"), kind, memory=memory)
        # 3 pairs of copies of each of 5, and 9 of each two of them.
        values, counts = np.unique(np.abs(pairs), return_counts=True)
        assert values[0] == 0
        assert counts.tolist() == [15, *[9] * 10]


def test_correlation_sees_neither_shift_nor_scale_of_a_row():
    scaled = A * np.linspace(0.1, 9, 40)[:, None] + np.arange(40)[:, None]
    assert rsa(A, scaled) == pytest.approx(1, abs=1e-12)
    assert rsa(A, scaled, "cosine") < 0.9
    assert rsa(A * 1e200, A, "cosine") == pytest.approx(1, abs=1e-12)


def test_large_means_lose_no_digits():
    rows = np.random.default_rng(1).integers(-9, 9, (20, 30)).astype(float)
    pairs = dissimilarities(RowBlocks(rows, "a"))
    np.testing.assert_array_equal(dissimilarities(RowBlocks(rows + 2**40, "a")), pairs)
    assert np.abs(pdist(rows + 2**40, "correlation") - pairs).max() > 1e-11


def test_rotated_rows_are_the_same_by_their_distances():
    turn, _ = np.linalg.qr(fresh().normal(size=(30, 30)))
    assert rsa(A, 5 * A @ turn, "euclidean") == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("value", [0.1, 3e-320, 7e300])
def test_a_row_without_a_correlation_leaves_no_value(value):
    a = A.copy()
    a[3] = value
    assert isnan(rsa(a, B))
    assert not isnan(rsa(a, B, "cosine" if value == 0.1 else "euclidean"))
    a[3] = 0
    assert isnan(rsa(a, B, "cosine"))


def test_rows_that_are_all_equally_unlike_leave_no_value():
    assert isnan(rsa(np.eye(6), fresh().normal(size=(6, 4))))
    assert isnan(rsa(np.ones((6, 3)), fresh().normal(size=(6, 4)), "euclidean"))


def test_the_same_images_are_drawn_of_both_by_their_ids_whatever_their_order():
    ids = [f"{k:02}.jpg" for k in range(40)]
    drawn = draw_pair(
        RowBlocks(A, "a", np.arange(40), ids), RowBlocks(B, "b", np.arange(40), ids), 9, 5
    )
    assert drawn[0].ids == drawn[1].ids == sorted(drawn[0].ids)
    assert len(set(drawn[0].ids)) == 9
    np.testing.assert_array_equal(drawn[0].read(0, 9), A[[ids.index(one) for one in drawn[0].ids]])
    back = np.arange(40)[::-1]
    again = draw_pair(RowBlocks(A, "a", back, ids[::-1]), RowBlocks(B, "b", back, ids[::-1]), 9, 5)
    assert again[0].ids == drawn[0].ids
    np.testing.assert_array_equal(again[1].read(0, 9), drawn[1].read(0, 9))
    other, _ = draw_pair(RowBlocks(A, "a", back, ids[::-1]), RowBlocks(B, "b"), 9, 6)
    assert other.ids != drawn[0].ids
