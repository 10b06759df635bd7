"""How far each row is from the rows it is compared with, and how thin its surroundings are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from penult.explore.outliers.local_outlier_factor import local_outlier_factors
from penult.explore.outliers.ranking import LOF_ABOVE, beyond, percentiles_of, upper_fence
from penult.explore.outliers.references import Comparisons
from penult.explore.outliers.search import search_parts
from penult.progress import Tell
from penult.records import OutlierReference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features
    from penult.records.neighbors import Metric

__all__ = ["JudgedRows", "judge_rows"]

_NEIGHBORS = 3  # that are kept


@dataclass(frozen=True, kw_only=True)
class JudgedRows:
    """What was measured of each row; NaN and -1 where it was not compared.

    Attributes
    ----------
    distances, lof, distance_percentiles, lof_percentiles : float64 array, shape (N,)
        See `penult.records.Outliers`.
    neighbors : int64 array, shape (N, 3)
        Places; -1 where there are fewer.
    far, thin : bool array, shape (N,)
        Whether its distance, and its factor, are beyond the fences of its reference.
    references : tuple of OutlierReference
    """

    distances: NDArray[np.float64]
    lof: NDArray[np.float64]
    distance_percentiles: NDArray[np.float64]
    lof_percentiles: NDArray[np.float64]
    neighbors: NDArray[np.int64]
    far: NDArray[np.bool_]
    thin: NDArray[np.bool_]
    references: tuple[OutlierReference, ...]


def judge_rows(
    features: Features, comparisons: Comparisons, metric: Metric, tell: Tell
) -> JudgedRows:
    """Compare rows with their references.

    The distance of a row is the mean over its k nearest: it is the score of Angiulli and Pizzuti
    (2002), over k, and for vectors of networks does as well as far costlier ones (Kuan and Mueller,
    2022). That to the k-th alone jumps where a group of k + 1 rows loses one.

    Parameters
    ----------
    features : Features
    comparisons : Comparisons
    metric : {"cosine", "euclidean"}
    tell : callable
        Told of rows that have searched.

    Returns
    -------
    JudgedRows
    """
    n = len(features)
    distances, lof, far_share, thin_share = (np.full(n, np.nan) for _ in range(4))
    neighbors = np.full((n, _NEIGHBORS), -1)
    far, thin = np.zeros(n, bool), np.zeros(n, bool)
    references = []
    for part, found in search_parts(features, comparisons, metric, tell):
        m = len(part.reference)
        away = found.distances.mean(axis=1)
        factors = local_outlier_factors(found, m)
        fence, lof_fence = upper_fence(away[:m]), max(LOF_ABOVE, upper_fence(factors[:m]))
        distances[part.rows] = away[part.stands_for]
        lof[part.rows] = factors[part.stands_for]
        far_share[part.rows] = percentiles_of(away, away[:m])[part.stands_for]
        thin_share[part.rows] = percentiles_of(factors, factors[:m])[part.stands_for]
        far[part.rows] = beyond(away, fence)[part.stands_for]
        thin[part.rows] = beyond(factors, lof_fence)[part.stands_for]
        few = part.reference[found.near[:, :_NEIGHBORS]][part.stands_for]
        neighbors[part.rows, : few.shape[1]] = few
        references.append(
            OutlierReference(
                name=part.name,
                rows=m,
                median=float(np.median(away[:m])),
                distance_fence=fence,
                lof_fence=lof_fence,
            )
        )
    return JudgedRows(
        distances=distances,
        lof=lof,
        distance_percentiles=far_share,
        lof_percentiles=thin_share,
        neighbors=neighbors,
        far=far,
        thin=thin,
        references=tuple(references),
    )
