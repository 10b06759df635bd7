"""How sure a classifier may be, found on the rows that each fold leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.linear.logistic_path import numbered
from penult.classify.linear.sharpness import sharpness

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.base import ClassifierMixin
    from sklearn.pipeline import Pipeline

    from penult.classify.kinds.base import ClassifierKind, Params, TrainingData

__all__ = ["found_sharpness", "left_out_decisions", "platt_scaling", "sharpened_pipeline"]


def left_out_decisions(
    kind: ClassifierKind, data: TrainingData, params: Params
) -> NDArray[np.float64]:
    """Fit on each fold and collect the decisions about the rows it leaves out.

    Returns
    -------
    float64 array, shape (photos, K)
        Logits, up to a factor.
    """
    result = np.empty((data.photos, len(np.unique(data.labels))))
    for train, test in data.folds:
        preparation, inside = data.take(train).prepared()
        pipeline = kind.fit_decisions(inside, params)
        result[test] = _decisions(pipeline, preparation.transform(data.rows[test]))
    return result


def found_sharpness(kind: ClassifierKind, data: TrainingData, params: Params) -> float:
    """Find how sure decisions may be, on the folds; 1 where there are none."""
    if not data.folds:
        return 1.0
    truth = numbered(data.labels)[: data.photos]
    return sharpness(left_out_decisions(kind, data, params), truth)


def _decisions(pipeline: Pipeline, rows: NDArray[np.float32]) -> NDArray[np.float64]:
    if hasattr(pipeline, "decision_function"):
        decided = np.asarray(pipeline.decision_function(rows), np.float64)
        return decided if decided.ndim == 2 else np.stack([0 * decided, decided], axis=1)
    # As scikit-learn's temperature scaling has it.
    logits: NDArray[np.float64] = np.log(pipeline.predict_proba(rows) + 1e-12)
    return logits


def sharpened_pipeline(
    pipeline: Pipeline, unfitted: ClassifierMixin, sharpness: float, folds: int
) -> Pipeline:
    """Give the last step a temperature, as scikit-learn's ``CalibratedClassifierCV`` would.

    Parameters
    ----------
    pipeline : fitted
    unfitted : an estimator like its last step
    sharpness : of the logarithms of the probabilities
    folds : number of folds it was found on
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


def platt_scaling(
    decisions: NDArray[np.floating[Any]], targets: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Platt's method, label by label.

    Parameters
    ----------
    decisions : (n, K), about rows that took no part in the fit
    targets : (n, K) bool

    Returns
    -------
    slope, offset : (K,) float64
        Probabilities are ``expit(slope * decision + offset)``.
    """
    from sklearn.calibration import _SigmoidCalibration

    fitted = [
        _SigmoidCalibration().fit(column, truth)
        for column, truth in zip(decisions.T.astype(np.float64), targets.T, strict=True)
    ]
    return -np.array([f.a_ for f in fitted]), -np.array([f.b_ for f in fitted])
