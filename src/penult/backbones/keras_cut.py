"""A Keras model, cut at some layers, as a torch module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import torch
from torch import nn

__all__ = ["KerasCut"]


class KerasCut(nn.Module):
    """The part of a model's graph that leads to some of its tensors.

    Parameters
    ----------
    model : a functional ``keras.Model`` of one image input (N, H, W, 3)
    outputs : symbolic tensors of the model's graph
    shapes : of each output for one image; (1, 1, C) may be asked for as (C,)
    """

    def __init__(
        self, model: Any, outputs: Sequence[Any], shapes: Sequence[tuple[int, ...]]
    ) -> None:
        super().__init__()
        self.model = keras.Model(model.inputs[0], list(outputs), name="cut")
        self._shapes = list(shapes)
        self.eval().requires_grad_(False)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Run float (N, 3, H, W) up to the last output."""
        # Keras moves tensors to a device of its own choosing unless it is told where they are.
        with keras.device(str(images.device)):
            outputs = self.model(images.permute(0, 2, 3, 1), training=False)
        if isinstance(outputs, torch.Tensor):
            outputs = [outputs]
        return tuple(
            output.reshape(len(output), *shape)
            for output, shape in zip(outputs, self._shapes, strict=True)
        )
