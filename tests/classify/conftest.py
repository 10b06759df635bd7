"""What the tests of classifiers share."""

from __future__ import annotations

import pytest
from sklearn.ensemble import RandomForestClassifier


@pytest.fixture(autouse=True)
def _small_forests(monkeypatch):
    """Forests of 30 trees for penult's 300, so that a test of one takes a tenth of the time."""
    fit = RandomForestClassifier.fit

    def fit_few(forest, *rows, **options):
        return fit(forest.set_params(n_estimators=30, n_jobs=1), *rows, **options)

    monkeypatch.setattr(RandomForestClassifier, "fit", fit_few)
