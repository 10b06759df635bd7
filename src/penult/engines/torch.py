"""The reference engine: PyTorch, eager."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from penult.backbones.base import Backbone
from penult.engines.base import Engine
from penult.engines.graph import RowNetwork
from penult.errors import EngineError
from penult.recipe import Recipe

__all__ = ["TorchEngine"]


class TorchEngine(Engine):
    """Runs in eval and inference mode, channels last, on the device asked for.

    Parameters
    ----------
    device : ``"auto"`` (CUDA where there is one, else the CPU) or a torch device

    Raises
    ------
    EngineError
        If torch does not know the device or cannot reach it.
    """

    name = "torch"

    def __init__(
        self, backbone: Backbone, recipes: Sequence[Recipe], *, device: str = "auto"
    ) -> None:
        self._device = _device(device)
        self.device = str(self._device)
        self.recipes = tuple(recipes)
        self._network = RowNetwork(backbone, recipes).eval().requires_grad_(False)
        self._network.to(self._device).to(memory_format=torch.channels_last)

    def run(self, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """See `Engine.run`."""
        with torch.inference_mode():
            rows = self._network(torch.from_numpy(images).to(self._device))
        return [np.ascontiguousarray(row.cpu().numpy()) for row in rows]


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        cause = str(error).splitlines()[0]
        raise EngineError(
            f"the device {name!r} cannot be used: {cause}; give --device auto, cpu, or cuda:0 "
            f"where there is an NVIDIA GPU"
        ) from error
    return device
