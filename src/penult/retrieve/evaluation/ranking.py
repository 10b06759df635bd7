"""All rows of a gallery in the order in which a query finds them, and which comes first of equals.

Rows are ranked by their distance to the query (of rows scaled to length 1, for cosine). Of rows
that are equally near, those with the smaller digest come first: the digest of the image's bytes, or
of the row where that is not known. So neither the names of files nor their order in the gallery
play a part. What is still equal is the same image twice, and where one is relevant and the other is
not, as their labels may have it, the irrelevant one comes first: nothing can tell them apart, and
the scores promise no more than is certain.

Distances are found by one matrix product in float64. Where two of them are nearer to each other
than the product's rounding errors, they are worked out again from the rows' differences
(`penult.neighbors.pair_values.pair_values`), as a search does. So the order is that of a search, it
depends neither on how many queries are ranked at a time nor on the number of threads, and equal
rows are exactly equally near.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from penult.neighbors.lengths import lengths_of
from penult.neighbors.pair_values import pair_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records.neighbors import Metric

__all__ = ["Alike", "Ranker", "Ranking"]

# Rows of the gallery multiplied at a time.
_COLUMNS = 1024


@dataclass(frozen=True)
class Alike:
    """Neighbours in a ranking that nothing can tell apart: equally near, and of one digest.

    Attributes
    ----------
    at : int64 array, shape (n,)
        Places in the flattened ranking, ascending.
    run : int64 array, shape (n,)
        Of which run of them each is, ascending.
    """

    at: NDArray[np.int64]
    run: NDArray[np.int64]

    def irrelevant_first(self, gain: NDArray[np.generic]) -> None:
        """Put the smaller gains of each run first, in place.

        Parameters
        ----------
        gain : array, shape (n_queries, n_ranked)
            Contiguous; relevance in the order of the ranking.
        """
        flat = gain.reshape(-1)
        values = flat[self.at]
        flat[self.at] = values[np.lexsort((values, self.run))]


@dataclass(frozen=True)
class Ranking:
    """The rows of a gallery in the order in which each query finds them.

    Attributes
    ----------
    places : int64 array, shape (n_queries, M)
        Of the rows, nearest first; rows that the query may not find come last.
    found : int64 array, shape (n_queries,)
        How many it may find.
    alike : Alike
        Rows next to each other that nothing can tell apart.
    """

    places: NDArray[np.int64]
    found: NDArray[np.int64]
    alike: Alike


class Ranker:
    """Rows that may query and be found.

    Parameters
    ----------
    rows : float32 array, shape (N, D)
        Finite; for cosine none all zeros.
    digests : int64 array, shape (N,)
        The rank of each row's digest among all of them; the same for the same image.
    images : int64 array, shape (N,)
        A row does not find those of its own number: itself, also where it lies in two files.
    metric : {"cosine", "euclidean"}
        By what rows are near.
    """

    def __init__(
        self,
        rows: NDArray[np.float32],
        digests: NDArray[np.int64],
        images: NDArray[np.int64],
        metric: Metric = "cosine",
    ) -> None:
        self._rows, self._metric = rows, metric
        self._digests, self._images = digests, images
        self._same = _number_equal(rows)
        self._lengths, self._squares = np.ones(len(rows)), np.empty(len(rows))
        for start in range(0, len(rows), _COLUMNS):
            part = slice(start, start + _COLUMNS)
            if metric == "cosine":
                self._lengths[part] = lengths_of(rows[part].astype(np.float64))
            self._squares[part] = np.square(self._asked(part)).sum(axis=1)

    def rank(self, queries: NDArray[np.int64], gallery: NDArray[np.int64]) -> Ranking:
        """Rank a gallery for each of some queries.

        Parameters
        ----------
        queries : int64 array, shape (n_queries,)
            Places of rows; few at a time, for each takes some 80 bytes a row of the gallery.
        gallery : int64 array, shape (M,)
            Places of rows.
        """
        squares = self._approximate(queries, gallery)
        own = self._images[gallery] == self._images[queries][:, None]
        squares[own] = np.inf
        order = squares.argsort(axis=1)
        line = np.arange(len(queries))[:, None]
        sorted_squares = squares[line, order]
        places = gallery[order]
        # Twice what the product of two rows can be off, twice over.
        width = self._rows.shape[1]
        reach = self._squares[queries] + self._squares[gallery].max(initial=0)
        slack = 4 * np.finfo(np.float64).eps * (width + 8) * reach
        with np.errstate(invalid="ignore"):  # those left out are infinitely far, all of them
            near = np.diff(sorted_squares, axis=1) <= slack[:, None]
        alike = self._settle(queries, places, near)
        return Ranking(places, len(gallery) - own.sum(axis=1), alike)

    def _asked(self, places: slice | NDArray[np.int64]) -> NDArray[np.float64]:
        """Return rows as `as_asked` does; all of them at once would be twice what they are."""
        asked: NDArray[np.float64] = self._rows[places].astype(np.float64)
        if self._metric == "cosine":
            asked /= self._lengths[places, None]
        return asked

    def _approximate(
        self, queries: NDArray[np.int64], gallery: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Squared distances, (n_queries, M), by the expansion of the square."""
        asked = self._asked(queries)
        found = np.empty((len(queries), len(gallery)))
        for start in range(0, len(gallery), _COLUMNS):
            part = gallery[start : start + _COLUMNS]
            columns = slice(start, start + len(part))
            whole = part[-1] - part[0] == len(part) - 1  # and need not be copied
            rows = self._asked(slice(part[0], part[-1] + 1) if whole else part)
            np.matmul(asked, rows.T, out=found[:, columns])
            found[:, columns] *= -2
            found[:, columns] += self._squares[part]
        found += self._squares[queries][:, None]
        return found

    def _settle(
        self,
        queries: NDArray[np.int64],
        places: NDArray[np.int64],
        near: NDArray[np.bool_],
    ) -> Alike:
        """Order rows that are too near to each other for a product to tell, in place.

        Parameters
        ----------
        near : bool array, shape (n_queries, M - 1)
            Whether a row is so near to the next.
        """
        none = np.zeros((len(places), 1), bool)
        before, after = np.hstack([none, near]), np.hstack([near, none])
        at = np.flatnonzero(before | after)
        if not len(at):
            return Alike(at, at)
        run = np.cumsum(~before.reshape(-1)[at])
        flat = places.reshape(-1)
        found = flat[at]
        asked = queries[at // places.shape[1]]
        # Rows that are equal are equally near as they stand.
        start = np.flatnonzero(np.diff(run, prepend=0))
        same = self._same[found]
        mixed = np.maximum.reduceat(same, start) > np.minimum.reduceat(same, start)
        unsure = mixed[run - 1]
        value = np.zeros(len(at))
        value[unsure] = self._values(asked[unsure], found[unsure])
        if self._metric == "cosine":
            value = -value
        digest = self._digests[found]
        order = np.lexsort((found, digest, value, run))
        flat[at] = found[order]
        value, digest = value[order], digest[order]
        equal = np.zeros(len(at), bool)
        equal[1:] = (np.diff(run) == 0) & (np.diff(value) == 0) & (np.diff(digest) == 0)
        alike = equal | np.append(equal[1:], False)
        return Alike(at[alike], np.cumsum(~equal)[alike])

    def values(self, query: int, found: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the cosines of one row with some others, or its distances to them, exactly."""
        return self._values(np.full(len(found), query), found)

    def _values(self, queries: NDArray[np.int64], found: NDArray[np.int64]) -> NDArray[np.float64]:
        of, which = np.unique(queries, return_inverse=True)
        return pair_values(self._rows, found, self._asked(of), which, self._metric)


def _number_equal(rows: NDArray[np.float32]) -> NDArray[np.int64]:
    """Give rows that are equal, byte for byte, the same number."""
    seen: dict[bytes, int] = {}
    digests = (blake2b(row, digest_size=16).digest() for row in np.ascontiguousarray(rows))
    return np.array([seen.setdefault(one, len(seen)) for one in digests], np.int64)
