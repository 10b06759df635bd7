"""What the tests of classifiers share."""

from __future__ import annotations

import pytest
from sklearn.ensemble import RandomForestClassifier


@pytest.fixture(autouse=True)
def _small_forests(request, monkeypatch):
    """Forests of 10 trees for penult's 300, so that a test of one takes a small part of the time."""
    trees = getattr(request, "param", 10)
    fit = RandomForestClassifier.fit

    def fit_few(forest, *rows, **options):
        return fit(forest.set_params(n_estimators=trees, n_jobs=1), *rows, **options)

    monkeypatch.setattr(RandomForestClassifier, "fit", fit_few)
