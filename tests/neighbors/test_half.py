import numpy as np
import pytest

from penult.neighbors import blocks
from penult.neighbors.blocks import Widener
from penult.neighbors.half import is_finite, widen

pytestmark = pytest.mark.light

EVERY = np.arange(2**16, dtype=np.uint16).view(np.float16)
FINITE = EVERY[np.isfinite(EVERY)].reshape(-1, 4)


def test_every_half_precision_number_is_widened_as_numpy_does():
    widened = widen(FINITE, np.empty(FINITE.shape, np.float32))
    assert widened.tobytes() == FINITE.astype(np.float32).tobytes()  # 0 and -0 differ, too


def test_rows_with_nan_or_infinite_numbers_are_told():
    rows = EVERY.reshape(-1, 4)
    assert is_finite(rows).tolist() == np.isfinite(rows).all(axis=1).tolist()


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_parts_of_half_precision_are_widened_by_any_number_of_threads(threads, monkeypatch):
    monkeypatch.setattr(blocks, "cores", lambda: threads)
    with Widener(5000, 4) as widened:
        for part in (FINITE[:5000], FINITE[5000:9000], FINITE[9000:9001]):
            np.testing.assert_array_equal(widened(part), part.astype(np.float32))


def test_parts_of_single_precision_are_not_copied():
    rows = FINITE.astype(np.float32)
    with Widener(10, 4) as widened:
        assert widened(rows[:10]).base is rows
