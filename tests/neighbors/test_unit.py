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
