"""A backbone made of a `torch.nn.Module`, whichever library built it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from penult.backbones.base import ENDS, Backbone, Layer, Weights
from penult.recipe import Preprocessing

if TYPE_CHECKING:
    from torch import nn

__all__ = ["NetworkBackbone"]


class NetworkBackbone(Backbone):
    """A backbone whose layers are the network's modules, captured by hooks.

    Parameters
    ----------
    build : makes the network with its weights loaded; called once, when first needed
    head : module path of the classifier, whose input is the penultimate row; None where the
        network's own output is that row; or what finds it in the network
    """

    def __init__(
        self,
        *,
        name: str,
        architecture: str,
        weights: Weights,
        preprocessing: Preprocessing,
        build: Callable[[], nn.Module],
        head: str | Callable[[nn.Module], str | None] | None,
        libraries: tuple[str, ...] = ("torch",),
    ) -> None:
        self.name = name
        self.architecture = architecture
        self.weights = weights
        self.preprocessing = preprocessing
        self.libraries = libraries
        self._build = build
        self._head = head

    @cached_property
    def network(self) -> nn.Module:
        """The whole network, in eval mode, without gradients."""
        return self._build().eval().requires_grad_(False)

    @cached_property
    def head(self) -> str | None:
        """Module path of the classifier."""
        return self._head(self.network) if callable(self._head) else self._head

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Every module that gives a tensor, in execution order."""
        from penult.backbones.layers import list_layers

        return list_layers(self.network, self.preprocessing.input_size, head=self.head)

    def cut(self, layers: Sequence[str]) -> nn.Module:
        """Build a module that stops after the last of `layers`."""
        from penult.backbones.layers import Cut

        calls = {name: 1 if name in ENDS else self.layer(name).calls for name in layers}
        return Cut(self.network, calls, self.head)
