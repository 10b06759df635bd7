"""Rows behind a graph of activations; what an int8 checkpoint is checked by."""

from __future__ import annotations

import hashlib

import numpy as np
import openvino as ov
import pytest
import torch

from penult.backbones.layer import Layer
from penult.backbones.pooling import pool
from penult.engines.agreement import check_image, cosines, relative_error
from penult.engines.openvino.rows import append_pooling, run_model
from penult.recipe import Preprocessing, Recipe

SEEN = Preprocessing(
    resize=(8, 8), crop=None, interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3
)
MAPS, TOKENS, VECTOR = ["avg", "max", "gem", "flatten", "none"], ["cls"], ["none"]


@pytest.mark.parametrize("normalize", ["none", "l2"])
@pytest.mark.parametrize(
    ("layout", "shape", "poolings"),
    [
        ("NCHW", (5, 3, 4), MAPS),
        ("NHWC", (3, 3, 5), MAPS),
        ("NTD", (6, 5), MAPS + TOKENS),
        ("other", (3, 4, 5), ["flatten", "none"]),
        ("vector", (7,), VECTOR),
    ],
)
def test_rows_behind_a_graph_are_those_that_torch_pools(layout, shape, poolings, normalize):
    activation = np.random.default_rng(0).normal(size=(1, *shape)).astype(np.float32)
    stored = activation.transpose(0, 3, 1, 2) if layout == "NHWC" else activation
    layer = Layer("it", "Anything", shape, layout, prefix_tokens=2)
    for how in poolings:
        given = ov.opset13.parameter(stored.shape, ov.Type.f32)
        model = ov.Model([ov.opset13.result(given)], [given], "activations")
        recipe = Recipe(
            architecture="a", weights_sha256="0", layer="it", pooling=how, preprocessing=SEEN,
            normalize=normalize,
        )  # fmt: skip
        ours = run_model(ov, append_pooling(ov, model, [layer], [recipe]), stored)[0]
        theirs = pool(torch.from_numpy(activation), how, layout, 2)
        if normalize == "l2":
            theirs = torch.nn.functional.normalize(theirs.flatten(1)).view_as(theirs)
        assert ours.shape == tuple(theirs.shape), how
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-5, atol=1e-6, err_msg=how)


def test_only_the_layers_asked_for_are_computed_in_the_order_asked_for():
    given = ov.opset13.parameter([1, 2], ov.Type.f32)
    other = ov.opset13.multiply(given, np.float32(10))
    model = ov.Model([ov.opset13.result(given), ov.opset13.result(other)], [given], "two")
    layers = [Layer(name, "Anything", (2,), "vector") for name in ("one", "ten")]
    one, ten = (
        Recipe(architecture="a", weights_sha256="0", layer=x, pooling="none", preprocessing=SEEN)
        for x in ("one", "ten")
    )
    row = np.array([[1, 2]], np.float32)
    assert np.array_equal(
        run_model(ov, append_pooling(ov, model, layers, [ten, one]), row), [row * 10, row]
    )
    alone = append_pooling(ov, model, layers, [one])
    assert "Multiply" not in [x.get_type_name() for x in alone.get_ops()]


def test_how_far_rows_are_apart_by_hand():
    assert relative_error(np.float32([[3, 4]]), np.float32([[0, 4]])) == 0.75
    assert relative_error(np.float32([[3, 4]]), np.float32([[0, 0]])) == 5
    assert relative_error(np.float32([[3, 4]]), np.float32([[3, 4, 0]])) == np.inf


def test_cosines_by_hand():
    ours = np.array([[1, 0], [1, 1], [0, 0], [0, 0], [-2, 0]], np.float32)
    theirs = np.array([[2, 0], [1, 0], [0, 0], [1, 0], [1, 0]], np.float32)
    np.testing.assert_allclose(cosines(ours, theirs), [1, 0.5**0.5, 1, 0, -1], atol=1e-15)


def test_the_picture_that_checks_a_graph_never_changes():
    # A file holds its row: another picture would refuse every checkpoint that is out there.
    picture = check_image((40, 60))
    assert picture.shape == (40, 60, 3)
    assert picture.dtype == np.uint8
    assert hashlib.sha256(picture.tobytes()).hexdigest()[:16] == "efc8be159104e73f"
