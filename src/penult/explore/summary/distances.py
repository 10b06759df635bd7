"""How far rows are from each other, within classes and between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penult.explore.scaled import scaled
from penult.records import ClassDistances, PairDistances

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features
    from penult.records.neighbors import Metric

__all__ = ["measure_distances", "overlap"]

_ROWS = 2_000  # whose pairs are two million
_BINS = 60


def measure_distances(
    features: Features,
    places: NDArray[np.int64],
    rows: NDArray[np.float32],
    metric: Metric,
    seed: int,
) -> ClassDistances | None:
    """Measure all pairs of rows, or of a random 2,000 of them.

    Parameters
    ----------
    features : Features
        Whose labels count.
    places : int64 array, shape (n,)
        Of the rows, in the features.
    rows : float32 array, shape (n, D)
    metric : {"cosine", "euclidean"}
        Cosine distance is 1 less the cosine.
    seed : int
        Of the choice.

    Returns
    -------
    ClassDistances or None
        None of fewer than two rows.
    """
    from sklearn.metrics import pairwise_distances

    if len(rows) > _ROWS:
        chosen = np.sort(np.random.default_rng(seed).choice(len(rows), _ROWS, replace=False))
        places, rows = places[chosen], rows[chosen]
    if len(rows) < 2:
        return None
    upper = np.triu_indices(len(rows), 1)
    rows, scale = scaled(rows)
    values = pairwise_distances(rows, metric=metric)[upper].astype(np.float64)
    if metric == "euclidean":
        values *= scale
    same, labelled = (of_pairs[upper] for of_pairs in _pairs(features, places))
    edges = np.histogram_bin_edges(values, _BINS)
    within, between = values[same], values[labelled & ~same]
    return ClassDistances(
        all=_statistics(values, edges),
        within=_statistics(within, edges) if len(within) else None,
        between=_statistics(between, edges) if len(between) else None,
        overlap=overlap(within, between) if len(within) and len(between) else None,
        edges=edges,
        rows=len(rows),
    )


def overlap(within: NDArray[np.float64], between: NDArray[np.float64]) -> float:
    """Measure how often one of `within` is larger than one of `between`, ties counting half."""
    ordered = np.sort(between)
    below = np.searchsorted(ordered, within, "left") + np.searchsorted(ordered, within, "right")
    return float(below.mean() / (2 * len(ordered)))


def _pairs(
    features: Features, places: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which pairs share a label, and which have one each; shapes (n, n)."""
    if features.targets is None:
        labels = np.asarray(features.labels)[places]
        has = labels >= 0
        same: NDArray[np.bool_] = (labels[:, None] == labels) & has
        return same, has[:, None] & has
    targets = np.asarray(features.targets)[places].astype(np.float32)
    some: NDArray[np.bool_] = targets.max(axis=1) > 0
    return targets @ targets.T > 0, some[:, None] & some


def _statistics(values: NDArray[np.float64], edges: NDArray[np.float64]) -> PairDistances:
    low, median, high = np.percentile(values, [5, 50, 95]).tolist()
    return PairDistances(
        pairs=len(values),
        mean=float(values.mean()),
        std=float(values.std()),
        low=low,
        median=median,
        high=high,
        histogram=np.histogram(values, edges)[0] / len(values),
    )
