"""Grad-CAM: where in a photo a layer speaks for a class, by gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import PenultError, UnknownNameError, UsageError
from penult.extractor.rows import by_network
from penult.extras import require_torch
from penult.interface import command, option
from penult.recipe import BackboneRecipe, Recipe, View
from penult.records import HeatMap
from penult.saliency.map_names import details
from penult.saliency.map_source import maps_recipe, on_grid
from penult.saliency.row_weights import LeafWeights, leaf_weights
from penult.saliency.seen_photo import Looker, SeenPhoto

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.backbones.layer import Layer
    from penult.extractor import ExtractorSpec
    from penult.extractor.opened import OpenedBackbone

__all__ = ["GradCam"]


class GradCam:
    """Grad-CAM of one layer of the networks of a recipe.

    Parameters
    ----------
    spec : ExtractorSpec
        What opens the networks, of `recipe` alone.
    recipe : Recipe
        What makes the rows.
    layer : str
        The layer, before those that the recipe takes. Of several networks, those count that have
        it.

    Raises
    ------
    MissingExtraError
        If torch is not installed.
    UsageError
        If no network that has the layer can be had in torch, or the layer has no places.
    UnknownNameError
        If there is no such layer.

    Notes
    -----
    Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
    Localization", ICCV 2017, equations 1 and 2: each channel is weighted with the mean over the
    places of the gradient of the score, and what is below 0 of their weighted sum is left out. Of
    several views, each has its own weights, and what is below 0 is left out of the sum over views.
    """

    def __init__(self, spec: ExtractorSpec, recipe: Recipe, layer: str) -> None:
        require_torch("Grad-CAM")
        self.recipe = recipe
        networks: list[_Network] = []
        failures: list[PenultError] = []
        for opened, own in zip(spec.shared_backbones(), by_network([recipe]), strict=True):
            try:
                networks.append(_Network.of(opened, own, layer))
            except PenultError as error:
                failures.append(error)
        if not networks:
            raise failures[0] if len(failures) == 1 else _none_has(spec, layer, failures)
        self._networks = networks
        self._details = details([(one.maps, layer) for one in networks])
        self._look = Looker(spec, [recipe])

    def see(self, image: Any) -> SeenPhoto:
        """Show one photo to the networks; see `Looker`."""
        return self._look(image)

    def maps(self, seen: SeenPhoto, gradient: NDArray[np.float64]) -> tuple[HeatMap, ...]:
        """Make the maps.

        Parameters
        ----------
        seen : SeenPhoto
            Of `see`.
        gradient : float64 array, shape (D,)
            Of the score, with regard to the photo's row.

        Returns
        -------
        tuple of HeatMap
            One for each network with such a layer, from 0 on.

        Raises
        ------
        UsageError
            If in all of them the layer comes after those that the recipe takes.
        """
        of_leaves, _ = leaf_weights(self.recipe, gradient, seen.arrays, gradient=True)
        found: list[HeatMap] = []
        failures: list[UsageError] = []
        for network, detail in zip(self._networks, self._details, strict=True):
            try:
                found.append(network.map(seen, of_leaves, detail))
            except UsageError as error:
                failures.append(error)
        if not found:
            raise failures[0]
        return tuple(found)


def _none_has(spec: ExtractorSpec, layer: str, failures: Sequence[PenultError]) -> PenultError:
    """Of several networks: that none has the layer, or why the first that has it does not do."""
    for error in failures:
        if not isinstance(error, UnknownNameError):
            return error
    backbones = [one.backbone for one in spec.shared_backbones()]
    return UnknownNameError(
        f"layer of {' and '.join(dict.fromkeys(one.name for one in backbones))}",
        layer,
        dict.fromkeys(own.name for one in backbones for own in one.layers),
        hint=" and ".join(dict.fromkeys(command("layers", one.name) for one in backbones)),
    )


@dataclass(frozen=True, eq=False)
class _Network:
    """One of the networks.

    Attributes
    ----------
    opened : its backbone
    leaves : the recipes of its rows
    layer : whose maps are made
    maps : the recipe of that layer's whole maps
    """

    opened: OpenedBackbone
    leaves: Sequence[BackboneRecipe]
    layer: Layer
    maps: BackboneRecipe

    @classmethod
    def of(cls, opened: OpenedBackbone, leaves: Sequence[BackboneRecipe], name: str) -> _Network:
        backbone = opened.backbone
        if "torch" not in backbone.metadata.forms:
            raise UsageError(
                f"{backbone.described} is no network of torch, and Grad-CAM needs gradients; "
                f"leave out {option('layer')} for the map of the pooled layer"
            )
        layer = backbone.layer(name)
        on_grid(np.zeros(layer.pooled_shape("none"), np.float32), layer, leaves[0])
        return cls(opened, leaves, layer, maps_recipe(backbone, leaves[0], name))

    def map(self, seen: SeenPhoto, of_leaves: LeafWeights, detail: str) -> HeatMap:
        from penult.engines.torch_gradients import pull_back

        preprocessing = self.maps.preprocessing
        by_view: dict[View, NDArray[np.float64]] = {}
        for view, pixels in seen.pixels[preprocessing].items():
            own = {one: of_leaves[one, view] for one in self.leaves if (one, view) in of_leaves}
            if not own:
                continue
            with self.opened.turn:  # whoever runs the network meanwhile would meet its hooks
                pulled = pull_back(self.opened.backbone, self.maps, own, pixels)
            activation, slope = (on_grid(one, self.layer, self.maps) for one in pulled)
            weights = slope.mean((1, 2), dtype="f8")
            by_view[view] = np.tensordot(weights, activation.astype("f8"), 1)
        return HeatMap(
            network=self.maps.network,
            layer=self.layer.name,
            detail=detail,
            values=np.maximum(seen.together(preprocessing, by_view), 0).astype(np.float32),
            seen=seen.picture(preprocessing, by_view),
        )
