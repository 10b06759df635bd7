"""Scaling, reduction and classifier as one scikit-learn pipeline; the probabilities it gives."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from penult.classify.linear_rule import LinearRule

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.base import ClassifierMixin
    from sklearn.pipeline import Pipeline

    from penult.classify.preparation import Step

__all__ = [
    "Applicable",
    "class_probabilities",
    "explained_variance_ratio",
    "label_probabilities",
    "make_pipeline",
    "row_width",
]

Applicable: TypeAlias = "Pipeline | SimpleNamespace"
"""A fitted pipeline, or what `penult.classify.unbuilt` read of one that has a `LinearRule`."""


def make_pipeline(estimator: ClassifierMixin, steps: Sequence[Step] = ()) -> Pipeline:
    """Build a pipeline of an estimator and what is done to rows before.

    Parameters
    ----------
    estimator : scikit-learn classifier
        The last step, named ``"classifier"``.
    steps : sequence of (str, transformer)
        See `penult.classify.preparation`.
    """
    from sklearn.pipeline import Pipeline

    return Pipeline([*steps, ("classifier", estimator)])


def row_width(pipeline: Applicable) -> int:
    """Say how many numbers a row has that a pipeline can be applied to."""
    return int(pipeline.steps[0][1].n_features_in_)


def explained_variance_ratio(pipeline: Pipeline) -> float:
    """Say which part of the variance of its training rows a pipeline that reduces rows keeps."""
    return float(np.nan_to_num(pipeline["reduce"].explained_variance_ratio_).sum(dtype=np.float64))


def class_probabilities(
    pipeline: Applicable, rows: NDArray[np.float32], n_classes: int
) -> NDArray[np.float64]:
    """Apply a pipeline for one label an image to (n, D) rows.

    Returns
    -------
    float64 array, shape (n, n_classes)
        0 for the classes that the pipeline has never seen.
    """
    probabilities = np.zeros((len(rows), n_classes))
    if len(rows):
        probabilities[:, pipeline.steps[-1][1].classes_] = _apply(pipeline, rows)
    return probabilities


def label_probabilities(pipeline: Applicable, rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Apply a pipeline for several labels an image to (n, D) rows.

    Returns
    -------
    float64 array, shape (n, K)
        Each in [0, 1].
    """
    probabilities = _apply(pipeline, rows)
    if isinstance(probabilities, list):  # k-NN and forests: (absent, present) for each label
        probabilities = np.stack([each[:, 1] for each in probabilities], axis=1)
    return np.asarray(probabilities, np.float64)


def _apply(pipeline: Applicable, rows: NDArray[np.float32]) -> Any:
    rule = LinearRule.of(pipeline)
    return pipeline.predict_proba(rows) if rule is None else rule.probabilities(rows)
