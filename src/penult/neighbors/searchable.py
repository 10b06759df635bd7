"""Whether rows can be searched, or searched for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from penult.errors import SearchError
from penult.interface import option
from penult.neighbors.blocks import blocks
from penult.neighbors.lengths import block_lengths
from penult.progress import announcing_late
from penult.wording import count, listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Rows
    from penult.records.neighbors import Metric

__all__ = ["require_finite", "require_searchable"]


def require_finite(lengths: NDArray[np.float64], ids: Sequence[str] | None, name: str = "") -> None:
    """Refuse rows that hold NaN or infinite numbers, by their lengths, which are not finite either.

    Parameters
    ----------
    lengths : float64 array, shape (N,)
    ids, name
        As for `require_searchable`.

    Raises
    ------
    SearchError
        Names the rows.
    """
    if not (finite := np.isfinite(lengths)).all():
        raise SearchError(
            f"{_whose(name)}{count(int((~finite).sum()), 'row')} with NaN or infinite numbers "
            f"({_named(~finite, ids)}); leave them out, or extract them again"
        )


def require_searchable(
    rows: Rows,
    ids: Sequence[str] | None,
    metric: Metric,
    name: str = "",
) -> NDArray[np.float64]:
    """Check that rows are finite and, for cosine, not all zeros; measure them on the way.

    One pass over the rows, as cheap as reading them.

    Parameters
    ----------
    rows : float32 or float16 array or h5py dataset, shape (N, D) or (N, …)
    ids : sequence of str, length N, or None
        What messages call the rows; their places where it is None.
    metric : {"cosine", "euclidean"}
        By which they are to be compared.
    name : str
        Of their file, for messages.

    Returns
    -------
    float64 array, shape (N,)
        The rows' lengths, which `exact.nearest` takes so as not to measure them once more.

    Raises
    ------
    SearchError
        Names the rows that are refused.
    """
    lengths = np.empty(len(rows))
    count_rows = announcing_late("reading the rows", len(rows))
    for start, block in blocks(rows):
        lengths[start : start + len(block)] = block_lengths(block)
        count_rows(start + len(block))
    require_finite(lengths, ids, name)
    if metric == "cosine" and (zero := lengths == 0).any():
        rows_of_zeros = f"{count(int(zero.sum()), 'row')} of zeros ({_named(zero, ids)})"
        raise SearchError(
            f"{_whose(name)}{rows_of_zeros}, which have no cosine; leave them out, or "
            f"give {option('metric', 'euclidean')}"
        )
    return lengths


def _whose(name: str) -> str:
    return f"{name}: " if name else ""


def _named(wrong: NDArray[np.bool_], ids: Sequence[str] | None) -> str:
    places = np.flatnonzero(wrong)
    few = places[:9].tolist()  # one more than are listed
    names = [f"number {place}" if ids is None else str(ids[place]) for place in few]
    names += [""] * (len(places) - len(few))
    return listed(names)
