"""A weighted sum of a row's numbers, divided among the places of the photo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from penult.extractor import ExtractorSpec
from penult.extractor.rows import by_network
from penult.recipe import BackboneRecipe, Recipe
from penult.records import HeatMap
from penult.saliency.map_source import MapSource
from penult.saliency.row_weights import leaf_weights, require_divisible
from penult.saliency.seen_photo import Looker, SeenPhoto

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.extractor.opened import OpenedBackbone

__all__ = ["Places", "backbones_of"]


class Places:
    """The networks of a recipe, and the maps that its rows are pooled of.

    Parameters
    ----------
    spec : ExtractorSpec
        What opens the networks, of `recipe` alone.
    recipe : Recipe
        What makes the rows.

    Raises
    ------
    UsageError
        If the recipe averages views, or a network's row is pooled of no maps.
    """

    def __init__(self, spec: ExtractorSpec, recipe: Recipe) -> None:
        require_divisible(recipe)
        self.recipe = recipe
        opened = backbones_of(spec, recipe)
        self._sources = [MapSource.of(opened[leaf].backbone, leaf) for leaf in recipe.leaves]
        self._look = Looker(spec, [*recipe.leaves, *(one.maps for one in self._sources)])

    def see(self, image: Any) -> SeenPhoto:
        """Show one photo to the networks; see `Looker`."""
        return self._look(image)

    def row(self, seen: SeenPhoto) -> NDArray[np.float32]:
        """The row of a photo, float32 (D,)."""
        return row_of(self.recipe, seen)

    def divide(
        self, seen: SeenPhoto, weights: NDArray[np.float64]
    ) -> tuple[tuple[HeatMap, ...], float]:
        """Divide ``weights @ row`` among the places of a photo.

        Parameters
        ----------
        seen : SeenPhoto
            Of `see`.
        weights : float64 array, shape (D,)
            Of the numbers of its row.

        Returns
        -------
        maps : tuple of HeatMap
            One for each leaf of the recipe.
        rest : float
            What comes from no place. All values and it sum to ``weights @ row``.

        Raises
        ------
        UsageError
            If a network's row is not what its maps are pooled to.
        """
        of_leaves, rest = leaf_weights(self.recipe, weights, seen.arrays)
        maps = []
        for source in self._sources:
            leaf = source.leaf
            values, more = source.contributions(
                seen.arrays[source.maps], seen.arrays[leaf], of_leaves[leaf]
            )
            rest += more
            maps.append(
                HeatMap(
                    network=leaf.network,
                    layer=source.layer.name,
                    values=values.astype(np.float32),
                    seen=seen.pixels[leaf.preprocessing],
                )
            )
        return tuple(maps), rest


def row_of(recipe: Recipe, seen: SeenPhoto) -> NDArray[np.float32]:
    """The row that a recipe makes of what its networks give for a photo, float32 (D,)."""
    rows = recipe.rows(lambda leaf, _view: seen.arrays[leaf][None])
    return rows.reshape(-1)


def backbones_of(spec: ExtractorSpec, recipe: Recipe) -> dict[BackboneRecipe, OpenedBackbone]:
    """The network of each leaf of a recipe, of those that this process keeps open."""
    groups = by_network([recipe])
    opened = spec.shared_backbones()
    return {leaf: one for one, own in zip(opened, groups, strict=True) for leaf in own}
