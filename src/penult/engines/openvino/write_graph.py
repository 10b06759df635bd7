"""A backbone as one graph in float32, for a file that gives the same rows without torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from penult.backbones.graph_file import Original, SavedGraph
from penult.engines.agreement import check_image, relative_error
from penult.engines.base import TOLERANCE
from penult.engines.openvino.engine import converted
from penult.engines.openvino.pack import pack
from penult.errors import EngineError
from penult.progress import announce

if TYPE_CHECKING:
    from penult.backbones.backbone import Backbone
    from penult.engines.base import Engine
    from penult.recipe import BackboneRecipe

__all__ = ["largest_difference", "write_graph"]


def write_graph(backbone: Backbone, recipes: Sequence[BackboneRecipe]) -> SavedGraph:
    """Convert the part of a network that leads to some layers.

    Raises
    ------
    EngineError
        If OpenVINO cannot run the network.
    """
    announce("converting the network")
    plain = [replace(recipe, pooling="none", normalize="none") for recipe in recipes]
    found = converted(backbone, plain)
    weights = backbone.weights
    return pack(
        backbone,
        [recipe.layer for recipe in recipes],
        found.model,
        original=Original(
            backbone=backbone.name, weights=weights.name, weights_sha256=weights.sha256
        ),
        batch=found.batch,
    )


def largest_difference(ours: Engine, theirs: Engine) -> float:
    """How far rows of one engine are from another's, relatively, over a few made-up images.

    Raises
    ------
    EngineError
        If it is more than `TOLERANCE`.
    """
    size = ours.recipes[0].preprocessing.input_size
    noise = np.random.default_rng(0).integers(0, 256, (2, *size, 3), dtype=np.uint8)
    images = np.concatenate([check_image(size)[None], noise])
    largest = 0.0
    for recipe, a, b in zip(ours.recipes, ours.run(images), theirs.run(images), strict=True):
        found = max(map(relative_error, a, b))
        if not found <= TOLERANCE:
            raise EngineError(
                f"{recipe.layer} of the converted network differs from the engine {theirs.name}'s "
                f"by {found:.1e}, more than {TOLERANCE:.0e}"
            )
        largest = max(largest, found)
    return largest
