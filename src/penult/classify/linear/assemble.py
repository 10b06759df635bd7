"""Fitted scikit-learn pipelines made of a solution that was found elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.linear.basis import LinearWeights
from penult.classify.pipeline import make_pipeline

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.base import ClassifierMixin
    from sklearn.pipeline import Pipeline

    from penult.classify.preparation import Step

__all__ = ["linear_pipeline", "logistic_estimator", "several_pipeline"]


def logistic_estimator(seed: int, **params: Any) -> ClassifierMixin:
    """Build the unfitted logistic regression that holds the weights of every linear classifier."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=5000, random_state=seed, **params)


def linear_pipeline(
    steps: Sequence[Step],
    weights: LinearWeights,
    classes: NDArray[np.int64],
    *,
    seed: int,
    params: Mapping[str, Any] = MappingProxyType({}),
) -> Pipeline:
    """Make what fitting the steps and a logistic regression would give, of weights for logits.

    Parameters
    ----------
    steps : before the classifier, fitted
    weights : for the rows as they come out of them
    classes : (K,) that the pipeline predicts, ascending
    params : of a logistic regression; other linear classifiers have none here
    """
    model: Any = logistic_estimator(seed, **params)
    model.classes_ = classes
    model.coef_ = np.ascontiguousarray(weights.coefficients.T, np.float32)
    model.intercept_ = weights.intercept.astype(np.float32)
    model.n_features_in_ = len(weights.coefficients)
    return make_pipeline(model, steps)


def several_pipeline(
    steps: Sequence[Step], weights: LinearWeights, targets: NDArray[np.bool_], *, seed: int
) -> Pipeline:
    """Make what fitting the steps and one logistic regression a label would give.

    Parameters
    ----------
    steps : before the classifier, fitted
    weights : for the rows as they come out of them
    targets : (n, K) bool
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.preprocessing import LabelBinarizer

    width, n_labels = weights.coefficients.shape
    models = []
    for k in range(n_labels):
        model = LogisticRegression(random_state=seed)
        model.classes_ = np.array([0, 1])
        model.coef_ = weights.coefficients[:, k : k + 1].T.astype(np.float32)
        model.intercept_ = weights.intercept[k : k + 1].astype(np.float32)
        model.n_features_in_ = width
        models.append(model)
    together = OneVsRestClassifier(LogisticRegression(random_state=seed))
    together.estimators_ = models
    together.label_binarizer_ = LabelBinarizer().fit(targets.astype(int))
    together.classes_ = together.label_binarizer_.classes_
    together.n_features_in_ = width
    return make_pipeline(together, steps)
