"""How much of the rows' neighbourhoods a map keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penult.neighbors.blocks import BLOCK_BYTES
from penult.neighbors.exact import nearest
from penult.neighbors.unit import unit_rows
from penult.partition.rows import read_blocks, read_rows, row_length
from penult.progress import announce
from penult.records import MapQuality

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features
    from penult.records.neighbors import Metric

__all__ = ["kept_neighbors", "measure_quality"]

NEIGHBORS = 10
_MEASURED = 2_000  # rows whose neighbours are looked up among all
_SAMPLE_BYTES = 256 << 20
_SEED = 0


def measure_quality(
    features: Features, shown: NDArray[np.int64], xy: NDArray[np.float32], metric: Metric
) -> MapQuality | None:
    """Compare neighbours in the full space, all D numbers of a row, with those on the map.

    Parameters
    ----------
    features : Features
        Where the rows are.
    shown : int64 array, shape (n,)
        Which of them are on the map, ascending.
    xy : float32 array, shape (n, 2)
        Their places on it.
    metric : {"cosine", "euclidean"}
        By which rows are near to each other; a row of zeros has no cosine and is not measured.
        Of rows that are equal one is: which of them is nearest would be chance.

    Returns
    -------
    MapQuality or None
        With k = 10, or less than half of the rows where those are few. Of more than 2,000 rows
        those of a random sample are measured, always the same; of fewer, where rows are so long
        that 2,000 of them would fill the memory. None of fewer than four.
    """
    announce("quality", brief=len(shown) < 20_000)
    has = _measurable(features, shown, metric)
    rows, xy = shown[has], xy[has]
    n = len(rows)
    if n < 4:
        return None
    k = min(NEIGHBORS, (n - 1) // 2)
    sample = np.arange(n)
    # Rows of a layer's maps are long: fewer of them are held, and fewer still compared.
    row_bytes = 4 * max(1, row_length(features))
    if n > (most := max(20, min(_MEASURED, _SAMPLE_BYTES // row_bytes))):
        sample = np.sort(np.random.default_rng(_SEED).choice(n, most, replace=False))
    fit = max(20, BLOCK_BYTES // row_bytes)
    few = sample if len(sample) <= fit else sample[np.linspace(0, len(sample) - 1, fit).astype(int)]
    return MapQuality(
        neighbors=k,
        kept=_kept(features, rows, xy, sample, k, metric),
        chance=k / (n - 1),
        trustworthiness=_trustworthiness(features, rows[few], xy[few], k, metric),
        measured=len(sample),
        compared=len(few),
    )


def _measurable(features: Features, shown: NDArray[np.int64], metric: Metric) -> NDArray[np.bool_]:
    has, seen = np.zeros(len(shown), bool), set[int]()
    for part, block in read_blocks(features, shown):
        for place, row in enumerate(block, part.start):
            digest = hash(row.tobytes())
            has[place] = digest not in seen and (metric == "euclidean" or row.any())
            seen.add(digest)
    return has


def _kept(
    features: Features,
    rows: NDArray[np.int64],
    xy: NDArray[np.float32],
    sample: NDArray[np.int64],
    k: int,
    metric: Metric,
) -> float:
    allowed = np.zeros(len(features), bool)
    allowed[rows] = True
    asked = rows[sample]
    queries = read_rows(features, asked)
    found = nearest(features.features, queries, k, metric=metric, leave_out=asked, allowed=allowed)
    place = np.full(len(features), -1)
    place[rows] = np.arange(len(rows))
    return kept_neighbors(place[found.places], xy, sample)


def kept_neighbors(
    near: NDArray[np.int64], xy: NDArray[np.float32], sample: NDArray[np.int64]
) -> float:
    """Measure the share of each row's k nearest that are among its k nearest on the map.

    Parameters
    ----------
    near : int64 array, shape (m, k)
        Places, in `xy`, of the rows nearest to each of the sample, without itself.
    xy : float32 array, shape (n, 2)
    sample : int64 array, shape (m,)
        Places of the rows measured.

    Returns
    -------
    float
        The mean, in [0, 1].
    """
    k = near.shape[1]
    found = nearest(xy, xy[sample], k, metric="euclidean", leave_out=sample).places
    same = (near[:, :, None] == found[:, None, :]).any(axis=2)
    return float(same.mean())


def _trustworthiness(
    features: Features, rows: NDArray[np.int64], xy: NDArray[np.float32], k: int, metric: Metric
) -> float:
    from sklearn.manifold import trustworthiness

    full = read_rows(features, rows)
    if metric == "cosine":
        full = unit_rows(full)
    return float(trustworthiness(full, xy, n_neighbors=min(k, (len(rows) - 1) // 2)))
