"""Grad-CAM: where in a photo a layer speaks for a class, by gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import UsageError
from penult.extras import require_torch
from penult.interface import option
from penult.recipe import Recipe
from penult.records import HeatMap
from penult.saliency.map_source import maps_recipe, on_grid
from penult.saliency.places import backbones_of, row_of
from penult.saliency.row_weights import leaf_weights, require_divisible
from penult.saliency.seen_photo import Looker, SeenPhoto

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.extractor import ExtractorSpec

__all__ = ["GradCam"]


class GradCam:
    """Grad-CAM of one layer of a recipe's network.

    Parameters
    ----------
    spec : ExtractorSpec
        What opens the network, of `recipe` alone.
    recipe : Recipe
        What makes the rows, of one network.
    layer : str
        The layer, before those that the recipe takes.

    Raises
    ------
    MissingExtraError
        If torch is not installed.
    UsageError
        If the recipe is of several networks or averages views, or the network cannot be had in
        torch.
    UnknownNameError
        If there is no such layer.

    Notes
    -----
    Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
    Localization", ICCV 2017, equations 1 and 2: each channel is weighted with the mean over the
    places of the gradient of the score, and what is below 0 of their weighted sum is left out.
    """

    def __init__(self, spec: ExtractorSpec, recipe: Recipe, layer: str) -> None:
        require_torch("Grad-CAM")
        require_divisible(recipe)
        self.recipe = recipe
        opened = dict.fromkeys(backbones_of(spec, recipe).values())
        if len(opened) > 1:
            raise UsageError(
                f"the classifier's rows are of {len(opened)} networks, and Grad-CAM is of a layer "
                f"of one; leave out {option('layer')} for the exact map of each"
            )
        (self._opened,) = opened
        self._backbone = self._opened.backbone
        if "torch" not in self._backbone.metadata.forms:
            raise UsageError(
                f"{self._backbone.described} is no network of torch, and Grad-CAM needs gradients; "
                f"leave out {option('layer')} for the map of the pooled layer"
            )
        self._layer = self._backbone.layer(layer)
        leaf = recipe.leaves[0]
        self._maps = maps_recipe(self._backbone, leaf, layer)
        on_grid(np.zeros(self._layer.pooled_shape("none"), np.float32), self._layer, leaf)
        self._look = Looker(spec, recipe.leaves)

    def see(self, image: Any) -> SeenPhoto:
        """Show one photo to the network; see `Looker`."""
        return self._look(image)

    def row(self, seen: SeenPhoto) -> NDArray[np.float32]:
        """The row of a photo, float32 (D,)."""
        return row_of(self.recipe, seen)

    def map(self, seen: SeenPhoto, gradient: NDArray[np.float64]) -> HeatMap:
        """Make the map.

        Parameters
        ----------
        seen : SeenPhoto
            Of `see`.
        gradient : float64 array, shape (D,)
            Of the score, with regard to the photo's row.

        Returns
        -------
        HeatMap
            From 0 on.

        Raises
        ------
        UsageError
            If the layer comes after those that the recipe takes.
        """
        from penult.engines.torch_gradients import pull_back

        of_leaves, _ = leaf_weights(self.recipe, gradient, seen.arrays, gradient=True)
        leaf = self.recipe.leaves[0]
        pixels = seen.pixels[leaf.preprocessing]
        with self._opened.turn:  # whoever runs the network meanwhile would meet its hooks
            activation, slope = pull_back(self._backbone, self._maps, of_leaves, pixels)
        maps, slopes = (on_grid(one, self._layer, leaf) for one in (activation, slope))
        values = np.tensordot(slopes.mean((1, 2), dtype="f8"), maps.astype("f8"), 1)
        return HeatMap(
            network=leaf.network,
            layer=self._layer.name,
            values=np.maximum(values, 0).astype(np.float32),
            seen=pixels,
        )
