"""From the activations that an OpenVINO graph gives to rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.backbones.pooling import GEM_POWER
from penult.openvino import shared_core

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.backbones.layer import Layer
    from penult.recipe import BackboneRecipe

__all__ = ["append_pooling", "run_model"]


def append_pooling(
    ov: Any, model: Any, layers: Sequence[Layer], recipes: Sequence[BackboneRecipe]
) -> Any:
    """Put pooling and row normalization behind a graph; see `engines.row_network.RowNetwork`.

    Parameters
    ----------
    ov : the module openvino
    model : its outputs are the activations of `layers`, as pooling ``none`` gives them
    recipes : of some of these layers, in the order of the outputs to come

    Returns
    -------
    A new openvino.Model of the same nodes, without what only other layers need.
    """
    places = {layer.name: k for k, layer in enumerate(layers)}
    results = []
    for recipe in recipes:
        place = places[recipe.layer]
        layer, activation = layers[place], model.outputs[place].get_node().input_value(0)
        row = _pool(ov.opset13, activation, layer, recipe.pooling)
        if recipe.normalize == "l2":
            vector = layer.layout == "vector"  # of the ends, no more may be known
            axes = 1 if vector else len(layer.pooled_shape(recipe.pooling))
            row = _unit(ov.opset13, row, axes)
        results.append(ov.opset13.result(row))
    return ov.Model(results, model.get_parameters(), "rows")


def _pool(op: Any, activation: Any, layer: Layer, how: str) -> Any:
    """See `penult.backbones.pooling.pool`; here maps are channels first, whatever the layout."""
    if layer.layout == "vector" or how == "none":
        return activation
    if how == "flatten":
        if layer.layout == "NHWC":
            activation = op.transpose(activation, [0, 2, 3, 1])
        return op.reshape(activation, [0, -1], special_zero=True)
    if how == "cls":
        return op.gather(activation, 0, 1)
    axes = [2, 3]
    if layer.layout == "NTD":
        activation = op.slice(activation, [layer.prefix_tokens], [layer.shape[0]], [1], [1])
        axes = [1]
    if how == "avg":
        return op.reduce_mean(activation, axes, keep_dims=False)
    if how == "max":
        return op.reduce_max(activation, axes, keep_dims=False)
    raised = op.power(op.maximum(activation, np.float32(1e-6)), np.float32(GEM_POWER))
    return op.power(op.reduce_mean(raised, axes, keep_dims=False), np.float32(1 / GEM_POWER))


def _unit(op: Any, row: Any, axes_of_row: int) -> Any:
    """As torch's ``normalize``: never divided by less than 1e-12."""
    axes = list(range(1, 1 + axes_of_row))
    return op.divide(row, op.maximum(op.reduce_l2(row, axes, keep_dims=True), np.float32(1e-12)))


def run_model(
    ov: Any, model: Any, images: NDArray[np.uint8], batch: int | None = None
) -> list[NDArray[np.float32]]:
    """Run a graph over images (N, H, W, 3), one at a time; one array (N, …) an output.

    Where it takes a fixed number of images (`batch`), each is given so many times.
    """
    # Not the processor's choice of bfloat16 for what is left in float.
    compiled = shared_core(ov).compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    request = compiled.create_infer_request()
    rows = [
        [row[:1] for row in request.infer(np.repeat(image[None], batch or 1, axis=0)).values()]
        for image in images
    ]
    return [np.concatenate(row) for row in zip(*rows, strict=True)]
