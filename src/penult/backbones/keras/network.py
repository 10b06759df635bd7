"""The network of a Keras model: its layers are the operations of its graph, not torch modules."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from penult.backbones.layer import Layer
from penult.backbones.network import Network

if TYPE_CHECKING:
    from torch import nn

__all__ = ["KerasNetwork"]


class KerasNetwork(Network):
    """A Keras model.

    Maps are laid out (N, H, W, C), as Keras computes them. ``penultimate`` is the input of the
    last layer that has weights, ``logits`` the model's output without its softmax.

    Parameters
    ----------
    model : keras.Model
        The whole model.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    @cached_property
    def _outputs(self) -> dict[str, tuple[str, Any]]:
        """Name to (type, symbolic tensor), in execution order, the two ends last."""
        outputs = {}
        head = None
        for operation in self.model.operations:
            # Not `operation.output`: of a model in the model, that is a tensor of its own graph.
            node = operation._inbound_nodes[-1]
            if node.is_input:
                continue
            outputs[operation.name] = (type(operation).__name__, node.output_tensors[0])
            if getattr(operation, "weights", None):
                head = node.input_tensors[0]
        # MobileNetV3 has a layer named logits: the same numbers, laid out (1, 1, classes).
        outputs.pop("logits", None)
        outputs["penultimate"] = ("input of the classifier", head)
        outputs["logits"] = ("output of the network", self.model.outputs[0])
        return outputs

    @cached_property
    def _layers(self) -> dict[str, Layer]:
        layers = []
        for name, (kind, tensor) in self._outputs.items():
            shape = tuple(tensor.shape[1:])
            if name == "penultimate" or len(shape) == 1:
                # MobileNet's classifiers are convolutions over (1, 1, C): a vector all the same.
                layers.append(Layer(name, kind, (shape[-1],), "vector"))
            elif len(shape) == 3:
                layers.append(Layer(name, kind, shape, "NHWC"))
        return {layer.name: layer for layer in layers}

    def list_layers(self, input_size: tuple[int, int]) -> tuple[Layer, ...]:
        """Every layer that gives maps or vectors; shapes from the graph, nothing is run."""
        return tuple(self._layers.values())

    def as_torch(self, layers: Sequence[Layer]) -> nn.Module:
        """A model that ends with `layers`; the graph's other branches are not run."""
        from penult.backbones.keras.cut import KerasCut  # imports Keras, set up by now

        names = [layer.name for layer in layers]
        return KerasCut(
            self.model,
            [self._outputs[name][1] for name in names],
            [self._layers[name].shape for name in names],
        )
