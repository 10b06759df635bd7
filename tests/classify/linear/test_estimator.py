"""The solver as a scikit-learn estimator."""

from functools import partial

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from penult.classify.linear import estimator
from penult.classify.linear.estimator import PrincipalLogisticRegression
from penult.classify.linear.logistic import fit_path


@parametrize_with_checks([PrincipalLogisticRegression()])
def test_it_is_what_scikit_learn_expects_of_a_classifier(estimator, check):
    check(estimator)


@pytest.mark.parametrize("classes", [2, 3])
def test_its_probabilities_are_those_of_scikit_learns_own(classes):
    rows, labels = load_iris(return_X_y=True)
    rows, labels = rows[labels < classes], labels[labels < classes]
    mine = PrincipalLogisticRegression(C=10).fit(rows, labels)
    theirs = LogisticRegression(C=10, tol=1e-8, max_iter=10_000).fit(rows, labels)
    np.testing.assert_allclose(mine.predict_proba(rows), theirs.predict_proba(rows), atol=1e-3)
    np.testing.assert_allclose(mine.coef_, theirs.coef_, atol=1e-2)


def test_a_solver_that_stops_short_says_so(monkeypatch):
    rows, labels = load_iris(return_X_y=True)
    assert PrincipalLogisticRegression(C=100).fit(rows, labels).weights_.converged
    monkeypatch.setattr(estimator, "fit_path", partial(fit_path, max_steps=2))
    with pytest.warns(ConvergenceWarning, match="logistic regression has not converged at C=100:"):
        model = PrincipalLogisticRegression(C=100).fit(rows, labels)
    assert not model.weights_.converged
