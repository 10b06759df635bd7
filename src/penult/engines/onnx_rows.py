"""From a network that is nodes of ONNX to a model that gives rows; needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.backbones.image_input import scale_and_shift
from penult.backbones.pooling import GEM_POWER
from penult.engines.onnx_nodes import OnnxNodes

if TYPE_CHECKING:
    from penult.backbones.backbone import Backbone
    from penult.backbones.layer import Layer
    from penult.recipe import BackboneRecipe, Preprocessing

__all__ = ["row_model"]


def row_model(
    backbone: Backbone, recipes: Sequence[BackboneRecipe], *, images: str, opset: int, ir: int
) -> Any:
    """Write an ONNX model from uint8 (N, H, W, 3) RGB to float32 rows (N, D), with any N.

    Parameters
    ----------
    backbone : Backbone
        With the form ``"onnx"``.
    recipes : sequence of BackboneRecipe
        Of this backbone; one for each output, ``rows_0`` and so on.
    images : str
        Name of the input.
    opset, ir : int
        The versions of ONNX's operators and of its file format.
    """
    from onnx import TensorProto, helper

    nodes = OnnxNodes("row/")
    pixels = _normalize(nodes, images, backbone.preprocessing)
    for layer in dict.fromkeys(recipe.layer for recipe in recipes):
        part = backbone.as_onnx(layer)
        there = {node.output[0] for node in nodes.nodes}
        if part.input not in there:
            nodes.nodes.append(helper.make_node("Identity", [pixels], [part.input]))
        # What leads to one layer leads to others, too.
        nodes.nodes += [node for node in part.nodes if node.output[0] not in there]
        nodes.arrays |= part.weights
        for number, recipe in enumerate(recipes):
            if recipe.layer == layer:
                rows = _pool(nodes, part.output, recipe.pooling, backbone.layer(layer))
                rows = nodes.add("Flatten", rows, axis=1)
                if recipe.normalize == "l2":
                    rows = nodes.unit(rows)
                nodes.nodes.append(helper.make_node("Identity", [rows], [f"rows_{number}"]))
    size = backbone.preprocessing.input_size
    graph = helper.make_graph(
        nodes.nodes,
        "rows",
        [helper.make_tensor_value_info(images, TensorProto.UINT8, ["N", *size, 3])],
        [
            helper.make_tensor_value_info(f"rows_{number}", TensorProto.FLOAT, ["N", None])
            for number in range(len(recipes))
        ],
        nodes.initializers(),
    )
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir)


def _normalize(nodes: OnnxNodes, images: str, preprocessing: Preprocessing) -> str:
    """See `penult.backbones.image_input`."""
    pixels = nodes.add("Cast", images, to=1)  # float32
    pixels = nodes.add("Transpose", pixels, perm=[0, 3, 1, 2])
    if preprocessing.channels == "BGR":
        pixels = nodes.add("Gather", pixels, np.array([2, 1, 0]), axis=1)
    scale, shift = scale_and_shift(preprocessing)
    return nodes.add("Add", nodes.add("Mul", pixels, scale), shift)


def _pool(nodes: OnnxNodes, maps: str, how: str, layer: Layer) -> str:
    """See `penult.backbones.pooling.pool`; here, a network's maps are channels first."""
    if layer.layout == "vector" or how in ("none", "flatten"):
        return maps
    if how == "gem":
        maps = nodes.add("Max", maps, np.array(1e-6, np.float32))
        maps = nodes.add("Pow", maps, np.array(GEM_POWER, np.float32))
    pooled = nodes.add("ReduceMax" if how == "max" else "ReduceMean", maps, axes=[2, 3], keepdims=0)
    if how == "gem":
        pooled = nodes.add("Pow", pooled, np.array(1 / GEM_POWER, np.float32))
    return pooled
