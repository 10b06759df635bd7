"""What a linear pipeline computes, in NumPy alone: scikit-learn takes a second to be imported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

__all__ = [
    "LINEAR_TYPES",
    "PCA_TYPE",
    "SCALING_TYPES",
    "STEP_TYPES",
    "LinearRule",
    "type_of",
]

_PIPELINE = "sklearn.pipeline.Pipeline"
_UNIT = "sklearn.preprocessing._data.Normalizer"
_STANDARD = "sklearn.preprocessing._data.StandardScaler"
_LOGISTIC = "sklearn.linear_model._logistic.LogisticRegression"
_SEVERAL = "sklearn.multiclass.OneVsRestClassifier"

PCA_TYPE = "sklearn.decomposition._pca.PCA"
"""What reduces rows."""
STEP_TYPES = frozenset({_UNIT, _STANDARD, PCA_TYPE})
"""scikit-learn's types of the steps before a classifier."""
SCALING_TYPES = STEP_TYPES | {_PIPELINE}
"""Those of a pipeline that scales and reduces rows."""
LINEAR_TYPES = frozenset({_LOGISTIC, _SEVERAL, "sklearn.preprocessing._label.LabelBinarizer"})
"""Those of the linear classifiers behind the scaling."""


def type_of(thing: Any) -> str:
    """The full name of an estimator's type, also of one that was read but not built."""
    if isinstance(thing, SimpleNamespace):
        return str(thing.type)
    return f"{type(thing).__module__}.{type(thing).__qualname__}"


@dataclass(frozen=True, eq=False)
class LinearRule:
    """The probabilities of a fitted pipeline of a scaling and logistic functions.

    It computes in the steps and in the precision in which scikit-learn does: what it gives is equal
    to the last bit, but for the logistic function of float32, which may differ in that bit. Where
    rows are reduced, that is a part of the coefficients here, so that rounding differs a little.

    Attributes
    ----------
    unit : bool
        Whether rows are scaled to length one.
    columns : pair of arrays, shape (D,), or None
        Mean and standard deviation by which each column is scaled.
    coefficients : array, shape (K, D)
        Or (1, D), of two classes.
    intercept : array, shape (K,)
        Or (1,).
    several : bool
        Whether each of the K labels may be there or not.
    """

    unit: bool
    columns: tuple[NDArray[Any], NDArray[Any]] | None
    coefficients: NDArray[Any]
    intercept: NDArray[Any]
    several: bool

    @classmethod
    def of(cls, pipeline: Pipeline | SimpleNamespace) -> LinearRule | None:
        """Find the rule of a pipeline; None where it has another, or none that is known here.

        Parameters
        ----------
        pipeline : sklearn.pipeline.Pipeline
            Fitted; or what `penult.classify.unbuilt` read of one.
        """
        try:
            return cls._of(pipeline)
        except AttributeError:  # of what is not fitted, or of other versions
            return None

    @classmethod
    def _of(cls, pipeline: Pipeline | SimpleNamespace) -> LinearRule | None:
        if type_of(pipeline) != _PIPELINE:
            return None
        *before, model = (step for _, step in pipeline.steps)
        kinds = [type_of(step) for step in before]
        reduction = before.pop() if kinds[-1:] == [PCA_TYPE] else None
        kinds = kinds[: len(before)]
        if kinds not in ([], [_UNIT], [_STANDARD]):
            return None
        columns = None
        if kinds == [_UNIT] and before[0].norm != "l2":
            return None
        if kinds == [_STANDARD]:
            if not before[0].with_mean or not before[0].with_std:
                return None
            columns = (before[0].mean_, before[0].scale_)
            if any(not _is_of(each, len(before[0].mean_)) for each in columns):
                return None
        several = type_of(model) == _SEVERAL
        if several:
            models: Sequence[Any] = model.estimators_
            # Of a single label scikit-learn gives two columns.
            if len(models) < 2 or not model.label_binarizer_.y_type_.startswith("multilabel"):
                return None
        else:
            models = [model]
        if any(type_of(each) != _LOGISTIC for each in models):
            return None
        if several and any(len(each.classes_) != 2 or len(each.coef_) != 1 for each in models):
            return None
        coefficients = np.concatenate([each.coef_ for each in models])
        intercept = np.concatenate([np.ravel(each.intercept_) for each in models])
        if not several:
            classes = len(model.classes_)
            if len(coefficients) != (classes if classes > 2 else 1):
                return None
            if not np.array_equal(model.classes_, np.arange(classes)):
                return None
        if not _is_of(coefficients, len(intercept), coefficients.shape[-1]):
            return None
        if any(not _is_of(each.intercept_, len(each.coef_)) for each in models):
            return None
        if reduction is not None:
            whole = _before_reduction(reduction, coefficients, intercept)
            if whole is None:
                return None
            coefficients, intercept = whole
        return cls(kinds == [_UNIT], columns, coefficients, intercept, several)

    def probabilities(self, rows: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        """Apply it to (n, D) rows; see ``predict_proba``."""
        rows = self._scaled(rows)
        if self.several:
            # One after the other, as scikit-learn does: another order of adding gives other bits.
            each = zip(self.coefficients, self.intercept, strict=True)
            return np.stack([_logistic((rows @ c[:, None] + b)[:, 0]) for c, b in each], axis=1)
        decisions = rows @ self.coefficients.T + self.intercept
        if len(self.coefficients) == 1:
            second = _logistic(decisions[:, 0])
            return np.stack([1 - second, second], axis=1)
        decisions -= decisions.max(axis=1, keepdims=True)
        np.exp(decisions, out=decisions)
        decisions /= decisions.sum(axis=1, keepdims=True)
        return np.asarray(decisions)

    def _scaled(self, rows: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        if self.unit:
            lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
            lengths[lengths < 10 * np.finfo(lengths.dtype).eps] = 1
            rows = rows / lengths[:, None]
        if self.columns is not None:
            mean, deviation = (each.astype(rows.dtype) for each in self.columns)
            scaled: NDArray[np.floating[Any]] = (rows - mean) / deviation
            return scaled
        return rows


def _before_reduction(
    pca: Any, coefficients: NDArray[Any], intercept: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """Turn coefficients and intercept for reduced rows into those for the rows before."""
    axes, mean = pca.components_, pca.mean_
    if pca.whiten or not _is_of(axes, coefficients.shape[1], np.size(mean)):
        return None
    if not _is_of(mean, axes.shape[1]):
        return None
    turned = coefficients.astype(np.float64) @ axes
    return turned.astype(coefficients.dtype), (intercept - turned @ mean).astype(intercept.dtype)


def _is_of(array: Any, *shape: int) -> bool:
    """Whether it holds real numbers in that shape, as what was fitted does."""
    return np.asarray(array).dtype.kind == "f" and np.shape(array) == shape


def _logistic(decisions: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    # NumPy's exponential of float32 is off by up to two units in the last place.
    with np.errstate(over="ignore"):
        powers = np.exp(-decisions.astype(np.float64)).astype(decisions.dtype)
    return 1 / (1 + powers)
