"""An ONNX graph, cut at some tensors, as a torch module."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from penult.backbones.onnx.graph import Graph, open_session, run
from penult.errors import BackboneError

__all__ = ["OnnxCut"]


class OnnxCut(nn.Module):
    """A session of ONNX Runtime on the CPU behind a module's interface.

    Parameters
    ----------
    graph : Graph
        The whole graph.
    tensors : mapping of str to str
        What to return, in this order: layer to tensor.
    """

    def __init__(self, graph: Graph, tensors: Mapping[str, str]) -> None:
        super().__init__()
        self._graph = graph
        self._tensors = dict(tensors)
        self._session = open_session(graph.cut(list(tensors.values())), graph.path)
        self.eval()

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Run float (N, 3, H, W); where the graph has a fixed batch, in parts of that many."""
        if torch._C._get_tracing_state() is not None or torch.compiler.is_compiling():
            # A trace would keep these images' rows as constants, and give them for all others.
            raise BackboneError(f"{self._graph.path} runs in ONNX Runtime and cannot be converted")
        pixels = np.ascontiguousarray(images.detach().cpu().numpy(), np.float32)
        size = self._graph.batch or len(pixels)
        parts = []
        for start in range(0, len(pixels), size):
            part = pixels[start : start + size]
            missing = size - len(part)
            filled = np.concatenate([part, np.repeat(part[-1:], missing, axis=0)])
            outputs = run(self._session, self._graph.input, filled, self._graph.path)
            parts.append([output[: len(part)] for output in outputs])
        names = [output.name for output in self._session.get_outputs()]
        whole = {
            name: torch.from_numpy(np.concatenate(arrays)).to(images.device)
            for name, arrays in zip(names, zip(*parts, strict=True), strict=True)
        }
        found = {layer: whole[tensor] for layer, tensor in self._tensors.items()}
        if "penultimate" in found and found["penultimate"].ndim != 2:
            raise BackboneError(
                f"the network gives no row an image, but {tuple(found['penultimate'].shape[1:])}; "
                f"name a layer, or choose another model"
            )
        return tuple(found.values())
