"""What the linear kinds share: all of them end as the weights of a logistic function."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.kinds.base import ClassifierKind, DecisionFunction, Params, TrainingData
from penult.classify.kinds.calibration import found_sharpness, platt_scaling
from penult.classify.linear.assemble import linear_pipeline, logistic_estimator, several_pipeline
from penult.classify.linear.basis import LinearWeights

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.base import ClassifierMixin
    from sklearn.pipeline import Pipeline

    from penult.classify.preparation import Step

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

    def assemble(
        self,
        data: TrainingData,
        steps: Sequence[Step],
        weights: LinearWeights,
        params: Params,
    ) -> Pipeline:
        """Make a fitted pipeline of steps that are fitted, and weights for what comes out."""
        return linear_pipeline(
            steps,
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
        *steps, (_, model) = self.fit_decisions(data, params).steps
        factor = found_sharpness(self, data, params)
        coefficients, intercept = np.atleast_2d(model.coef_).T, np.ravel(model.intercept_)
        weights = LinearWeights(factor * coefficients, factor * intercept)
        return self.assemble(data, steps, weights, params)

    def label_weights(
        self, data: TrainingData, candidates: Sequence[Params]
    ) -> list[LinearWeights]:
        """Solve every candidate for every label against the rest.

        Parameters
        ----------
        data : TrainingData
            Its rows are taken as they are; its labels are (n, K) bool.
        candidates : sequence of mapping
            Parameters.
        """
        result = []
        for params in candidates:
            alone = [replace(data, labels=column) for column in data.labels.T]
            models = [self.fit_decisions(each, params)[-1] for each in alone]
            coefficients = np.stack([model.coef_.ravel() for model in models], axis=1)
            intercept = np.array([float(np.ravel(model.intercept_)[0]) for model in models])
            result.append(LinearWeights(coefficients.astype(np.float64), intercept))
        return result

    def fit_labels_each(
        self, data: TrainingData, candidates: Sequence[Params]
    ) -> list[DecisionFunction]:
        """Solve every candidate in turn, on rows that are scaled once."""
        preparation, inside = data.prepared()

        def decide(weights: LinearWeights, new: NDArray[np.float32]) -> NDArray[np.float64]:
            rows = preparation.transform(new)
            result: NDArray[np.float64] = rows @ weights.coefficients + weights.intercept
            return result

        return [partial(decide, weights) for weights in self.label_weights(inside, candidates)]

    def fit_labels(
        self, data: TrainingData, params: Params, left_out: NDArray[np.floating[Any]]
    ) -> tuple[Pipeline, NDArray[np.floating[Any]]]:
        """Solve on all rows: one logistic function a label, calibrated on what was left out."""
        from scipy.special import expit

        preparation, inside = data.prepared()
        (weights,) = self.label_weights(inside, [params])
        slope, offset = np.ones(data.labels.shape[1]), np.zeros(data.labels.shape[1])
        if not self.gives_logits:
            slope, offset = platt_scaling(left_out, data.labels[: data.photos])
        calibrated = LinearWeights(slope * weights.coefficients, slope * weights.intercept + offset)
        pipeline = several_pipeline(preparation.steps, calibrated, data.labels, seed=data.seed)
        return pipeline, expit(slope * left_out + offset)
