"""Outliers of features: their rows compared, and their pictures measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from penult.explore.outliers.issues import find_issues
from penult.explore.outliers.picture_reader import MEASURES, measure_pictures
from penult.explore.outliers.references import ReferenceName, find_comparisons
from penult.explore.outliers.rows import judge_rows
from penult.progress import Tell, announce
from penult.records import REASONS, Failure, Outliers, PictureIssue

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.records import Features
    from penult.records.neighbors import Metric

__all__ = ["find_outliers"]


def find_outliers(
    features: Features,
    *,
    reference: ReferenceName | None,
    k: int | None,
    metric: Metric,
    open_image: Callable[[str], bytes | None] | None,
    tell: Tell,
) -> Outliers:
    """Compare rows, and measure pictures if they can be opened; see `penult.outliers`.

    Parameters
    ----------
    features : Features
    reference, k, metric
        As for `penult.outliers`.
    open_image : callable, optional
        From an id to the image file's bytes, or None where they cannot be had; no picture is
        measured without.
    tell : callable
        Told of rows and pictures.

    Raises
    ------
    UsageError, SearchError, TrainingError
    """
    announce("copies", brief=len(features) < 100_000)
    comparisons = find_comparisons(features, reference, k, metric)
    rows = judge_rows(features, comparisons, metric, tell)
    ids = tuple(map(str, features.ids))
    issues: tuple[PictureIssue, ...] = ()
    failures: tuple[Failure, ...] = ()
    scores: dict[str, NDArray[np.float64]] = {}
    measured = None
    if open_image is not None:
        measures, failures = measure_pictures(ids, open_image, tell)
        issues, measured = find_issues(ids, measures), len(ids) - len(failures)
        names = [one if one == "size" else f"{one}_score" for one in MEASURES]
        scores = dict(zip(names, measures.T, strict=True))
    listed = {one.reason: {*one.ids} for one in issues if not one.common}
    told = {
        "knn_distance": {ids[place] for place in rows.far.nonzero()[0]},
        "lof": {ids[place] for place in rows.thin.nonzero()[0]},
        **listed,
    }
    reasons = [(name, told[name]) for name in REASONS if told.get(name)]
    return Outliers(
        ids=ids,
        labels=features.labels,
        label_names=tuple(map(str, features.label_names)),
        reference=comparisons.reference,
        k=comparisons.k,
        metric=metric,
        layer=features.name,
        distances=rows.distances,
        lof=rows.lof,
        distance_percentiles=rows.distance_percentiles,
        lof_percentiles=rows.lof_percentiles,
        neighbors=rows.neighbors,
        reasons=tuple(tuple(name for name, those in reasons if one in those) for one in ids),
        references=rows.references,
        not_compared=comparisons.not_compared,
        issues=issues,
        measures=scores,
        measured=measured,
        failures=failures,
    )
