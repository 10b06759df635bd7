"""Principal components of rows read in blocks are those of scikit-learn."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from penult.errors import TrainingError, UsageError
from penult.reduction import fit_projection

pytestmark = [pytest.mark.light, pytest.mark.once]

ROOMY = 1 << 30


def in_blocks(rows, size=7):
    """Something that reads these rows from the start, each time it is called."""
    return lambda: (rows[start : start + size] for start in range(0, len(rows), size))


def fit(rows, components, *, memory=ROOMY, **options):
    rows = np.asarray(rows, np.float32)
    blocks = in_blocks(rows)
    return fit_projection(blocks, *rows.shape, components, memory=memory, **options)


def decaying(count, width, factor, seed=0):
    """Rows whose variances fall by `factor` from one direction to the next, far from zero."""
    rng = np.random.default_rng(seed)
    axes, _ = np.linalg.qr(rng.normal(size=(width, width)))
    scale = np.maximum(factor ** (np.arange(width) / 2), 1e-4)
    return (50 + rng.normal(size=(count, width)) * scale @ axes.T).astype(np.float32)


def test_a_cross_is_told_apart_by_its_arms():
    """Variances 8/3 along x and 2/3 along y, of four rows around (5, 7)."""
    found = fit([[7, 7], [3, 7], [5, 8], [5, 6]], 2)
    assert found.mean.tolist() == [5, 7]
    assert found.components.tolist() == [[1, 0], [0, 1]]
    assert found.explained_variance.tolist() == pytest.approx([8 / 3, 2 / 3])
    assert found.total_variance == pytest.approx(10 / 3)
    assert found.apply(np.array([[6, 9]], np.float32)).tolist() == [[1, 2]]
    one = fit([[7, 7], [3, 7], [5, 8], [5, 6]], 1)
    assert one.explained_variance_ratio == pytest.approx(0.8)


@pytest.mark.parametrize("whiten", [False, True], ids=["plain", "whitened"])
@pytest.mark.parametrize(
    ("count", "width", "solver"),
    [(200, 30, "covariance_eigh"), (30, 200, "full"), (40, 40, "full")],
)
def test_it_is_that_of_scikit_learn(count, width, solver, whiten):
    from sklearn.decomposition import PCA

    rows = decaying(count, width, 0.9)
    theirs = PCA(12, svd_solver=solver, whiten=whiten).fit(rows.astype(np.float64))
    ours = fit(rows, 12, whiten=whiten)
    assert ours.components == pytest.approx(theirs.components_, abs=1e-4)
    assert ours.explained_variance == pytest.approx(theirs.explained_variance_, rel=1e-4)
    assert ours.mean == pytest.approx(theirs.mean_, rel=1e-6)
    assert ours.explained_variance_ratio == pytest.approx(
        theirs.explained_variance_ratio_.sum(), rel=1e-6
    )
    assert ours.apply(rows) == pytest.approx(theirs.transform(rows), abs=1e-4)


@pytest.mark.parametrize(("count", "width"), [(30, 200), (200, 30)])
def test_both_exact_ways_agree(count, width):
    """The one by the inner products of rows is taken where there are fewer rows than numbers."""
    from penult.reduction.solvers import by_covariance, by_products

    rows = decaying(count, width, 0.8)
    one = by_covariance(in_blocks(rows), width, 5)
    other = by_products(in_blocks(rows), count, width, 5)
    assert one.variance == pytest.approx(other.variance, rel=1e-6)
    assert abs(np.sum(one.directions * other.directions, axis=1)) == pytest.approx(1)
    assert one.total_variance == pytest.approx(other.total_variance)


def test_where_nothing_fits_into_memory_it_is_sketched(monkeypatch):
    """Rows of 400 numbers: a covariance takes 1.3 MB, 25 directions 0.3 MB."""
    import penult.reduction.fit as module

    rows = decaying(600, 400, 0.8)
    exact = fit(rows, 5)
    for name in ("by_covariance", "by_products"):
        monkeypatch.setattr(module, name, None)
    near = fit(rows, 5, memory=500_000)
    assert near.components == pytest.approx(exact.components, abs=1e-4)
    assert near.explained_variance == pytest.approx(exact.explained_variance, rel=1e-4)
    assert near.total_variance == pytest.approx(exact.total_variance)
    assert near.mean == pytest.approx(exact.mean)
    assert fit(rows, 5, memory=500_000) == near  # chance is the same each time


def test_a_sketch_that_does_not_fit_is_refused():
    with pytest.raises(TrainingError, match=r"5 principal components of rows of 400 numbers need"):
        fit(decaying(600, 400, 0.8), 5, memory=100_000)


def test_blocks_of_any_size_give_the_same():
    rows = decaying(50, 20, 0.9)
    found = [fit_projection(in_blocks(rows, size), 50, 20, 4, memory=ROOMY) for size in (1, 50)]
    assert found[0].components == pytest.approx(found[1].components, abs=1e-6)


def test_numbers_far_from_zero_keep_their_variance():
    rows = decaying(300, 5, 0.5) + np.float32(100_000)
    expected = rows.astype(np.float64).var(axis=0, ddof=1).sum()
    assert fit(rows, 2).total_variance == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("shape", "components", "said"),
    [
        ((10, 3), 4, "4 principal components were asked for, but rows of 3 numbers have 3 at most"),
        (
            (4, 9),
            4,
            "4 principal components were asked for, but 4 rows span no more than 3; give 3",
        ),
        ((10, 3), 0, "0 principal components were asked for; give 1 or more"),
        ((1, 3), 1, "principal components of 1 row were asked for; give two or more"),
    ],
)
def test_too_many_are_refused(shape, components, said):
    with pytest.raises(UsageError, match=said):
        fit(np.zeros(shape), components)


@pytest.mark.parametrize("shape", [(20, 6), (6, 20)])
def test_rows_that_vary_in_fewer_directions_are_refused(shape):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(shape[0], 2)) @ rng.normal(size=(2, shape[1])) + 3
    with pytest.raises(TrainingError, match=r"vary in 2 directions only; give 2 or fewer$"):
        fit(rows, 3)
    assert fit(rows, 2).explained_variance_ratio == pytest.approx(1)
    with pytest.raises(TrainingError, match=f"all {shape[0]} rows are the same"):
        fit(np.full(shape, 0.1), 1)


def test_memory_does_not_grow_with_rows():
    def peak(count):
        rng = np.random.default_rng(0)
        made = lambda: (rng.normal(size=(50, 64)).astype(np.float32) for _ in range(count))  # noqa: E731
        tracemalloc.start()
        try:
            fit_projection(made, 50 * count, 64, 8, memory=ROOMY)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(2)  # what is imported stays
    assert peak(60) < peak(10) + 50_000  # of 640,000 bytes more


def test_variances_that_float32_does_not_hold_are_refused():
    with pytest.raises(
        TrainingError, match=r"variance is \de\+\d+, .* extracting .*normalize='l2'"
    ):
        fit(np.eye(4) * 1e30, 2)


def test_rows_of_no_numbers_are_refused():
    with pytest.raises(UsageError, match="rows of no numbers"):
        fit(np.zeros((5, 0)), 1)
