"""From the activations that an OpenVINO graph gives to rows; unpacking an int8 checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.backbones.pooling import GEM_POWER
from penult.engines.openvino.core import the_core
from penult.errors import EngineError
from penult.messages import first_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.backbones.base import Layer
    from penult.backbones.int8 import Int8Backbone
    from penult.recipe import Recipe

__all__ = ["AGREEMENT", "check_image", "cosines", "rows_graph", "rows_of", "unpack"]

AGREEMENT = 0.999
"""The least cosine of a graph's row for `check_image` and the one it gave where it was made.

Processors that can add up four products of bytes at once (VNNI and its like) give the same rows to
the last bit. Older ones add them up two by two in 16 bits, where they may overflow.
"""


def rows_graph(ov: Any, model: Any, layers: Sequence[Layer], recipes: Sequence[Recipe]) -> Any:
    """Put pooling and row normalisation behind a graph, as `engines.graph.RowNetwork` has them.

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
            row = _unit(ov.opset13, row, len(layer.pooled_shape(recipe.pooling)))
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


def unpack(ov: Any, backbone: Int8Backbone, recipes: Sequence[Recipe]) -> Any:
    """Take from a checkpoint what gives these recipes' rows, as an openvino.Model.

    Raises
    ------
    EngineError
        If this processor computes something else with it than the one where it was made.
    """
    content = backbone.read()
    names = [layer.name for layer in content.layers]

    def graph(recipes: Sequence[Recipe]) -> Any:
        weights = ov.Tensor(np.frombuffer(content.weights, np.uint8).copy())
        model = the_core(ov).read_model(content.graph, weights)
        return rows_graph(ov, model, content.layers, recipes)

    try:
        image = check_image(content.preprocessing.input_size)
        found = rows_of(ov, graph([backbone.recipe(name) for name in names]), image[None])
        asked = graph(recipes)
    except RuntimeError as error:
        cause = first_line(error)
        raise EngineError(f"{backbone.name} cannot run: {cause}") from error
    for name, row, expected in zip(names, found, content.expected, strict=True):
        alike = float(cosines(row, expected[None])[0])
        if not alike >= AGREEMENT:
            raise EngineError(
                f"{backbone.name} gives other rows on this processor than on the one that it was "
                f"made on ({name}: cosine {alike:.3f}); make it again here with penult quantize"
            )
    return asked


def rows_of(ov: Any, model: Any, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    """Run a graph over images (N, H, W, 3), one at a time; one array (N, …) an output."""
    # Not the processor's choice of bfloat16 for what is left in float.
    compiled = the_core(ov).compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    request = compiled.create_infer_request()
    rows = [list(request.infer(images[k : k + 1]).values()) for k in range(len(images))]
    return [np.concatenate(row) for row in zip(*rows, strict=True)]


def cosines(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> NDArray[np.float64]:
    """Cosine similarity of each row with its other, (N, …) and (N, …); 1 where both are zero."""
    a, b = (rows.reshape(len(rows), -1).astype(np.float64) for rows in (ours, theirs))
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    same = (a == b).all(axis=1)
    return np.where(same, 1.0, (a * b).sum(axis=1) / np.where(lengths > 0, lengths, 1.0))


def check_image(size: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture of shades, squares and grain, uint8 (H, W, 3), the same on every machine."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.int64)
    grain = (x * 7919 + y * 104729) * 2654435761 // 65536 % 32
    shades = (x * 223 // size[1], y * 223 // size[0], (x // 16 + y // 16) % 2 * 192)
    return np.stack([shade + grain for shade in shades], axis=-1).astype(np.uint8)
