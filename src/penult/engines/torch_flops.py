"""Floating point operations of a torch network, counted while it runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from penult.backbones.backbone import Backbone
from penult.backbones.forked import torch_in_one_thread
from penult.engines.row_network import RowNetwork
from penult.recipe import BackboneRecipe

__all__ = ["module_flops", "torch_flops"]

_PRODUCTS = re.compile(
    r"conv(?!ert)|(^|_)(mm|bmm|mv|dot|vdot|matmul|linear|trilinear|einsum)($|_)"
    r"|rnn|lstm|gru|attention|attn|transformer|addmv|addbmm|int4|int8pack"
)
_OWN = ("aten", "prim", "prims")


def torch_flops(backbone: Backbone, recipes: Sequence[BackboneRecipe]) -> int | None:
    """Count the operations for one image, up to the last layer asked for.

    Parameters
    ----------
    backbone : Backbone
        One that can be cut as a torch module.
    recipes : sequence of BackboneRecipe
        Of this backbone.

    Returns
    -------
    int or None
        See `module_flops`.
    """
    torch_in_one_thread()
    network = RowNetwork(backbone, recipes).eval().requires_grad_(False)
    place = next((tensor.device for tensor in network.parameters()), None)
    size = backbone.preprocessing.input_size
    return module_flops(network, torch.zeros((1, *size, 3), dtype=torch.uint8, device=place))


def module_flops(module: torch.nn.Module, images: torch.Tensor) -> int | None:
    """Run a module once, and count: two for each multiply-add of convolutions and matrix products.

    Parameters
    ----------
    module : torch.nn.Module
        Which is run as it is.
    images : Tensor
        What it takes.

    Returns
    -------
    int or None
        What torch's ``FlopCounterMode`` counts; None where the network has products that it does
        not know, and would leave out without a word.
    """
    counter = FlopCounterMode(display=False)
    # The counter of torch 2.6 knows attention on GPUs alone; on a CPU it costs the same.
    attention = counter.flop_registry[torch.ops.aten._scaled_dot_product_flash_attention]
    on_cpu = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    counter.flop_registry.setdefault(on_cpu, attention)
    unknown = _Uncounted(counter.flop_registry)
    fast = torch.backends.mha.get_fastpath_enabled()
    # Which computes attention in one operation that the counter does not know.
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        # Entered first, so that it is handed what the counter has taken apart.
        with torch.inference_mode(), unknown, counter:
            module(images)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    return None if unknown.names else counter.get_total_flops()


class _Uncounted(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the operations with matrix products, or of other libraries, that nobody counts."""

    def __init__(self, counted: Mapping[Any, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._counted = counted
        self.names = set[str]()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """See `TorchDispatchMode`."""
        packet = getattr(func, "overloadpacket", func)
        namespace = getattr(func, "namespace", "")
        if packet not in self._counted and (
            namespace not in _OWN or _PRODUCTS.search(packet.__name__)
        ):
            self.names.add(str(func))
        return func(*args, **(kwargs or {}))
