"""How much a structure finds of what exact search finds, and the effort that this takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penult.neighbors.exact import nearest
from penult.retrieve.index_file.parts import Recall
from penult.retrieve.likely import likely_nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Rows
    from penult.records.neighbors import Metric
    from penult.retrieve.structures.base import Effort, Structure

__all__ = ["ENOUGH", "LEAST_ROWS", "held_out", "measured_effort"]

ENOUGH = 0.98
"""Recall that is sought."""

_SOUGHT = 0.985  # of the sample, so that of others it is enough
_QUERIES, _K = 256, 10
_LEAST, _SHARE = 32, 4  # rows that are worth measuring with, one of so many

LEAST_ROWS = _LEAST * _SHARE
"""Of an index, so that its recall is measured."""


def held_out(among: NDArray[np.int64]) -> NDArray[np.int64]:
    """Draw the rows to be searched for, before they are added; ascending, none of few."""
    size = min(_QUERIES, len(among) // _SHARE)
    if size < _LEAST:
        return among[:0]
    return np.sort(np.random.default_rng(0).choice(among, size, replace=False))


def measured_effort(
    rows: Rows,
    structure: Structure,
    held: NDArray[np.int64],
    others: NDArray[np.bool_],
    metric: Metric,
    lengths: NDArray[np.float64],
    rank: NDArray[np.int64],
) -> tuple[Effort, Recall | None]:
    """Find the least effort at which enough is found; the most, where none is enough.

    Rows that the structure does not have are searched for, exactly and by the structure: those that
    it has are more easily found than what a photo gives. A row counts as found if it is as near as
    the last of those that exact search finds.

    Parameters
    ----------
    held : int64 array, shape (h,)
        Places of the rows to search for.
    others : bool array, shape (N,)
        Which rows the structure has.
    rows, metric, lengths, rank
        As `penult.neighbors.exact.nearest` has them.

    Returns
    -------
    effort : Effort
    recall : Recall or None
        None where there are too few rows to measure it.
    """
    k = min(_K, int(others.sum()))
    if not len(held) or not k:
        return structure.efforts[-1], None
    queries = rows[held]
    wanted = nearest(
        rows, queries, k, metric=metric, allowed=others, lengths=lengths, rank=rank
    ).values
    last = wanted[:, -1:]
    for effort in structure.efforts:
        found = likely_nearest(
            rows,
            structure,
            effort,
            queries,
            k,
            metric=metric,
            lengths=lengths,
            rank=rank,
            allowed=others,
        ).values
        near = found >= last if metric == "cosine" else found <= last
        value = float(near.mean())
        if value >= _SOUGHT:
            break
    return effort, Recall(value=value, k=k, queries=len(held))
