"""Gradients of a row's numbers with regard to a layer of the network, by torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from penult.backbones.forked import torch_in_one_thread
from penult.backbones.pooling import pool
from penult.backbones.torch_cut import TorchCut
from penult.engines.row_network import RowNetwork
from penult.errors import UsageError
from penult.interface import command

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.backbones.backbone import Backbone
    from penult.recipe import BackboneRecipe

__all__ = ["pull_back"]


def pull_back(
    backbone: Backbone,
    layer: BackboneRecipe,
    gradients: Mapping[BackboneRecipe, NDArray[np.float64]],
    image: NDArray[np.uint8],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Take the gradient of a score with regard to rows back to a layer before them.

    Parameters
    ----------
    backbone : Backbone
        One that can be cut as a torch module.
    layer : BackboneRecipe
        Of the layer's whole maps.
    gradients : mapping of BackboneRecipe to float64 array, shape (D,)
        Of the score, with regard to the row of each of these recipes of the backbone.
    image : uint8 array, shape (H, W, 3)
        What the network sees, RGB.

    Returns
    -------
    activation, gradient : float32 arrays, shape (C, h, w) or (T, D)
        Of the layer, as pooling ``none`` lays it out.

    Raises
    ------
    UsageError
        If the rows do not depend on the layer.
    """
    torch_in_one_thread()
    found = backbone.layer(layer.layer)
    network = RowNetwork(backbone, list(gradients)).eval()
    if not isinstance(network.cut, TorchCut):
        raise _unreachable(layer, gradients)
    place = next((one.device for one in network.parameters()), torch.device("cpu"))
    network.normalize.to(place)
    module = network.cut.network.get_submodule(found.name)
    kept: list[torch.Tensor] = []
    calls = 0

    def begin_here(_module: Any, _args: Any, output: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls < found.calls:  # the last call is the layer's activation
            return output
        first = output[0] if isinstance(output, tuple) else output
        if not isinstance(first, torch.Tensor):
            return output
        # Nothing before the layer is differentiated. What follows may work in place on the copy.
        kept.append(first.detach().requires_grad_())
        copy = kept[-1].clone()
        return (copy, *output[1:]) if isinstance(output, tuple) else copy

    handle = module.register_forward_hook(begin_here)
    try:
        with torch.enable_grad():
            rows = network(torch.from_numpy(image[None].copy()).to(place))
            score = sum(
                (row.double().flatten() * torch.from_numpy(own).to(place)).sum()
                for row, own in zip(rows, gradients.values(), strict=True)
            )
    finally:
        handle.remove()
    if not kept or not isinstance(score, torch.Tensor) or not score.requires_grad:
        raise _unreachable(layer, gradients)
    (slope,) = torch.autograd.grad(score, kept[-1])
    activation, gradient = (
        pool(one.detach(), "none", found.layout)[0].float().cpu().numpy()
        for one in (kept[-1], slope)
    )
    return np.ascontiguousarray(activation), np.ascontiguousarray(gradient)


def _unreachable(
    layer: BackboneRecipe, gradients: Mapping[BackboneRecipe, NDArray[np.float64]]
) -> UsageError:
    rows = " and ".join(one.layer for one in gradients)
    return UsageError(
        f"{rows} of {layer.network} does not depend on {layer.layer}, or not in a way that can be "
        f"differentiated; give a layer before it: {command('layers', layer.backbone)}"
    )
