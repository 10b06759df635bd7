"""What is published of a network: how many parameters it has, and on what terms its weights are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penult.backbones.registry import load_source, sources
from penult.backbones.sizes import sizes

if TYPE_CHECKING:
    from penult.backbones.backbone import Backbone
    from penult.backbones.info import ModelInfo

__all__ = ["published_licence", "published_parameters"]


def published_parameters(backbone: Backbone) -> int | None:
    """Learned parameters of the network as it is published, whatever weights it has here.

    Returns
    -------
    int or None
        With those of its classifier; None where its source does not say.
    """
    architecture = backbone.architecture.removeprefix("int8/")
    if known := sizes().get(architecture):
        return known.parameters
    info = _info(backbone)
    return None if info is None else info.parameters


def published_licence(backbone: Backbone) -> str | None:
    """The licence of the weights, where they are those that the source states it of.

    Returns
    -------
    str or None
        None for weights that the user gave, or that chance did.
    """
    # Whose source is then not asked: timm takes seconds to import.
    if backbone.weights.name == "random" or backbone.weights.name.startswith("file:"):
        return None
    info = _info(backbone)
    named = f"{backbone.weights.name} "
    return info.licence if info is not None and named.startswith(f"{info.weights} ") else None


def _info(backbone: Backbone) -> ModelInfo | None:
    name = backbone.metadata.converted_from or backbone.name
    prefix = name.partition(":")[0]
    if prefix not in sources():
        return None
    return next((info for info in load_source(prefix).models() if info.name == name), None)
