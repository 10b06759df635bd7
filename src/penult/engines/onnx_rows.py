"""From a network that is nodes of ONNX to a model that gives rows; needs no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from penult.backbones.image_input import scale_and_shift
from penult.backbones.pooling import GEM_POWER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.backbones.backbone import Backbone
    from penult.backbones.layer import Layer
    from penult.recipe import BackboneRecipe, Preprocessing

__all__ = ["row_model"]


class _Nodes:
    """Nodes one after the other, and the arrays they use."""

    def __init__(self, given: str) -> None:
        self.last = given
        self.nodes: list[Any] = []
        self.arrays: dict[str, NDArray[Any]] = {}

    def add(self, kind: str, *arrays: NDArray[Any], **attributes: Any) -> None:
        """Put a node behind the last one; `arrays` are its other inputs."""
        from onnx.helper import make_node

        output = f"row/{len(self.nodes)}"
        names = [f"{output}/{number}" for number in range(len(arrays))]
        self.arrays |= dict(zip(names, arrays, strict=True))
        self.nodes.append(make_node(kind, [self.last, *names], [output], **attributes))
        self.last = output


def row_model(
    backbone: Backbone, recipe: BackboneRecipe, *, images: str, opset: int, ir: int
) -> Any:
    """Write an ONNX model from uint8 (N, H, W, 3) RGB to float32 rows (N, D), with any N.

    Parameters
    ----------
    backbone : Backbone
        With the form ``"onnx"``.
    recipe : BackboneRecipe
        Of this backbone.
    images : str
        Name of the input.
    opset, ir : int
        The versions of ONNX's operators and of its file format.
    """
    from onnx import TensorProto, helper, numpy_helper

    part = backbone.as_onnx(recipe.layer)
    nodes = _Nodes(images)
    _normalize(nodes, backbone.preprocessing)
    nodes.nodes.append(helper.make_node("Identity", [nodes.last], [part.input]))
    nodes.nodes += part.nodes
    nodes.last = part.output
    _pool(nodes, recipe.pooling, backbone.layer(recipe.layer))
    nodes.add("Flatten", axis=1)
    if recipe.normalize == "l2":
        _unit(nodes)
    nodes.nodes.append(helper.make_node("Identity", [nodes.last], ["rows"]))
    size = backbone.preprocessing.input_size
    graph = helper.make_graph(
        nodes.nodes,
        "rows",
        [helper.make_tensor_value_info(images, TensorProto.UINT8, ["N", *size, 3])],
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["N", None])],
        [
            numpy_helper.from_array(np.ascontiguousarray(array), name)
            for name, array in {**nodes.arrays, **part.weights}.items()
        ],
    )
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir)


def _normalize(nodes: _Nodes, preprocessing: Preprocessing) -> None:
    """See `penult.backbones.image_input`."""
    nodes.add("Cast", to=1)  # float32
    nodes.add("Transpose", perm=[0, 3, 1, 2])
    if preprocessing.channels == "BGR":
        nodes.add("Gather", np.array([2, 1, 0]), axis=1)
    scale, shift = scale_and_shift(preprocessing)
    nodes.add("Mul", scale)
    nodes.add("Add", shift)


def _pool(nodes: _Nodes, how: str, layer: Layer) -> None:
    """See `penult.backbones.pooling.pool`; here, a network's maps are channels first."""
    if layer.layout == "vector" or how in ("none", "flatten"):
        return
    if how == "gem":
        nodes.add("Max", np.array(1e-6, np.float32))
        nodes.add("Pow", np.array(GEM_POWER, np.float32))
    nodes.add("ReduceMax" if how == "max" else "ReduceMean", axes=[2, 3], keepdims=0)
    if how == "gem":
        nodes.add("Pow", np.array(1 / GEM_POWER, np.float32))


def _unit(nodes: _Nodes) -> None:
    """As torch's ``normalize``: never divided by less than 1e-12."""
    from onnx.helper import make_node

    row = nodes.last
    nodes.add("ReduceL2", axes=[1], keepdims=1)
    nodes.add("Max", np.array(1e-12, np.float32))
    nodes.nodes.append(make_node("Div", [row, nodes.last], ["row/unit"]))
    nodes.last = "row/unit"
