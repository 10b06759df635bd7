import numpy as np
import pytest

from penult.neighbors import unit as nearest
from penult.neighbors.unit import kth_cosine, unit_rows

# Angles of 0, 60, 90 and 180 degrees from the first.
ROWS = np.array([[2, 0], [1, np.sqrt(3)], [0, 5], [-1, 0]], np.float32)


@pytest.mark.parametrize(("k", "expected"), [(1, 1), (2, 0.5), (3, 0), (4, -1)])
def test_the_kth_nearest_is_found_by_cosine(k, expected):
    assert kth_cosine(unit_rows(ROWS[:1]), unit_rows(ROWS), k) == pytest.approx(
        [expected], abs=1e-6
    )


def test_a_row_does_not_find_those_of_its_own_unit(monkeypatch):
    monkeypatch.setattr(nearest, "_BLOCK", 3)
    rows, units = unit_rows(ROWS), np.array([7, 8, 8, 9])
    found = kth_cosine(rows, rows, 1, units=(units, units))
    assert found == pytest.approx([0.5, 0.5, 0, 0], abs=1e-6)
    assert (kth_cosine(rows, rows, 4, units=(units, units)) == -np.inf).all()


def test_rows_of_zeros_are_near_to_nothing_and_huge_ones_do_not_overflow():
    rows = unit_rows(np.array([[0, 0], [3e38, 3e38], [1e-40, 0]], np.float32))
    assert rows == pytest.approx(np.array([[0, 0], [0.5**0.5, 0.5**0.5], [1, 0]]))


@pytest.mark.parametrize("few", [1, 3, 32, 33])
def test_few_rows_find_what_many_do(few):
    rng = np.random.default_rng(0)
    rows, others = (unit_rows(rng.standard_normal((n, 1280))) for n in (few, 500))
    by_hand = np.sort(rows.astype(np.float64) @ others.T.astype(np.float64), axis=1)[:, -5]
    assert kth_cosine(rows, others, 5) == pytest.approx(by_hand, abs=1e-6)


@pytest.mark.light
def test_few_rows_are_compared_without_the_threads_of_blas_and_in_one_call(monkeypatch):
    sizes = []
    matmul = np.matmul
    monkeypatch.setattr(np, "matmul", lambda a, b: sizes.append((a.size, b.shape)) or matmul(a, b))
    rows = unit_rows(np.ones((8, 1280), np.float32))
    kth_cosine(rows, unit_rows(np.ones((1000, 1280), np.float32)), 5)
    ((size, (pieces, _, step)),) = sizes
    assert size * step <= 1 << 18
    assert pieces * step == 1000
