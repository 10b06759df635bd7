"""Random parts of labelled rows, for what need not see all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penult.partition.rows import row_length

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features

__all__ = ["affordable_rows", "balanced_sample", "rank_within_class", "stratified_sample"]

MAX_ROWS = 10_000
MAX_BYTES = 512 << 20


def affordable_rows(features: Features) -> int:
    """Limit the photos to train on where all would take hours: 10,000 rows, or 512 MB of float32.

    The augmented rows of photos count too.
    """
    rows = min(MAX_ROWS, MAX_BYTES // (4 * max(1, row_length(features))))
    if features.augmented is None:
        return rows
    return max(1, rows * len(features) // (len(features) + len(features.augmented)))


def stratified_sample(labels: NDArray[np.int64], size: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Draw a random part in which each class has the share that it has in all.

    Of every class at least two rows are in it, even where that makes more than `size`.

    Parameters
    ----------
    labels : int64 array, shape (n,)
        Class of each row.
    size : int
        Rows to draw.
    seed : int, default=0
        Of the random choice.

    Returns
    -------
    int64 array, shape (m,)
        Places in `labels`, ascending; all of them where n <= `size`.
    """
    if len(labels) <= size:
        return np.arange(len(labels))
    order = np.random.default_rng(seed).permutation(len(labels))
    rank = rank_within_class(labels[order])
    # The k-th of a class's n rows is drawn at k/n of the way; two of each come before all others.
    position = np.where(rank < 2, -1, rank / np.bincount(labels)[labels[order]])
    count = max(size, int((rank < 2).sum()))
    return np.sort(order[np.argsort(position, kind="stable")[:count]])


def balanced_sample(labels: NDArray[np.int64], size: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Draw a random part with as many rows of each class as of any other that has so many.

    Parameters
    ----------
    labels : int64 array, shape (n,)
        Class of each row.
    size : int
        Rows to draw.
    seed : int, default=0
        Of the random choice.

    Returns
    -------
    int64 array, shape (m,)
        Places in `labels`, ascending; all of them where n <= `size`.
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    rank = rank_within_class(labels[order])
    return np.sort(order[np.argsort(rank, kind="stable")[:size]])


def rank_within_class(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the rows of the same class that come before each row.

    Parameters
    ----------
    labels : int64 array, shape (n,)
        Class of each row.

    Returns
    -------
    int64 array, shape (n,)
        0 for the first row of each class.
    """
    order = np.argsort(labels, kind="stable")
    counts = np.bincount(labels)
    starts = np.cumsum(counts) - counts
    rank = np.empty(len(labels), np.int64)
    rank[order] = np.arange(len(labels)) - np.repeat(starts, counts)
    return rank
