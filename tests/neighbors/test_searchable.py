import h5py
import numpy as np
import pytest

from penult.errors import SearchError
from penult.neighbors import blocks
from penult.neighbors.searchable import require_searchable

pytestmark = pytest.mark.light

ROWS = np.array([[3, 4], [0, 0], [0.5, 0], [0, 0]], np.float32)
IDS = ["daisy/1.jpg", "daisy/2.jpg", "tulip/1.jpg", "tulip/2.jpg"]


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_rows_are_measured(dtype, tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 20)
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        for rows in (ROWS.astype(dtype), file.create_dataset("rows", data=ROWS.astype(dtype))):
            assert require_searchable(rows, IDS, "euclidean").tolist() == [5, 0, 0.5, 0]


def test_rows_of_zeros_have_no_cosine():
    with pytest.raises(SearchError) as error:
        require_searchable(ROWS, IDS, "cosine", "gallery.h5")
    assert str(error.value) == (
        "gallery.h5: 2 rows of zeros (daisy/2.jpg, tulip/2.jpg), which have no cosine; leave them "
        "out, or give metric='euclidean'"
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_rows_with_nan_or_infinite_numbers_are_refused(dtype, number):
    rows = np.ones((300, 2), dtype)
    rows[7, 1] = number
    with pytest.raises(
        SearchError, match=r"^1 row with NaN or infinite numbers \(number 7\); leave"
    ):
        require_searchable(rows, None, "euclidean")


def test_only_a_few_of_many_are_named():
    with pytest.raises(
        SearchError, match=r"^20 rows of zeros \(0, 1, 2, 3, 4, 5, 6, 7 and 12 more\)"
    ):
        require_searchable(np.zeros((20, 3), np.float32), list("0123456789abcdefghij"), "cosine")


def test_huge_rows_are_finite():
    rows = np.full((2, 4), 3e38, np.float32)
    assert require_searchable(rows, None, "cosine") == pytest.approx(6e38)
