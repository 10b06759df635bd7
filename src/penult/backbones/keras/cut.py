"""A Keras model, cut at some layers, as a torch module."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import keras
import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

__all__ = ["KerasCut"]

# Names that Keras uses and converters of traces do not know, with those that they do.
_SAME = {
    torch.subtract: torch.sub,
    torch.Tensor.subtract: torch.Tensor.sub,
    torch.divide: torch.div,
}
_PADDED = (functional.max_pool2d, functional.avg_pool2d, functional.pad)


class _Convertible(TorchFunctionMode):
    """Has a trace name what Keras does as converters know it."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _PADDED:
            # Keras computes paddings from shapes, which are variables in a trace; the size of the
            # images is fixed, and so are they.
            args = [_fixed(value) for value in args]
            kwargs = {name: _fixed(value) for name, value in kwargs.items()}
        return _SAME.get(func, func)(*args, **kwargs)


def _fixed(value: Any) -> Any:
    return tuple(int(size) for size in value) if isinstance(value, list | tuple) else value


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
        mode = _Convertible() if torch._C._get_tracing_state() is not None else nullcontext()
        with keras.device(str(images.device)), mode:
            outputs = self.model(images.permute(0, 2, 3, 1), training=False)
        if isinstance(outputs, torch.Tensor):
            outputs = [outputs]
        return tuple(
            output.reshape(-1, *shape)  # a trace would remember len(output) as a number
            for output, shape in zip(outputs, self._shapes, strict=True)
        )
