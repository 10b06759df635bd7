"""The network in an ONNX file: its layers are nodes of the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from penult.backbones.axes import Axes, noise, unmoved
from penult.backbones.layer import Layer
from penult.backbones.network import Network
from penult.errors import UnknownNameError

if TYPE_CHECKING:
    from torch import nn

    from penult.backbones.onnx.graph import Graph

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
        found = self._graph.activations(noise(*input_size))
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

    def as_torch(self, layers: Sequence[Layer]) -> nn.Module:
        """A module over a session on the part of the graph that leads to `layers`."""
        from penult.backbones.onnx.cut import OnnxCut

        outputs = self._graph.outputs
        for layer in layers:
            if layer.name not in outputs:
                raise UnknownNameError(f"layer of {self._graph.path}", layer.name, outputs)
        return OnnxCut(self._graph, {layer.name: outputs[layer.name][1] for layer in layers})
