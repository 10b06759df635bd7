"""Search by a structure: likely neighbours, verified on the rows themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from penult.neighbors.blocks import row_length
from penult.neighbors.exact import nearest
from penult.neighbors.verified import verified
from penult.records import Neighbors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Rows
    from penult.records.neighbors import Metric
    from penult.retrieve.structures.base import Effort, Structure

__all__ = ["exact_among", "likely_nearest"]

# Candidates of a query at least, however few rows are asked for.
_LEAST = 32
# Where fewer rows may be found, or so large a share is to be verified, all are compared.
_FEW, _SHARE = 1024, 4
# efSearch or nprobe, at most, where most rows may not be found.
_MOST_VISITS = 2048
# Rows that may be found are taken out of the others if they are so few, and no more bytes.
_RARE, _TAKEN = 8, 256 << 20


def likely_nearest(
    rows: Rows,
    structure: Structure,
    effort: Effort,
    queries: NDArray[Any],
    k: int,
    *,
    metric: Metric,
    lengths: NDArray[np.float64],
    rank: NDArray[np.int64],
    leave_out: NDArray[np.int64] | None = None,
    allowed: NDArray[np.bool_] | None = None,
) -> Neighbors:
    """Find the k rows of each query that are likely the nearest.

    Candidates come from the structure, and are compared in float64 as exact search does it. A query
    that finds fewer than k of them, though there are k, is searched for exactly.

    Parameters
    ----------
    rows, queries, k, metric, leave_out, allowed, rank
        As `penult.neighbors.exact.nearest` has them.
    structure : Structure
        Of the rows.
    effort : Effort
        How much of it is looked at.
    lengths : float64 array, shape (N,)
        The rows' lengths.
    """
    there = len(rows) if allowed is None else int(np.count_nonzero(allowed))
    most = max(_LEAST, k * effort.candidates) + (leave_out is not None)
    options: Any = {"metric": metric, "rank": rank, "allowed": allowed}
    if there <= _FEW or most * _SHARE >= there:
        return exact_among(rows, queries, k, lengths=lengths, leave_out=leave_out, **options)
    share = there / len(rows) * (1 - structure.wasted)
    found = verified(
        rows,
        queries,
        structure.candidates(
            structure.space(queries),
            most,
            min(int(effort.visits / share), max(effort.visits, _MOST_VISITS)),
            allowed,
        ),
        k,
        leave_out=leave_out,
        **options,
    )
    wanted = np.full(len(queries), there)
    if leave_out is not None:
        own = leave_out >= 0
        wanted[own] -= 1 if allowed is None else allowed[leave_out[own]]
    short = np.flatnonzero((found.places >= 0).sum(axis=1) < np.minimum(wanted, k))
    if len(short):
        theirs = None if leave_out is None else leave_out[short]
        again = exact_among(rows, queries[short], k, lengths=lengths, leave_out=theirs, **options)
        found.places[short], found.values[short] = again.places, again.values
    return found


def exact_among(
    rows: Rows,
    queries: NDArray[Any],
    k: int,
    *,
    metric: Metric,
    lengths: NDArray[np.float64],
    rank: NDArray[np.int64],
    leave_out: NDArray[np.int64] | None,
    allowed: NDArray[np.bool_] | None,
) -> Neighbors:
    """Search exactly; where few rows may be found, those alone are read.

    Parameters
    ----------
    rows, queries, k, metric, lengths, rank, leave_out, allowed
        As `penult.neighbors.exact.nearest` has them.
    """
    few = None if allowed is None else np.flatnonzero(allowed)
    taken = 0 if few is None else len(few) * row_length(rows) * rows.dtype.itemsize
    if few is None or not len(few) or len(few) * _RARE > len(rows) or taken > _TAKEN:
        return nearest(
            rows, queries, k, metric=metric, lengths=lengths, rank=rank,
            leave_out=leave_out, allowed=allowed,
        )  # fmt: skip
    own = None
    if leave_out is not None:
        place = np.searchsorted(few, leave_out).clip(max=len(few) - 1)
        own = np.where(few[place] == leave_out, place, -1)
    found = nearest(
        rows[few], queries, k, metric=metric, lengths=lengths[few], rank=rank[few], leave_out=own
    )
    places = np.where(found.places >= 0, few[found.places], -1)
    return Neighbors(places=places, values=found.values, metric=metric)
