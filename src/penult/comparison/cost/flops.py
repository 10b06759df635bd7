"""Floating point operations for one image, of all networks of an extractor."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from penult.comparison.cost.graph_flops import graph_flops
from penult.engines.registry import engines_tried
from penult.extractor import by_network

if TYPE_CHECKING:
    from penult.backbones.backbone import Backbone
    from penult.extractor import Extractor
    from penult.recipe import BackboneRecipe

__all__ = ["flops_of"]


def flops_of(extractor: Extractor) -> int | None:
    """Count what one image costs: in all networks, up to the layers, in all of its views.

    Parameters
    ----------
    extractor : Extractor
        Opened; the form of each network in which its engine runs it is what is counted. The engines
        are not opened for that.

    Returns
    -------
    int or None
        Two for each multiplication and addition of convolutions and matrix products; None where
        those of one network cannot be counted.
    """
    needs = dict.fromkeys(one for recipe in extractor.recipes for one in recipe.needs())
    total = 0
    chosen = extractor.spec.engine
    for backbone, own in zip(extractor.backbones, by_network(extractor.recipes), strict=True):
        views = {view for leaf, view in needs if leaf in own}
        names = engines_tried(backbone, own, engine=chosen.engine, device=chosen.device)
        of_one = _by_the_first_that_can(backbone, own, names)
        if of_one is None:
            return None
        total += len(views) * of_one
    return total


def _by_the_first_that_can(
    backbone: Backbone, recipes: Sequence[BackboneRecipe], engines: Sequence[str]
) -> int | None:
    """As the network would run: by the next engine where one cannot have it."""
    for engine in engines:
        try:
            return _flops(backbone, recipes, engine)
        except Exception as error:  # whoever's network it is, it is not for its flops that it runs
            logging.getLogger("penult").debug("penult: flops of %s: %s", backbone.name, error)
    return None


def _flops(backbone: Backbone, recipes: Sequence[BackboneRecipe], engine: str) -> int | None:
    forms = backbone.metadata.forms
    if engine == "openvino" or "torch" not in forms:
        return _of_graph(backbone, recipes)
    from penult.engines.torch_flops import torch_flops

    return torch_flops(backbone, recipes)


def _of_graph(backbone: Backbone, recipes: Sequence[BackboneRecipe]) -> int | None:
    from penult.engines.openvino.engine import converted

    conversion = converted(backbone, recipes)
    images = conversion.batch or 1
    conversion.model.reshape([images, *backbone.preprocessing.input_size, 3])
    found = graph_flops(conversion.model)
    return None if found is None else found // images
