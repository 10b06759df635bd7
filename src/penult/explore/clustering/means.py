"""The means of clusters in the full space, and how far rows are from them, read block by block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from penult.neighbors.unit import unit_rows
from penult.partition.rows import read_blocks, row_length
from penult.records import Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.progress import Tell
    from penult.records import Features
    from penult.records.neighbors import Metric

__all__ = ["ClusterMeans", "davies_bouldin", "measure_means"]


@dataclass(frozen=True)
class ClusterMeans:
    """What was measured of clusters.

    Attributes
    ----------
    means : float64 array, shape (K, D)
        Of rows as they are, or scaled to length one for cosine.
    distances : float32 array, shape (N,)
        Of each row to the mean of its cluster: 1 minus their cosine, or Euclidean; NaN for noise.
    spreads : float64 array, shape (K,)
        Mean Euclidean distance of a cluster's rows to its mean.
    """

    means: NDArray[np.float64]
    distances: NDArray[np.float32]
    spreads: NDArray[np.float64]


def measure_means(
    features: Features, assignments: NDArray[np.int64], metric: Metric, tell: Tell
) -> ClusterMeans:
    """Measure clusters; rows are read twice, a block at a time.

    Parameters
    ----------
    features : Features
    assignments : int64 array, shape (N,)
        From 0, each number up to the greatest; -1 for noise.
    metric : {"cosine", "euclidean"}
        For cosine, rows are scaled to length one.
    tell : callable
        Told of rows that were read.

    Returns
    -------
    ClusterMeans
    """
    inside = np.flatnonzero(assignments >= 0)
    numbers = assignments[inside]
    sizes = np.bincount(numbers)

    def blocks(stage: str) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        for part, block in read_blocks(features, inside):
            yield part, (unit_rows(block) if metric == "cosine" else block).astype(float)
            tell(Progress(part.stop, len(inside), 0, stage=stage, unit="rows", brief=True))

    means = np.zeros((len(sizes), row_length(features)))
    for part, block in blocks("means"):
        order = np.argsort(numbers[part], kind="stable")
        there, starts = np.unique(numbers[part][order], return_index=True)
        means[there] += np.add.reduceat(block[order], starts, axis=0)
    means /= sizes[:, None]
    lengths = np.linalg.norm(means, axis=1)
    distances = np.full(len(assignments), np.nan, np.float32)
    away = np.empty(len(inside))
    for part, block in blocks("distances"):
        theirs = numbers[part]
        away[part] = np.linalg.norm(block - means[theirs], axis=1)
        if metric == "euclidean":
            distances[inside[part]] = away[part]
            continue
        product = np.linalg.norm(block, axis=1) * lengths[theirs]
        dots = np.einsum("ij,ij->i", block, means[theirs])
        # A row of zeros has no cosine, and is as far as a right angle.
        cosines = np.divide(dots, product, out=np.zeros(len(dots)), where=product > 0)
        distances[inside[part]] = np.maximum(0, 1 - cosines)
    return ClusterMeans(means, distances, np.bincount(numbers, weights=away) / sizes)


def davies_bouldin(found: ClusterMeans) -> float | None:
    """Score clusters by the index of Davies and Bouldin (1979); lower is better.

    The mean over clusters of ``max((s[i] + s[j]) / d[i, j])`` over others j, where s are the
    spreads and d the distances of means.

    Parameters
    ----------
    found : ClusterMeans

    Returns
    -------
    float or None
        0 or more; None of fewer than two clusters.
    """
    from scipy.spatial.distance import cdist

    if len(found.spreads) < 2:
        return None
    apart = cdist(found.means, found.means)
    sums = found.spreads[:, None] + found.spreads
    # As scikit-learn has it: means in one place do not count.
    ratios = np.divide(sums, apart, out=np.zeros_like(apart), where=apart > 0)
    return float(ratios.max(axis=1).mean())
