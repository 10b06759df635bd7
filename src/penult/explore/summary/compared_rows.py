"""Rows whose neighbours and distances are measured, and their nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from penult.neighbors.distinct import DistinctRows
from penult.neighbors.exact import nearest
from penult.neighbors.lengths import block_lengths
from penult.partition.rows import read_rows, row_length
from penult.records import Neighbors, Progress, RowCopies

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.progress import Tell
    from penult.records import Features
    from penult.records.neighbors import Metric

__all__ = ["ComparedRows", "copies_of", "nearest_others", "read_compared"]

_BYTES = 512 << 20  # of rows in memory
_QUERIES = 1_000  # between two words on how far it is
_NAMED = 5


@dataclass(frozen=True)
class ComparedRows:
    """Rows in memory, no two of which are equal.

    Attributes
    ----------
    places : int64 array, shape (n,)
        In the features, ascending.
    rows : float32 array, shape (n, D)
    of : int
        How many there are that could be compared.
    """

    places: NDArray[np.int64]
    rows: NDArray[np.float32]
    of: int


def copies_of(features: Features, distinct: DistinctRows) -> RowCopies:
    """Count the rows that are equal to an earlier one."""
    sizes = distinct.sizes
    if not len(sizes) or sizes.max() < 2:
        return RowCopies(rows=0, groups=0, largest=(), largest_size=0)
    start = int(distinct.starts[sizes.argmax()])
    places = distinct.members[start : start + min(_NAMED, int(sizes.max()))]
    return RowCopies(
        rows=int((sizes - 1).sum()),
        groups=int((sizes > 1).sum()),
        largest=tuple(str(features.ids[k]) for k in places.tolist()),
        largest_size=int(sizes.max()),
    )


def read_compared(
    features: Features, distinct: DistinctRows, metric: Metric, sample: int, seed: int
) -> ComparedRows:
    """Read the rows without copies, or a random part of them, each as likely as any other.

    Parameters
    ----------
    features : Features
    distinct : DistinctRows
        Of them.
    metric : {"cosine", "euclidean"}
        By cosine, rows of zeros are left out; of others, one of them may be there.
    sample : int
        How many rows at most; fewer where rows are long.
    seed : int
        Of the choice.
    """
    places = distinct.places
    if metric == "euclidean" and len(distinct.members) < len(features):
        zeros = np.setdiff1d(np.arange(len(features)), distinct.members)
        places = np.sort(np.append(places, zeros[0]))
    of = len(places)
    most = min(sample, max(20, _BYTES // max(1, 4 * row_length(features))))
    if most < of:
        places = np.sort(np.random.default_rng(seed).choice(places, most, replace=False))
    return ComparedRows(places, read_rows(features, places), of)


def nearest_others(rows: NDArray[np.float32], k: int, metric: Metric, tell: Tell) -> Neighbors:
    """Find the k nearest of each among the others, exactly.

    Parameters
    ----------
    rows : float32 array, shape (n, D)
        More than k; by cosine, none all zeros.
    k : int
    metric : {"cosine", "euclidean"}
    tell : callable
        Told of rows whose neighbours were found.
    """
    n = len(rows)
    lengths = block_lengths(rows)
    places, values = np.empty((n, k), np.int64), np.empty((n, k))
    for start in range(0, n, _QUERIES):
        part = slice(start, min(start + _QUERIES, n))
        found = nearest(
            rows,
            rows[part],
            k,
            metric=metric,
            leave_out=np.arange(part.start, part.stop),
            lengths=lengths,
        )
        places[part], values[part] = found.places, found.values
        tell(Progress(part.stop, n, 0, stage="neighbours", unit="rows", brief=n < 20_000))
    return Neighbors(places=places, values=values, metric=metric)
