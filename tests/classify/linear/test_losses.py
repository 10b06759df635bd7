"""Each loss against differences of itself, in float64."""

import numpy as np
import pytest

from penult.classify.linear.losses import SIGMOID, SOFTMAX, SQUARED_HINGE, choose_loss

STEP = 1e-6
CASES = [
    pytest.param(SOFTMAX, np.array([0, 2, 1, 2]), id="softmax"),
    pytest.param(SIGMOID, np.random.default_rng(1).random((4, 3)) < 0.5, id="sigmoid"),
    pytest.param(SQUARED_HINGE, np.random.default_rng(2).random((4, 3)) < 0.5, id="hinge"),
    pytest.param(
        SOFTMAX.weighted(np.array([0.5, 2.0, 3.0])), np.array([0, 2, 1, 2]), id="weighted softmax"
    ),
    *(
        pytest.param(
            loss.weighted(np.array([[0.5, 1, 2], [3, 1, 0.25]])),
            np.random.default_rng(3).random((4, 3)) < 0.5,
            id=f"weighted {name}",
        )
        for name, loss in (("sigmoid", SIGMOID), ("hinge", SQUARED_HINGE))
    ),
]


@pytest.mark.parametrize(("loss", "targets"), CASES)
def test_the_derivative_is_the_slope_of_the_loss(loss, targets):
    logits = np.random.default_rng(0).normal(size=(4, 3))
    _, residual, _ = loss.evaluate(logits, targets)
    for k in range(3):
        ahead, behind = (
            loss.evaluate(logits + sign * STEP * np.eye(3)[k], targets)[2] for sign in (1, -1)
        )
        np.testing.assert_allclose(residual[:, k], (ahead - behind) / (2 * STEP), atol=1e-6)


@pytest.mark.parametrize(("loss", "targets"), CASES)
def test_the_curvature_is_the_slope_of_the_derivative(loss, targets):
    rng = np.random.default_rng(0)
    logits, change = rng.normal(size=(2, 4, 3))
    said, _, _ = loss.evaluate(logits, targets)
    ahead, behind = (
        loss.evaluate(logits + sign * STEP * change, targets)[1] for sign in (1, -1)
    )  # fmt: skip
    np.testing.assert_allclose(
        loss.curvature_product(said, change), (ahead - behind) / (2 * STEP), atol=1e-5
    )
    alone = np.stack(
        [loss.curvature_product(said, np.eye(3)[[k] * 4])[:, k] for k in range(3)], axis=1
    )
    np.testing.assert_allclose(loss.curvature_diagonal(said), alone, atol=1e-12)


@pytest.mark.parametrize(("loss", "targets"), CASES)
def test_nothing_overflows_where_the_classes_are_far_apart(loss, targets):
    logits = 1e4 * np.array([[1, -1, 0]] * 4, np.float32)
    said, residual, losses = loss.evaluate(logits, targets)
    assert all(np.isfinite(found).all() for found in (said, residual, losses))
    assert (loss.curvature_diagonal(said) >= 0).all()


def test_two_classes_have_one_column_and_several_labels_have_one_each():
    assert choose_loss(np.array([0, 1, 1]))[2] == 1
    assert choose_loss(np.array([0, 1, 2]))[0] is SOFTMAX
    assert choose_loss(np.eye(2, dtype=bool))[2] == 2
