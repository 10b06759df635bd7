"""A network that is a `torch.nn.Module`, whichever library built it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from penult.backbones.network import Network

if TYPE_CHECKING:
    from torch import nn

    from penult.backbones.layer import Layer

__all__ = ["TorchNetwork"]


class TorchNetwork(Network):
    """A network whose layers are modules, captured by hooks.

    Parameters
    ----------
    module : torch.nn.Module
        The whole network; put into eval mode, without gradients.
    head : str or None
        Module path of the classifier, whose input is the penultimate row; None where the network's
        own output is that row.
    """

    def __init__(self, module: nn.Module, *, head: str | None) -> None:
        self.module = module.eval().requires_grad_(False)
        self.head = head

    def list_layers(self, input_size: tuple[int, int]) -> tuple[Layer, ...]:
        """Every module that gives a tensor, in execution order; found by running the network."""
        from penult.backbones.torch_cut import list_layers

        return list_layers(self.module, input_size, head=self.head)

    def as_torch(self, layers: Sequence[Layer]) -> nn.Module:
        """A module that stops after the last of `layers`."""
        from penult.backbones.torch_cut import TorchCut

        return TorchCut(self.module, {layer.name: layer.calls for layer in layers}, self.head)
