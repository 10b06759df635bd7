"""Fitted scikit-learn pipelines made of a solution that was found elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.linear.basis import Weights
from penult.classify.training.kinds import make_pipeline

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.base import ClassifierMixin
    from sklearn.pipeline import Pipeline

__all__ = ["linear_pipeline", "sharpened_pipeline"]


def linear_pipeline(
    scale: str,
    scaler: Any,
    weights: Weights,
    classes: NDArray[np.int64],
    *,
    seed: int,
    params: Mapping[str, Any] = MappingProxyType({}),
) -> Pipeline:
    """Make what ``make_pipeline("logistic", ...).fit(...)`` would give, of weights for logits.

    Parameters
    ----------
    scaler : a StandardScaler that was fitted; used where `scale` is ``"standard"``
    weights : for the scaled rows
    classes : (K,) that the pipeline predicts, ascending
    params : of a logistic regression; other linear classifiers have none here
    """
    pipeline = make_pipeline("logistic", scale, seed=seed, params=params)
    width = len(weights.coefficients)
    if scale == "standard":
        pipeline.steps[0] = ("scale", scaler)
    elif len(pipeline.steps) > 1:
        pipeline[0].fit(np.ones((1, width), np.float32))
    model = pipeline[-1]
    model.classes_ = classes
    model.coef_ = np.ascontiguousarray(weights.coefficients.T, np.float32)
    model.intercept_ = weights.intercept.astype(np.float32)
    model.n_features_in_ = width
    return pipeline


def sharpened_pipeline(
    pipeline: Pipeline, unfitted: ClassifierMixin, sharpness: float, folds: int
) -> Pipeline:
    """Make the last step's probabilities those of a temperature, as scikit-learn would have them.

    Parameters
    ----------
    pipeline : fitted
    unfitted : an estimator like its last step
    sharpness : of the logarithms of the probabilities
    folds : how many it was found on
    """
    from sklearn.calibration import (
        CalibratedClassifierCV,
        _CalibratedClassifier,
        _TemperatureScaling,
    )

    model, temperature = pipeline[-1], _TemperatureScaling()
    temperature.beta_ = sharpness
    calibrated = CalibratedClassifierCV(unfitted, method="temperature", cv=folds, ensemble=False)
    calibrated.classes_ = model.classes_
    calibrated.n_features_in_ = model.n_features_in_
    calibrated.calibrated_classifiers_ = [
        _CalibratedClassifier(model, [temperature], classes=model.classes_, method="temperature")
    ]
    pipeline.steps[-1] = ("classifier", calibrated)
    return pipeline
