"""Rows of a feature file as float32 matrices, read block by block and checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from penult.errors import TrainingError
from penult.progress import announcing_late
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features

__all__ = ["BLOCK_BYTES", "not_finite", "read_blocks", "read_rows", "row_length"]

# Bytes read at a time: large enough for the disk, small beside any matrix that is kept.
BLOCK_BYTES = 16 << 20


def read_rows(features: Features, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Read some rows, flattened.

    Parameters
    ----------
    features : Features
        Its `features` may be an array or an h5py dataset, (N, D) or (N, C, H, W).
    rows : int64 array, shape (n,)
        Row numbers, ascending.

    Returns
    -------
    float32 array, shape (n, D)
        The rows.

    Raises
    ------
    TrainingError
        If a row holds a NaN or an infinity; names the ids.
    """
    result = np.empty((len(rows), row_length(features)), np.float32)
    count_rows = announcing_late("reading the rows", len(rows))
    for part, block in read_blocks(features, rows):
        result[part] = block
        count_rows(part.stop)
    return result


def read_blocks(
    features: Features, rows: NDArray[np.int64], *, block_bytes: int = BLOCK_BYTES
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Read some rows block by block, flattened; so their number may exceed the memory.

    Parameters
    ----------
    features : Features
        As for `read_rows`.
    rows : int64 array, shape (n,)
        Row numbers, ascending.
    block_bytes : int, default=16 MiB
        Most bytes of float32 to read at a time.

    Yields
    ------
    places : slice
        Places in `rows`.
    block : float32 array, shape (m, D)
        The rows there, all finite.

    Raises
    ------
    TrainingError
        At the end, if a row holds a NaN or an infinity; names the ids.
    """
    data, width = features.features, row_length(features)
    step = max(1, block_bytes // max(1, 4 * width))
    bad: list[int] = []
    # Whole blocks are read in order even where few rows are wanted: picking single rows out of
    # HDF5 chunks is slower by orders of magnitude.
    for start in range(0, data.shape[0], step):
        stop = min(start + step, data.shape[0])
        first, last = np.searchsorted(rows, (start, stop))
        if first == last:
            continue
        wanted = rows[first:last]
        block = np.asarray(data[start:stop])
        if len(wanted) < len(block):
            block = block[wanted - start]
        block = block.reshape(len(wanted), width).astype(np.float32, copy=False)
        finite = np.isfinite(block).all(axis=1)
        bad += wanted[~finite].tolist()
        if finite.all():
            yield slice(int(first), int(last)), block
    if bad:
        raise not_finite([str(features.ids[i]) for i in bad])


def not_finite(ids: Sequence[str]) -> TrainingError:
    """Say that the rows of some images hold what is no number, and name a few."""
    named = ", ".join(ids[:5])
    more = f" and {len(ids) - 5} more" if len(ids) > 5 else ""
    return TrainingError(
        f"{count(len(ids), 'row')} with NaN or infinite numbers: {named}{more}; "
        f"extract these images again, or remove them"
    )


def row_length(features: Features) -> int:
    """Count the numbers of a row, flattened."""
    return int(np.prod(features.features.shape[1:]))
