"""Pooling: an activation of a network becomes one row an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penult.errors import UnknownNameError, UsageError
from penult.interface import option

if TYPE_CHECKING:
    from collections.abc import Iterable

    import torch

    from penult.backbones.layer import Layer, Layout

__all__ = ["POOLINGS", "check_pooling", "pool"]

POOLINGS = ("avg", "max", "gem", "cls", "flatten", "none")

GEM_POWER = 3.0
"""The exponent p of generalised-mean pooling: Radenović et al. 2018 start their training from 3."""


def check_pooling(pooling: str, layer: Layer, layers: Iterable[Layer], *, backbone: str) -> str:
    """Refuse a pooling that is unknown or has no meaning for the layer.

    Parameters
    ----------
    pooling : str
        One of `POOLINGS`.
    layer : Layer
        What is to be pooled.
    layers : iterable of Layer
        All of the network's, for the message.
    backbone : str
        Its name, for the message.

    Returns
    -------
    str
        The pooling, or ``"none"`` where there is nothing to pool.
    """
    if pooling not in POOLINGS:
        raise UnknownNameError("pooling", pooling, POOLINGS)
    if layer.layout == "other" and pooling not in ("flatten", "none"):
        raise UsageError(
            f"pooling {pooling!r} needs maps, or tokens of which it is known which are patches; "
            f"of {layer.name} of {backbone}, {layer.type} of shape {layer.shape}, it cannot "
            f"be told; give {option('pooling', 'flatten')} or none, or another layer"
        )
    if pooling == "cls" and not layer.has_class_token:
        raise UsageError(
            f"pooling 'cls' needs a layer of tokens with a class token in front; {layer.name} of "
            f"{backbone} is {layer.type} of shape {layer.shape}, without one; "
            f"give {option('pooling', 'avg')}, or a layer that has one"
        )
    if pooling in ("avg", "max", "gem") and 0 < layer.prefix_tokens == layer.shape[0]:
        raise UsageError(
            f"pooling {pooling!r} goes over patches, and {layer.name} of {backbone} has "
            f"{layer.prefix_tokens} tokens that are none; give "
            f"{option('pooling', layer.default_pooling)}"
        )
    if layer.layout == "vector":
        if pooling not in ("none", "flatten"):
            maps = [x.name for x in layers if x.layout not in ("vector", "other")]
            raise UsageError(
                f"pooling {pooling!r} has nothing to pool: {layer.name} of {backbone} is a "
                f"vector of {layer.length} already; leave out {option('pooling')}, or name a "
                f"layer with maps, e.g. {option('layer', maps[-1] if maps else '…')}"
            )
        # One name for one row.
        return "none"
    return pooling


def pool(
    activation: torch.Tensor, how: str, layout: Layout, prefix_tokens: int = 0
) -> torch.Tensor:
    """Pool one activation.

    Parameters
    ----------
    activation : (N, D), (N, C, H, W), (N, H, W, C) or (N, T, D), as `layout` says
    how : one of `POOLINGS`. ``avg``, ``max`` and ``gem`` go over space, or over the tokens after
        the prefix; ``cls`` takes the first token; ``flatten`` keeps the network's own order;
        ``none`` keeps the activation, maps turned to (N, C, H, W).
    prefix_tokens : tokens in front (class, registers) that are no patches

    Returns
    -------
    (N, D), or for ``none`` (N, C, H, W) or (N, T, D)

    Notes
    -----
    ``gem`` is ``mean(max(x, 1e-6) ** p) ** (1 / p)`` with p = 3: Radenović, Tolias and Chum,
    "Fine-tuning CNN Image Retrieval with No Human Annotation", TPAMI 2018, equation 3.
    """
    if layout == "vector":
        return activation
    if how == "flatten":
        return activation.flatten(1)
    if how == "cls":
        return activation[:, 0]
    if how == "none":
        return activation.permute(0, 3, 1, 2) if layout == "NHWC" else activation
    if layout == "NTD":
        activation, axes = activation[:, prefix_tokens:], [1]
    else:
        axes = [2, 3] if layout == "NCHW" else [1, 2]
    if how == "avg":
        return activation.mean(axes)
    if how == "max":
        return activation.amax(axes)
    return activation.clamp(min=1e-6).pow(GEM_POWER).mean(axes).pow(1 / GEM_POWER)
