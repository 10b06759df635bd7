"""Rows that faiss finds for queries, and whether they are all that may be nearest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penult.neighbors.candidates.faiss_flat import is_of_use, largest_products
from penult.neighbors.pair_values import pair_values
from penult.neighbors.rounding import LARGEST, SMALLEST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.neighbors.best import Best
    from penult.neighbors.candidates.batch import Batch
    from penult.neighbors.candidates.measured import MeasuredBlock

__all__ = ["add_shortlisted"]

# More rows than are wanted, by which it is seen that no others can be among these.
_MORE = 16
# faiss ranks by products alone, so the rows must be about equally long.
_SPREAD = 1.01


def add_shortlisted(
    block: MeasuredBlock, batch: Batch, best: Best, leave_out: NDArray[np.int64] | None
) -> NDArray[np.int64]:
    """Add the nearest rows of a block where faiss finds them faster than NumPy.

    faiss gives the k and a few more rows whose products with a query are largest. All others have
    products of at most the smallest of these, from which follows the best score that any of them
    may have. Where that is less than the score of the k-th nearest of those found, compared in
    float64, by more than it may be off, see `rounding`, the k nearest are among these. Elsewhere
    rows are equally near, or nearly so, and the query is left to `screening`.

    Parameters
    ----------
    block : MeasuredBlock
    batch : Batch
    best : Best
        Of the batch.
    leave_out : int64 array, shape (Q,), optional
        The row of the block that each query may not find; below 0 for none.

    Returns
    -------
    int64 array
        Queries that have to be screened, since it cannot be told that theirs were all found.
    """
    every = np.arange(len(batch))
    k = best.k
    wanted = min(len(block), k + _MORE + k // 8 + (leave_out is not None))
    if block.may is not None or not is_of_use(block.rows, len(batch), wanted):
        return every
    shortest, longest = float(block.lengths.min()), float(block.lengths.max())
    if not (shortest >= SMALLEST and longest <= min(LARGEST, _SPREAD * shortest)):
        return every
    single, places = largest_products(block.rows, np.ascontiguousarray(batch.columns.T), wanted)
    products = single.astype(np.float64)
    scores = batch.finished(products, block.lengths[places])
    if leave_out is not None:
        scores[places == leave_out[:, None]] = -np.inf
    errors = batch.errors(longest)
    floor = batch.scores(best.last())
    if k <= wanted:
        floor = np.maximum(floor, -np.sort(-scores, axis=1)[:, k - 1] - errors)
    which, column = np.nonzero((scores + errors[:, None] >= floor[:, None]) & (scores > -np.inf))
    rows = places[which, column]
    values = pair_values(block.rows, rows, batch.asked, which, batch.metric)
    best.add(which, rows + block.start, values)
    # All others have at most the smallest product, and some length between these.
    ends = np.array([[shortest, longest]])
    others = batch.finished(products[:, -1:], ends).max(axis=1)
    incomplete = (others + errors >= batch.scores(best.last())) & (wanted < len(block))
    # faiss is trusted as far as what it computes is as it should be.
    off = np.abs(batch.scores(values, which) - scores[which, column]) > errors[which]
    incomplete[which[off]] = True
    return np.flatnonzero(incomplete)
