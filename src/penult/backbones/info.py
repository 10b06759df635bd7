"""What is known of a backbone without opening it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ModelInfo"]


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """What is known of a backbone without opening it; a line of ``penult models``.

    Attributes
    ----------
    name : str
        Canonical, with its source, e.g. ``"bundled:efficientnet_lite0"``.
    parameters : int or None
        Number of learned parameters, where the source says.
    input_size : (int, int) or None
        (height, width) in pixels.
    features : int or None
        Length of the penultimate row.
    licence : str or None
        Of the weights.
    top1 : float or None
        ImageNet-1k top-1 accuracy in percent, where the source states it.
    weights : str
        The weights' name.
    on_this_machine : bool
        Whether the weights can be loaded without a network.
    """

    name: str
    parameters: int | None
    input_size: tuple[int, int] | None
    features: int | None
    licence: str | None
    top1: float | None
    weights: str
    on_this_machine: bool
