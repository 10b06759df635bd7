"""Rows of a feature file as float32 matrices, read block by block and checked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import TrainingError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features

__all__ = ["read_rows"]

# Bytes read at a time: large enough for the disk, small beside any matrix that is kept.
BLOCK_BYTES = 64 << 20


def read_rows(features: Features, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Read some rows, flattened.

    Parameters
    ----------
    features : its `features` may be an array or an h5py dataset, (N, D) or (N, C, H, W)
    rows : (n,) int64, ascending row numbers

    Returns
    -------
    float32 array, shape (n, D)

    Raises
    ------
    TrainingError
        If a row holds a NaN or an infinity; names the ids.
    """
    data = features.features
    width = int(np.prod(data.shape[1:]))
    result = np.empty((len(rows), width), np.float32)
    bad: list[int] = []
    for start, stop, block in _blocks(data, width):
        first, last = np.searchsorted(rows, (start, stop))
        wanted = rows[first:last]
        result[first:last] = block[wanted - start].reshape(len(wanted), width)
        finite = np.isfinite(result[first:last]).all(axis=1)
        bad += wanted[~finite].tolist()
    if bad:
        named = ", ".join(str(features.ids[i]) for i in bad[:5])
        more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
        raise TrainingError(
            f"{len(bad)} rows hold NaN or infinite numbers: {named}{more}; extract these images "
            "again, or remove them"
        )
    return result


def _blocks(data: Any, width: int) -> Iterator[tuple[int, int, NDArray[Any]]]:
    # Whole blocks are read in order even where few rows are wanted: picking single rows out of
    # HDF5 chunks is slower by orders of magnitude.
    step = max(1, BLOCK_BYTES // max(1, 4 * width))
    for start in range(0, data.shape[0], step):
        stop = min(start + step, data.shape[0])
        yield start, stop, np.asarray(data[start:stop])
