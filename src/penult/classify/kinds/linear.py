"""What the linear kinds share: all of them end as the weights of a logistic function."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.kinds.base import ClassifierKind, DecisionFunction, Params, TrainingData
from penult.classify.kinds.calibration import left_out_decisions, platt_scaling
from penult.classify.linear.assemble import linear_pipeline, logistic_estimator, several_pipeline
from penult.classify.linear.basis import LinearWeights
from penult.classify.linear.logistic_path import numbered
from penult.classify.linear.sharpness import sharpness
from penult.classify.pipeline import make_scaler

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.base import ClassifierMixin
    from sklearn.pipeline import Pipeline

__all__ = ["CALIBRATED", "LinearKind"]

CALIBRATED = (
    "sklearn.calibration.CalibratedClassifierCV",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
)
"""Types in older files, whose decisions were calibrated by Platt's method or by a temperature."""


class LinearKind(ClassifierKind):
    """A linear classifier, saved as a logistic regression with its weights.

    Decisions that are no logits are calibrated on the folds left out: by a factor where an image
    has one label, by Platt's method where it has several.
    """

    multilabel = True
    trusted = MappingProxyType(
        {
            "ObjectNode": {
                "sklearn.linear_model._logistic.LogisticRegression",
                "sklearn.multiclass.OneVsRestClassifier",
                "sklearn.preprocessing._label.LabelBinarizer",
            }
        }
    )

    @classmethod
    def and_trusted(cls, *types: str) -> MappingProxyType[str, AbstractSet[str]]:
        """The trusted types of every linear kind, and these."""
        return MappingProxyType({"ObjectNode": cls.trusted["ObjectNode"] | {*types}})

    def make(self, seed: int, **params: Any) -> ClassifierMixin:
        """Build an unfitted ``LogisticRegression``."""
        return logistic_estimator(seed, **params)

    def assemble(self, data: TrainingData, weights: LinearWeights, params: Params) -> Pipeline:
        """Make a fitted pipeline of weights for the scaled rows."""
        scaler = make_scaler(data.scale)
        if data.scale == "standard":
            scaler.fit(data.rows)
        return linear_pipeline(
            data.scale,
            scaler,
            weights,
            np.unique(data.labels),
            seed=data.seed,
            params=self.saved_params(params),
        )

    def saved_params(self, params: Params) -> Params:
        """The parameters of the saved logistic regression: none where it was not fitted as one."""
        return params if self.gives_logits else {}

    def fit(self, data: TrainingData, params: Params) -> Pipeline:
        """Fit on all rows; how sure the decisions may be is found on the folds."""
        model = self.fit_decisions(data, params)[-1]
        factor = 1.0
        if data.folds:
            factor = sharpness(left_out_decisions(self, data, params), numbered(data.labels))
        coefficients, intercept = np.atleast_2d(model.coef_).T, np.ravel(model.intercept_)
        return self.assemble(data, LinearWeights(factor * coefficients, factor * intercept), params)

    def label_weights(
        self,
        rows: NDArray[np.float32],
        targets: NDArray[np.bool_],
        candidates: Sequence[Params],
        seed: int,
    ) -> list[LinearWeights]:
        """Solve every candidate for every label against the rest.

        Parameters
        ----------
        rows : (n, D), scaled
        targets : (n, K) bool
        candidates : parameters
        seed : of the estimator
        """
        result = []
        for params in candidates:
            models = [self.make(seed, **params).fit(rows, column) for column in targets.T]
            coefficients = np.stack([model.coef_.ravel() for model in models], axis=1)
            intercept = np.array([float(np.ravel(model.intercept_)[0]) for model in models])
            result.append(LinearWeights(coefficients.astype(np.float64), intercept))
        return result

    def fit_labels_each(
        self, data: TrainingData, candidates: Sequence[Params]
    ) -> list[DecisionFunction]:
        """Solve every candidate in turn, on rows that are scaled once."""
        scaler = make_scaler(data.scale)
        scaled = data.rows if scaler is None else scaler.fit(data.rows).transform(data.rows)

        def decide(weights: LinearWeights, new: NDArray[np.float32]) -> NDArray[np.float64]:
            rows = new if scaler is None else scaler.transform(new)
            result: NDArray[np.float64] = rows @ weights.coefficients + weights.intercept
            return result

        solutions = self.label_weights(scaled, data.labels, candidates, data.seed)
        return [partial(decide, weights) for weights in solutions]

    def fit_labels(
        self, data: TrainingData, params: Params, left_out: NDArray[np.floating[Any]]
    ) -> tuple[Pipeline, NDArray[np.floating[Any]]]:
        """Solve on all rows: one logistic function a label, calibrated on what was left out."""
        from scipy.special import expit

        scaler = make_scaler(data.scale)
        scaled = data.rows if scaler is None else scaler.fit(data.rows).transform(data.rows)
        (weights,) = self.label_weights(scaled, data.labels, [params], data.seed)
        slope, offset = np.ones(data.labels.shape[1]), np.zeros(data.labels.shape[1])
        if not self.gives_logits:
            slope, offset = platt_scaling(left_out, data.labels)
        calibrated = LinearWeights(slope * weights.coefficients, slope * weights.intercept + offset)
        pipeline = several_pipeline(data.scale, scaler, calibrated, data.labels, seed=data.seed)
        return pipeline, expit(slope * left_out + offset)
