"""Exact search: each query against all rows, a block of rows at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import SearchError
from penult.neighbors.best import Best
from penult.neighbors.blocks import Widener, blocks, row_length
from penult.neighbors.candidates.batch import Batch
from penult.neighbors.candidates.measured import MeasuredBlock
from penult.neighbors.candidates.screening import Screening
from penult.neighbors.candidates.shortlist import add_shortlisted
from penult.neighbors.lengths import block_lengths
from penult.neighbors.pair_values import pair_values
from penult.records import Neighbors
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Rows
    from penult.records.neighbors import Metric

__all__ = ["nearest"]

# Queries that are compared with a row while it is in cache.
_QUERIES = 256
# Numbers of all their k nearest, so that memory is bounded for any k.
_FOUND = 1 << 22
# Rows compared at a time: scores of this many, and rows, at most; and of rows that have to be
# made float32 or copied, numbers, but no fewer rows than that. Threads of BLAS wait for each
# other after each time, so they are many more than fit into a cache.
_SCORES, _ROWS = 1 << 20, 1 << 18
_NUMBERS, _LEAST = 1 << 23, 128
# By the first few rows it is known how near the k-th nearest is at least; so they are few.
_FIRST = 512
# Candidates that wait to be compared in float64, beside four times those that are wanted.
_PENDING = 1 << 16


def nearest(
    rows: Rows,
    queries: NDArray[Any],
    k: int,
    *,
    metric: Metric = "cosine",
    leave_out: NDArray[np.int64] | None = None,
    allowed: NDArray[np.bool_] | None = None,
    rank: NDArray[np.int64] | None = None,
    lengths: NDArray[np.float64] | None = None,
) -> Neighbors:
    """Find the k nearest rows of each query.

    Rows are screened by float32 matrix products, and those that may be among the k nearest, given
    what such products may be off, are compared in float64: see `screening.Screening`. So the result
    is complete and depends, to the last bit, on no number of threads, no BLAS and no size of block.
    Contiguous rows in memory, or mapped into it, are used where they lie; others are read a block
    at a time.

    Parameters
    ----------
    rows : float32 or float16 array or h5py dataset, shape (N, D) or (N, …)
        Finite; one of zeros has no cosine and is never found by it.
    queries : float array or h5py dataset, shape (Q, D) or (Q, …)
        Finite; for cosine, none all zeros.
    k : int
        At least 1; it may be more than there are rows.
    metric : {"cosine", "euclidean"}
        Cosine similarity, larger is nearer; or Euclidean distance, smaller is nearer.
    leave_out : int64 array, shape (Q,), optional
        The place of a row that the query may not find, which is itself; -1 for none.
    allowed : bool array, shape (N,), optional
        Which rows may be found at all.
    rank : int64 array, shape (N,), optional
        Of rows that are equally near, those of a smaller rank come first; then those of a smaller
        place.
    lengths : float64 array, shape (N,), optional
        The rows' lengths, as `searchable.require_searchable` gives them; measured where they are
        not given.

    Returns
    -------
    Neighbors
        Values are worked out in float64 from the rows' differences, so that those of equal rows are
        1, or 0, exactly.

    Raises
    ------
    SearchError
        If a query has another length, is not finite, or is all zeros and is to have a cosine.
    """
    width = row_length(rows)
    if row_length(queries) != width:
        raise SearchError(
            f"queries have {count(row_length(queries), 'number')} each, the rows {count(width)}"
        )
    best = Best(len(queries), k, metric, rank)
    step = max(1, min(_QUERIES, _FOUND // k))
    for start, block in blocks(rows):
        part = slice(start, start + len(block))
        measured = block_lengths(block) if lengths is None else lengths[part]
        may = None if allowed is None else allowed[part]
        if metric == "cosine" and not (some := measured > 0).all():
            may = some if may is None else may & some
        seen = MeasuredBlock(start=start, rows=block, lengths=measured, may=may)
        for first in range(0, len(queries), step):
            of = slice(first, first + step)
            own = None if leave_out is None else leave_out[of] - start
            batch, found = Batch.of(queries[of], metric, first), best.take(of)
            left = add_shortlisted(seen, batch, found, own)
            if len(left) == len(batch):
                _screen(seen, batch, found, own)
            elif len(left):
                taken = found.take(left)
                _screen(seen, batch.take(left), taken, None if own is None else own[left])
                found.put(left, taken)
    return Neighbors(places=best.places, values=best.values, metric=metric)


def _screen(
    block: MeasuredBlock, batch: Batch, best: Best, leave_out: NDArray[np.int64] | None
) -> None:
    """Add the nearest rows of a block to those that a batch of queries has found."""
    k, width = best.k, block.rows.shape[1]
    metric = batch.metric
    most = min(_SCORES // len(batch), _ROWS, len(block))
    if block.rows.dtype != np.float32 or block.sparse:
        most = min(most, max(_LEAST, _NUMBERS // max(1, width)))
    most = max(1, most)
    screening = Screening(batch, k, batch.scores(best.last()), most)

    def settle() -> None:
        which, places = screening.take()
        best.add(
            which,
            places + block.start,
            pair_values(block.rows, places, batch.asked, which, metric),
        )
        screening.raise_floor(batch.scores(best.last()))

    with Widener(most, width) as widened:
        for numbers in block.parts(most if len(batch) == 1 else max(_FIRST, 2 * k), most):
            screening.add(
                widened(block.rows[numbers]),
                numbers,
                block.lengths[numbers],
                None if block.may is None else block.may[numbers],
                leave_out,
            )
            if len(screening) > 4 * len(batch) * k + _PENDING:
                settle()
    settle()
