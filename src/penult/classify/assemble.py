"""Fitted scikit-learn pipelines made of a solution that was found elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.basis import Weights
from penult.classify.classifiers import make_pipeline

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

__all__ = ["linear_pipeline"]


def linear_pipeline(
    name: str,
    scale: str,
    scaler: Any,
    weights: Weights,
    classes: NDArray[np.int64],
    *,
    params: Mapping[str, Any],
    seed: int,
    calibrate: tuple[NDArray[np.floating[Any]], NDArray[np.int64], int] | None = None,
) -> Pipeline:
    """Make what ``make_pipeline(...).fit(...)`` would give, of a linear classifier's weights.

    Parameters
    ----------
    name : a linear classifier
    scaler : a StandardScaler that was fitted; used where `scale` is ``"standard"``
    weights : for the scaled rows
    classes : (K,) that the pipeline predicts, ascending
    calibrate : decisions about (n, K) rows left out, their classes, and the number of folds
    """
    pipeline = make_pipeline(name, scale, seed=seed, params=params)
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
    if name == "ridge":
        from sklearn.preprocessing import LabelBinarizer

        model._label_binarizer = LabelBinarizer(pos_label=1, neg_label=-1).fit(classes)
    if calibrate is not None:
        from sklearn.calibration import (
            CalibratedClassifierCV,
            _CalibratedClassifier,
            _SigmoidCalibration,
        )

        decisions, truth, folds = calibrate
        ones = [classes[1]] if len(classes) == 2 else classes
        sigmoids = [
            _SigmoidCalibration().fit(decided, truth == one)
            for decided, one in zip(decisions.T, ones, strict=True)
        ]
        calibrated = CalibratedClassifierCV(model, cv=folds, ensemble=False)
        calibrated.classes_ = classes
        calibrated.n_features_in_ = width
        calibrated.calibrated_classifiers_ = [
            _CalibratedClassifier(model, sigmoids, classes=classes, method="sigmoid")
        ]
        pipeline.steps[-1] = ("classifier", calibrated)
    return pipeline
