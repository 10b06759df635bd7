"""Scaling and classifier as one scikit-learn pipeline, and the probabilities it gives."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from penult.classify.linear_rule import LinearRule
from penult.errors import UnknownNameError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.base import ClassifierMixin
    from sklearn.pipeline import Pipeline

__all__ = [
    "SCALES",
    "Applicable",
    "class_probabilities",
    "label_probabilities",
    "make_pipeline",
    "make_scaler",
    "row_width",
]

Applicable: TypeAlias = "Pipeline | SimpleNamespace"
"""A fitted pipeline, or what `penult.classify.unbuilt` read of one that has a `LinearRule`."""

SCALES = ("l2", "standard", "none")


def make_pipeline(estimator: ClassifierMixin, scale: str) -> Pipeline:
    """Build a pipeline of an unfitted scaler, if any, and an estimator.

    Parameters
    ----------
    estimator : scikit-learn classifier
        The last step, named ``"classifier"``.
    scale : {'l2', 'standard', 'none'}
        See `make_scaler`.

    Raises
    ------
    UnknownNameError
        If there is no such scaling.
    """
    from sklearn.pipeline import Pipeline

    steps: list[tuple[str, Any]] = [("classifier", estimator)]
    scaler = make_scaler(scale)
    if scaler is not None:
        steps.insert(0, ("scale", scaler))
    return Pipeline(steps)


def make_scaler(scale: str) -> Any:
    """Build an unfitted scaler.

    Parameters
    ----------
    scale : {'l2', 'standard', 'none'}
        ``"l2"`` scales each row to length one, ``"standard"`` each column to mean 0 and standard
        deviation 1 over the training rows.

    Returns
    -------
    scikit-learn transformer or None
        None for ``"none"``.

    Raises
    ------
    UnknownNameError
        If there is no such scaling.
    """
    from sklearn.preprocessing import Normalizer, StandardScaler

    if scale not in SCALES:
        raise UnknownNameError("scaling", scale, SCALES)
    return {"l2": Normalizer, "standard": StandardScaler, "none": lambda: None}[scale]()


def row_width(pipeline: Applicable) -> int:
    """Say how many numbers a row has that a pipeline can be applied to."""
    return int(pipeline.steps[0][1].n_features_in_)


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
