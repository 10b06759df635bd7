"""Which rows may be among the k nearest of a query, by float32 scores and what those may be off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from penult.neighbors.best import ranked
from penult.neighbors.rounding import LARGEST, SMALLEST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.neighbors.candidates.batch import Batch

__all__ = ["Screening"]

_ENDS = np.finfo(np.float32).min, np.finfo(np.float32).max


class Screening:
    """Finds the rows that may be among the k nearest of each query of a batch.

    A score s is off by at most e, see `rounding`. So k rows whose scores are at least s have values
    of at least s - e, and so has the k-th nearest; a row is among the k nearest only if its score
    and e are at least that. This floor rises as rows are seen, and candidates that fall below
    it are given up. Rows whose lengths float32 products do not bear are candidates always.

    Parameters
    ----------
    batch : Batch
    k : int
    floor : float64 array, shape (Q,)
        What the k-th nearest of each query is known to reach, as a score; -inf where nothing is.
    most : int
        How many rows are compared at a time, at most.
    """

    def __init__(self, batch: Batch, k: int, floor: NDArray[np.float64], most: int) -> None:
        self._batch, self._k, self._floor = batch, k, floor.copy()
        self._scores = np.empty((most, len(batch)), np.float32)
        self._reached = np.empty((most, len(batch)), bool)
        # which, places, least and most that each may reach
        self._found: list[tuple[NDArray[Any], ...]] = []
        self._count = self._kept = 0

    def add(
        self,
        part: NDArray[np.float32],
        places: NDArray[np.int64] | slice,
        lengths: NDArray[np.float64],
        may: NDArray[np.bool_] | None,
        leave_out: NDArray[np.int64] | None,
    ) -> None:
        """Compare rows with all queries.

        Parameters
        ----------
        part : float32 array, shape (m, D)
        places : int64 array, shape (m,), ascending; or slice
            Of the rows.
        lengths : float64 array, shape (m,)
            Of the rows.
        may : bool array, shape (m,), optional
            Which of them may be found.
        leave_out : int64 array, shape (Q,), optional
            The place of a row that each query may not find; below 0 for none.
        """
        batch, m = self._batch, len(part)
        scores, reached = self._scores[:m], self._reached[:m]
        with np.errstate(all="ignore"):
            if len(batch) == 1:
                np.dot(part, batch.columns[:, 0], out=scores[:, 0])
            else:
                np.matmul(part, batch.columns, out=scores)
            wild = self._finish(scores, lengths)
        longest = float(lengths.max(initial=0, where=lengths <= LARGEST))
        if may is not None:
            scores[~may] = -np.inf
            wild = wild[may[wild]]
        if leave_out is not None:
            rows, whose = _own(places, m, leave_out)
            scores[rows, whose] = -np.inf

        errors = batch.errors(longest)
        self._first_floor(scores, errors)
        # Rounded down: what reaches the float64 threshold reaches this one. Scores of -inf do not.
        threshold = np.clip(self._floor - errors, *_ENDS).astype(np.float32)
        np.greater_equal(scores, np.nextafter(threshold, _ENDS[0]), out=reached)
        rows, which = np.divmod(np.flatnonzero(reached), len(batch))
        score = scores[rows, which].astype(np.float64)
        self._take(which, _at(places, rows), score - errors[which], score + errors[which])
        if len(wild):
            rows, which = (pair.ravel() for pair in np.indices((len(wild), len(batch))))
            at = _at(places, wild[rows])
            if leave_out is not None:
                kept = at != leave_out[which]
                at, which = at[kept], which[kept]
            ends = np.full(len(at), np.inf)
            self._take(which, at, -ends, ends)
        if self._count > 2 * self._kept + len(batch) * self._k + 4096:
            self._prune()

    def __len__(self) -> int:
        """How many candidates are held."""
        return self._count

    def take(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Hand over the candidates: numbers of queries, and places; each shape (P,)."""
        self._prune()
        if not self._found:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        which, places, *_ = self._found[0]
        self._found, self._count, self._kept = [], 0, 0
        return which, places

    def raise_floor(self, floor: NDArray[np.float64]) -> None:
        """Say what the k-th nearest are known to reach, once candidates were compared."""
        np.maximum(self._floor, floor, out=self._floor)

    def _finish(
        self, scores: NDArray[np.float32], lengths: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """Make scores of products, in place; the rows whose products say nothing have none."""
        if self._batch.metric == "cosine":
            fit = (lengths >= SMALLEST) & (lengths <= LARGEST)
            scores *= np.where(fit, 1 / lengths, 0).astype(np.float32)[:, None]
            unfit = ~fit & (lengths > 0)
        else:
            unfit = lengths > LARGEST
            scores -= (lengths**2 / 2).astype(np.float32)[:, None]
        if unfit.any():
            scores[unfit] = -np.inf
        return np.flatnonzero(unfit)

    def _first_floor(self, scores: NDArray[np.float32], errors: NDArray[np.float64]) -> None:
        """Give queries of which nothing is known the k-th best score for their floor."""
        bare = np.flatnonzero((self._floor == -np.inf) & np.isfinite(errors))
        if len(bare) and len(scores) >= self._k:
            columns = scores.T[bare]
            columns.partition(len(scores) - self._k, axis=1)
            self._floor[bare] = columns[:, len(scores) - self._k] - errors[bare]

    def _take(self, *found: NDArray[Any]) -> None:
        if len(found[0]):
            self._found.append(found)
            self._count += len(found[0])

    def _prune(self) -> None:
        """Raise the floors by what was found, and give up what falls below them."""
        if not self._found:
            return
        which, places, low, high = (
            np.concatenate(column) for column in zip(*self._found, strict=True)
        )
        order, position = ranked(which, -low)
        kth = order[position == self._k - 1]
        self._floor[which[kth]] = np.maximum(self._floor[which[kth]], low[kth])
        kept = high >= self._floor[which]
        self._found = [tuple(column[kept] for column in (which, places, low, high))]
        self._count = self._kept = int(kept.sum())


def _own(
    places: NDArray[np.int64] | slice, m: int, leave_out: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows that a query may not find, and those queries, by their numbers here."""
    if isinstance(places, slice):
        rows = leave_out - places.start
        whose = np.flatnonzero((rows >= 0) & (rows < m) & (leave_out >= 0))
    else:
        rows = np.searchsorted(places, leave_out).clip(max=m - 1)
        whose = np.flatnonzero(places[rows] == leave_out)
    return rows[whose], whose


def _at(places: NDArray[np.int64] | slice, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return rows + places.start if isinstance(places, slice) else places[rows]
