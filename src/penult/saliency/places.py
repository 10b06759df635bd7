"""A weighted sum of a row's numbers, divided among the places of the photo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from penult.extractor import ExtractorSpec
from penult.extractor.rows import by_network
from penult.recipe import Recipe, View
from penult.records import HeatMap
from penult.saliency.map_names import details
from penult.saliency.map_source import MapSource
from penult.saliency.row_weights import leaf_weights
from penult.saliency.seen_photo import Looker, SeenPhoto

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Places"]


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
        If a network's row is pooled of no maps.
    """

    def __init__(self, spec: ExtractorSpec, recipe: Recipe) -> None:
        self.recipe = recipe
        opened = {
            leaf: one
            for one, own in zip(spec.shared_backbones(), by_network([recipe]), strict=True)
            for leaf in own
        }
        self._sources = [MapSource.of(opened[leaf].backbone, leaf) for leaf in recipe.leaves]
        self._details = details([(one.leaf, one.layer.name) for one in self._sources])
        # The same tree over maps in place of rows needs the same views of them.
        maps = recipe.with_leaves({one.leaf: one.maps for one in self._sources})
        self._look = Looker(spec, [recipe, maps])

    def see(self, image: Any) -> SeenPhoto:
        """Show one photo to the networks; see `Looker`."""
        return self._look(image)

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
            One for each leaf of the recipe. Of several views, laid together on the photo.
        rest : float
            What comes from no place. All values and it sum to ``weights @ row``.

        Raises
        ------
        UsageError
            If a network's row is not what its maps are pooled to.
        """
        of_leaves, rest = leaf_weights(self.recipe, weights, seen.arrays)
        maps = []
        for source, detail in zip(self._sources, self._details, strict=True):
            by_view: dict[View, NDArray[np.float64]] = {}
            for (leaf, view), own in of_leaves.items():
                if leaf == source.leaf:
                    by_view[view], more = source.contributions(
                        seen.arrays[source.maps, view], seen.arrays[leaf, view], own
                    )
                    rest += more
            preprocessing = source.leaf.preprocessing
            maps.append(
                HeatMap(
                    network=source.leaf.network,
                    layer=source.layer.name,
                    detail=detail,
                    values=seen.together(preprocessing, by_view).astype(np.float32),
                    seen=seen.picture(preprocessing, by_view),
                )
            )
        return tuple(maps), rest
