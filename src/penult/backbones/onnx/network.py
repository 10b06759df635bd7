"""The network in an ONNX file: its layers are nodes of the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.backbones.axes import Axes, noise, unmoved
from penult.backbones.image_input import image_input, normalized
from penult.backbones.layer import Layer
from penult.backbones.network import Network, OpenVinoGraph
from penult.backbones.onnx.runtime import activations, in_onnx_runtime, read_in_openvino
from penult.errors import BackboneError, UnknownNameError
from penult.extras import is_installed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.backbones.onnx.graph import Graph
    from penult.recipe import Preprocessing

__all__ = ["OnnxNetwork"]


class OnnxNetwork(Network):
    """An ONNX graph; its layers are nodes, by name, or by their output's name where they have none.

    ``penultimate`` is what goes into the classifier: the last fully connected node, when only
    biases, softmax and changes of shape come after it. ``logits`` is what comes before the softmax.
    Where there is no such node, a vector that the network gives is ``penultimate``.

    Parameters
    ----------
    graph : Graph
        The whole graph.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def list_layers(self, input_size: tuple[int, int]) -> tuple[Layer, ...]:
        """Every node that gives one float array an image; found by running the network once."""
        found = activations(self._graph, noise(*input_size))
        axes = Axes(input_size, (weights.name for weights in self._graph.model.graph.initializer))
        for _, tensor in self._graph.outputs.values():
            array = found.get(tensor)
            if array is not None and array.ndim == 4:
                axes.see_map(array.shape[1:])
            elif array is not None and array.ndim == 3:
                axes.see_tokens(array.shape[2], unmoved(array))
        layers = [
            axes.layer(name, kind, found[tensor].shape[1:])
            for name, (kind, tensor) in self._graph.outputs.items()
            if tensor in found
        ]
        return tuple(x for x in layers if x.name != "penultimate" or x.layout == "vector")

    def as_openvino(self, layers: Sequence[Layer], preprocessing: Preprocessing) -> OpenVinoGraph:
        """The part of the graph that leads to `layers`, behind the normalisation of images."""
        graph, outputs = self._graph, self._graph.outputs
        for layer in layers:
            if layer.name not in outputs:
                raise UnknownNameError(f"layer of {graph.path}", layer.name, outputs)
        tensors = [outputs[layer.name][1] for layer in layers]
        once = list(dict.fromkeys(tensors))
        cut = graph.cut(once)

        def build(core: Any) -> Any:
            model = read_in_openvino(core, cut, graph.path)
            return _with_images(model, [once.index(x) for x in tensors], layers, preprocessing)

        def reference(images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
            pixels = np.repeat(normalized(images, preprocessing), graph.batch or 1, axis=0)
            found = in_onnx_runtime(cut, graph.input, pixels)
            rows = [found[once.index(tensor)][: len(images)] for tensor in tensors if found]
            return [
                row.transpose(0, 3, 1, 2) if layer.layout == "NHWC" else row
                for row, layer in zip(rows, layers, strict=False)
            ]

        compared = is_installed("onnxruntime") and not graph.in_integers
        return OpenVinoGraph(
            layers=tuple(layers),
            build=build,
            batch=graph.batch,
            reference=reference if compared else None,
        )


def _with_images(
    model: Any, places: Sequence[int], layers: Sequence[Layer], preprocessing: Preprocessing
) -> Any:
    """Put the normalisation of images in front of a graph, and its outputs in order."""
    import openvino

    op = openvino.opset13
    (pixels,) = model.get_parameters()
    batch = pixels.get_partial_shape()[0]
    images, normal = image_input(preprocessing, batch.get_length() if batch.is_static else None)
    for target in pixels.output(0).get_target_inputs():
        target.replace_source_output(normal)
    results = []
    for place, layer in zip(places, layers, strict=True):
        row = model.outputs[place].get_node().input_value(0)
        if row.get_element_type() != openvino.Type.f32:
            row = op.convert(row, "f32").output(0)
        if layer.layout == "NHWC":
            row = op.transpose(row, np.array([0, 3, 1, 2])).output(0)
        rank = row.get_partial_shape().rank
        if layer.name == "penultimate" and rank.is_static and rank.get_length() != 2:
            shape = ", ".join(map(str, list(row.get_partial_shape())[1:]))
            raise BackboneError(
                f"the network gives no row an image, but ({shape}); name a layer, or choose "
                f"another model"
            )
        results.append(op.result(row))
    return openvino.Model(results, [images], "network")
