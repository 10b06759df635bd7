"""EfficientNet-Lite with its weights, for OpenVINO, and for torch where that is installed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.backbones.efficientnet_lite.architecture import CLASSES, layers
from penult.backbones.efficientnet_lite.graph import build_graph, fit
from penult.backbones.image_input import image_input
from penult.backbones.network import Network, OnnxPart, OpenVinoGraph
from penult.backbones.weights.arrays import is_safetensors, read_arrays
from penult.backbones.weights.pickled import read_pickled
from penult.extras import require_torch

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

    from penult.backbones.layer import Layer
    from penult.recipe import Preprocessing

__all__ = ["EfficientNetLite"]


class EfficientNetLite(Network):
    """An EfficientNet-Lite, whose graph is written with OpenVINO's own operations.

    Parameters
    ----------
    name : str
        E.g. ``"efficientnet_lite0"``.
    path : Path
        Its weights, as the package of that name has them, or a safetensors file with timm's names.
    classes : int, default=1000
        How many logits it has.
    """

    def __init__(self, name: str, path: Path, classes: int = CLASSES) -> None:
        self._name = name
        self._path = path
        self._classes = classes

    def list_layers(self, input_size: tuple[int, int]) -> tuple[Layer, ...]:
        """Every module of timm's, in execution order; nothing is run."""
        return layers(self._name, input_size, self._classes)

    def as_openvino(self, layers: Sequence[Layer], preprocessing: Preprocessing) -> OpenVinoGraph:
        """The part of the network that leads to `layers`."""

        def build(_core: Any) -> Any:
            import openvino

            images, pixels = image_input(preprocessing)
            outputs = build_graph(self._name, self._state(), pixels, [x.name for x in layers])
            results = [openvino.opset13.result(output) for output in outputs]
            return openvino.Model(results, [images], self._name)

        return OpenVinoGraph(layers=tuple(layers), build=build)

    def as_onnx(self, layer: Layer) -> OnnxPart:
        """The part of the network that leads to `layer`."""
        from penult.backbones.efficientnet_lite.onnx_nodes import onnx_part

        return onnx_part(self._name, self._state(), layer.name)

    def as_torch(self, layers: Sequence[Layer]) -> nn.Module:
        """The same network of timm's, cut."""
        return self._in_torch.as_torch(layers)

    @cached_property
    def _in_torch(self) -> Network:
        require_torch("the engine torch", "timm")
        import timm
        import torch

        from penult.backbones.torch_network import TorchNetwork

        network = timm.create_model(f"tf_{self._name}", pretrained=False, num_classes=self._classes)
        state = {key: torch.from_numpy(np.array(x)) for key, x in self._state().items()}
        network.load_state_dict(state)
        return TorchNetwork(network, head="classifier")

    def _state(self) -> dict[str, NDArray[Any]]:
        # Read anew for each graph, which keeps what it needs of it.
        if is_safetensors(self._path):
            return read_arrays(self._path)
        # The package's own file, whose digest says that it fits.
        return fit(self._name, read_pickled(self._path))
