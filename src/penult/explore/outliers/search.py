"""The nearest rows of a reference, for rows of it and for others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.explore.outliers.references import ComparedPart, Comparisons
from penult.neighbors.exact import nearest
from penult.partition.rows import read_rows, row_length
from penult.progress import Tell
from penult.records import Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features, Rows
    from penult.records.neighbors import Metric

__all__ = ["FoundNeighbors", "search_parts"]

_BYTES = 512 << 20  # of classes in memory at a time
_QUERIES = 4096  # rows that search at a time, fewer of long ones
_QUERY_BYTES = 256 << 20


@dataclass(frozen=True)
class FoundNeighbors:
    """The k nearest of a reference, the nearest first.

    Attributes
    ----------
    near : int64 array, shape (m + q, k)
        Places in the part's `reference`: of its own rows, and then of the others.
    distances : float64 array, shape (m + q, k)
        1 minus the cosine, or Euclidean.
    """

    near: NDArray[np.int64]
    distances: NDArray[np.float64]


def search_parts(
    features: Features, comparisons: Comparisons, metric: Metric, tell: Tell
) -> Iterator[tuple[ComparedPart, FoundNeighbors]]:
    """Find the nearest rows within each part, exactly.

    Classes are read into memory, as many at a time as 512 MB hold; what is larger is compared
    where it lies, so that memory is bounded for any number of rows.

    Parameters
    ----------
    features : Features
    comparisons : Comparisons
    metric : {"cosine", "euclidean"}
    tell : callable
        Told of rows that have searched.

    Yields
    ------
    part : ComparedPart
    found : FoundNeighbors
    """
    searching = _Searching(comparisons, metric, tell)
    most = max(1, _BYTES // max(1, 4 * row_length(features)))
    for parts in _batches(comparisons.parts, most):
        if sum(map(_size, parts)) > most:  # a part by itself
            yield parts[0], searching.within(features.features, parts[0], parts[0])
            continue
        places = np.sort(np.concatenate([_places(one) for one in parts]))
        rows = read_rows(features, places)
        for one in parts:
            yield one, searching.within(rows, one, _among(one, places))


def _size(part: ComparedPart) -> int:
    return len(part.reference) + len(part.others)


def _places(part: ComparedPart) -> NDArray[np.int64]:
    return np.concatenate([part.reference, part.others])


def _among(part: ComparedPart, places: NDArray[np.int64]) -> _Places:
    """The same part, by the places of its rows among those that were read."""
    return _Places(*(np.searchsorted(places, one) for one in (part.reference, part.others)))


def _batches(parts: Sequence[ComparedPart], most: int) -> Iterator[list[ComparedPart]]:
    batch: list[ComparedPart] = []
    for one in parts:
        if batch and sum(map(_size, batch)) + _size(one) > most:
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch


@dataclass(frozen=True)
class _Places:
    reference: NDArray[np.int64]
    others: NDArray[np.int64]


class _Searching:
    def __init__(self, comparisons: Comparisons, metric: Metric, tell: Tell) -> None:
        self._k, self._lengths = comparisons.k, comparisons.lengths
        self._metric: Metric = metric
        self._total = sum(map(_size, comparisons.parts))
        self._done, self._tell = 0, tell

    def within(self, rows: Rows, part: ComparedPart, at: _Places | ComparedPart) -> FoundNeighbors:
        """Search a part whose rows lie in `rows` at the places of `at`."""
        lengths = np.zeros(len(rows))
        lengths[at.reference] = self._lengths[part.reference]
        allowed = np.zeros(len(rows), bool)
        allowed[at.reference] = True
        size = (_size(part), self._k)
        near, distances = np.empty(size, np.int64), np.empty(size)
        start = 0
        for own, places in ((True, at.reference), (False, at.others)):
            for queries, some in _queries(rows, places):
                found = nearest(
                    rows,
                    queries,
                    self._k,
                    metric=self._metric,
                    leave_out=some if own else None,
                    allowed=allowed,
                    lengths=lengths,
                )
                here = slice(start, start + len(some))
                near[here] = np.searchsorted(at.reference, found.places)
                distances[here] = found.values
                start += len(some)
                self._say(len(some))
        if self._metric == "cosine":
            distances = np.maximum(0, 1 - distances)
        return FoundNeighbors(near, distances)

    def _say(self, rows: int) -> None:
        self._done += rows
        few = self._total < 10_000
        told = Progress(self._done, self._total, 0, stage="neighbours", unit="rows", brief=few)
        self._tell(told)


def _queries(
    rows: Rows, places: NDArray[np.int64]
) -> Iterator[tuple[NDArray[Any], NDArray[np.int64]]]:
    """Rows at some places, ascending, and those; read together with what lies between them."""
    width = int(np.prod(rows.shape[1:]))
    step = max(1, min(_QUERIES, _QUERY_BYTES // (4 * max(1, width))))
    for start in range(0, len(rows), step):
        first, last = np.searchsorted(places, (start, start + step))
        if first < last:
            some = places[first:last]
            block = np.asarray(rows[start : min(start + step, len(rows))])
            yield block if len(some) == len(block) else block[some - start], some
