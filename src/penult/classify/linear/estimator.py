"""Logistic regression in the basis of principal axes, as a scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator
from sklearn.linear_model._base import LinearClassifierMixin
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from penult.classify.linear.basis import LinearWeights, principal_basis
from penult.classify.linear.logistic import fit_path, warn_not_converged

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["PrincipalLogisticRegression"]


class PrincipalLogisticRegression(LinearClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Multinomial logistic regression with an L2 penalty, solved in the rows' principal basis.

    It has the optimum of ``sklearn.linear_model.LogisticRegression(C=C, class_weight=...)``.

    Parameters
    ----------
    C : float, default=1.0
        Inverse strength of the penalty, as in scikit-learn.
    class_weight : {"balanced"} or mapping, optional
        As in scikit-learn: how much each class counts, or that all count alike together, however
        many rows they have.

    Attributes
    ----------
    classes_ : (K,) array
        The classes, ascending.
    coef_ : (K, D) float64 array
        Coefficients; (1, D) for two classes.
    intercept_ : (K,) float64 array
        Intercepts; (1,) for two classes.
    weights_ : LinearWeights
        Both of them, and whether the solver has converged.

    Examples
    --------
    >>> import numpy as np
    >>> model = PrincipalLogisticRegression(C=10.0)
    >>> model.fit(np.eye(4), [0, 0, 1, 1]).predict(np.eye(4))
    array([0, 0, 1, 1])
    """

    classes_: NDArray[Any]

    def __init__(
        self,
        C: float = 1.0,  # noqa: N803
        *,
        class_weight: str | Mapping[Any, float] | None = None,
    ) -> None:
        self.C = C
        self.class_weight = class_weight

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803
        """Fit to rows, (n, D), and their classes, (n,).

        Warns
        -----
        sklearn.exceptions.ConvergenceWarning
            If the solver stopped short of the minimum.
        """
        rows, labels = validate_data(self, X, y, dtype=np.float32, order="C")
        check_classification_targets(labels)
        self.classes_, numbers = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("all rows are of one class; give rows of 2 classes or more")
        weights = None
        if self.class_weight is not None:
            weights = compute_class_weight(self.class_weight, classes=self.classes_, y=labels)
        basis = principal_basis(rows)
        (found,) = fit_path(
            basis.rows, numbers, [float(self.C)], class_weights=weights, center=False
        )
        warn_not_converged([] if found.converged else [float(self.C)])
        self.weights_: LinearWeights = basis.to_rows(found, rows)
        self.coef_ = np.ascontiguousarray(self.weights_.coefficients.T)
        self.intercept_ = self.weights_.intercept
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Return the probability of each class, (n, K)."""
        check_is_fitted(self)
        logits = self.decision_function(X)
        if logits.ndim == 1:
            return np.stack([expit(-logits), expit(logits)], axis=1)
        probabilities: NDArray[np.float64] = softmax(logits, axis=1)
        return probabilities
