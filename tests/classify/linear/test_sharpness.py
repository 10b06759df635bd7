"""How sure decisions may be."""

import numpy as np
import pytest
from scipy.special import log_softmax

from penult.classify.linear import basis
from penult.classify.linear.sharpness import sharpness


@pytest.fixture
def decided():
    """Decisions about 60 rows of three classes, of which one in six is wrong."""
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    decisions = np.eye(3)[labels] + 0.3 * rng.normal(size=(60, 3))
    return decisions, np.where(np.arange(60) % 6 == 0, (labels + 1) % 3, labels)


def test_no_other_factor_has_a_lower_log_loss(decided):
    decisions, labels = decided
    targets = (60 * np.eye(3)[labels] + 1 / 3) / 61

    def loss(factor):
        return -(targets * log_softmax(factor * decisions, axis=1)).sum(axis=1).mean()

    found = sharpness(decisions, labels)
    assert loss(found) <= min(loss(found * 1.01), loss(found / 1.01))


@pytest.mark.parametrize("columns", [1, 3])
def test_the_factor_is_that_of_all_rows_however_many_are_taken_at_a_time(
    decided, columns, monkeypatch
):
    decisions, labels = decided[0][:, :columns], decided[1] % max(2, columns)
    once = sharpness(decisions, labels)
    monkeypatch.setattr(basis, "BLOCK_BYTES", 7 * 4 * columns)  # 7 rows
    assert sharpness(decisions, labels) == pytest.approx(once, rel=1e-9)
