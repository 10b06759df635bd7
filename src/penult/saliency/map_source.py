"""The maps of places that a row of one network was pooled of."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.backbones.pooling import GEM_POWER
from penult.engines.agreement import relative_error
from penult.engines.base import HALF_TOLERANCES
from penult.errors import UsageError
from penult.interface import command, option
from penult.wording import times

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.backbones.backbone import Backbone
    from penult.backbones.layer import Layer
    from penult.recipe import BackboneRecipe

__all__ = ["MapSource", "maps_recipe", "on_grid"]

_TOLERANCE = 1e-4
"""How far the pooled maps of a float32 network may be from its row: ‖a - b‖ / ‖b‖."""

_INT8_TOLERANCE = 0.02
"""How far those of a network in integers may be, which rounds maps before they are pooled: for
EfficientNet-Lite0 0.001."""


@dataclass(frozen=True, kw_only=True)
class MapSource:
    """Where the numbers of a leaf's row come from: the layer that is pooled, and how.

    Attributes
    ----------
    leaf : BackboneRecipe
        What makes the row.
    maps : BackboneRecipe
        What makes the maps, which are not pooled.
    layer : Layer
        The layer of the maps.
    pooling : {"avg", "max", "gem", "flatten", "none"}
        How the maps become the row.
    tolerance : float
        How far the row may be from what the maps are pooled to, relatively.
    """

    leaf: BackboneRecipe
    maps: BackboneRecipe
    layer: Layer
    pooling: str
    tolerance: float = _TOLERANCE

    @classmethod
    def of(cls, backbone: Backbone, leaf: BackboneRecipe) -> MapSource:
        """Find what a leaf's row is pooled of.

        Of a layer that is a vector, as ``penultimate`` mostly is, that is the last layer before it
        with as many channels: whether the vector is its average is for `shares` to see.

        Raises
        ------
        UsageError
            If there is no such layer, or the row is that of a class token.
        """
        layer, pooling = backbone.layer(leaf.layer), leaf.pooling
        if layer.layout == "vector":
            before = backbone.layers[: backbone.layers.index(layer)]
            fitting = [
                one
                for one in before
                if one.layout in ("NCHW", "NHWC", "NTD")
                and one.channels == layer.length
                and one.length > one.channels * max(1, one.prefix_tokens)
            ]
            if not fitting and backbone.metadata.quantized:
                raise UsageError(
                    f"{leaf.network} has {leaf.layer} and not the layer that it is the average of; "
                    f"make it again with both: {command('quantize', 'MODEL', layer='LAYER')}"
                )
            if not fitting:
                raise UsageError(_refusal(leaf, "it is pooled of no layer with maps that is known"))
            layer, pooling = fitting[-1], "avg"
        elif pooling == "cls":
            raise UsageError(_refusal(leaf, "it is a class token, which is at no place"))
        recipe = maps_recipe(backbone, leaf, layer.name)
        exact = _INT8_TOLERANCE if backbone.metadata.quantized else _TOLERANCE
        tolerance = HALF_TOLERANCES.get(leaf.precision, exact)
        return cls(leaf=leaf, maps=recipe, layer=layer, pooling=pooling, tolerance=tolerance)

    def contributions(
        self,
        activation: NDArray[np.float32],
        row: NDArray[np.float32],
        weights: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], float]:
        """Divide a weighted sum of the row's numbers among the places.

        Parameters
        ----------
        activation : float32 array, shape (C, h, w) or (T, D)
            Of `maps`, for one photo.
        row : float32 array, shape (D,), or as `activation`
            Of `leaf`, for the same photo.
        weights : float64 array, shape (D,)
            Of the numbers of the row, flattened.

        Returns
        -------
        values : float64 array, shape (h, w)
            What each place adds.
        rest : float
            What tokens add that are no patches, and what a network in half precision or in
            integers rounds away. The values and it sum to ``weights @ row``.

        Raises
        ------
        UsageError
            If the row is not what these maps are pooled to.
        """
        exact = activation.astype(np.float64)
        maps = on_grid(exact, self.layer, self.leaf)
        if self.pooling in ("flatten", "none"):
            # As `pool` lays them out: none turns maps channels first, flatten keeps their order.
            last = self.pooling == "flatten" and self.layer.layout == "NHWC"
            shape = (*maps.shape[1:], len(maps)) if last else exact.shape
            of_each = weights.reshape(shape)
            whole = exact * (of_each.transpose(2, 0, 1) if last else of_each)
            pooled = exact.transpose(1, 2, 0) if last else exact
            values = on_grid(whole, self.layer, self.leaf).sum(0)
            rest = float(whole.sum() - values.sum())
        else:
            shares = _shares(maps, self.pooling)
            if self.layer.name != self.leaf.layer and not self._makes(shares.sum((1, 2)), row):
                # Some networks (DenseNet) have a ReLU between the two that is no layer.
                shares = _shares(np.maximum(maps, 0), self.pooling)
            pooled = shares.sum((1, 2))
            values, rest = np.tensordot(weights, shares, 1), 0.0
        if not self._makes(pooled, row):
            why = f"it is not the average of {self.layer.name}"
            raise UsageError(_refusal(self.leaf, why))
        if self.leaf.normalize == "l2":
            length = max(float(np.linalg.norm(pooled)), 1e-12)
            values, rest = values / length, rest / length
        if self.tolerance > _TOLERANCE:
            rest = float(weights @ row.ravel()) - float(values.sum())
        return values, rest

    def _makes(self, pooled: NDArray[np.float64], row: NDArray[np.float32]) -> bool:
        """Whether maps that are so pooled are the row, as precisely as the network computes."""
        if self.leaf.normalize == "l2":
            pooled = pooled / max(float(np.linalg.norm(pooled)), 1e-12)
        made = pooled.reshape(1, -1).astype(np.float32)
        return relative_error(made, row.reshape(1, -1)) <= self.tolerance


def maps_recipe(backbone: Backbone, leaf: BackboneRecipe, layer: str) -> BackboneRecipe:
    """The recipe of a layer's whole maps, as the network of another recipe computes them."""
    backbone.layer(layer)
    return replace(leaf, layer=layer, pooling="none", normalize="none")


def on_grid(activation: NDArray[Any], layer: Layer, recipe: BackboneRecipe) -> NDArray[Any]:
    """Lay an activation out as maps.

    Parameters
    ----------
    activation : array, shape (C, h, w) or (T, D)
        As pooling ``none`` gives it; of tokens, those of patches go row by row.
    layer : Layer
        Whose it is.
    recipe : BackboneRecipe
        Of its network; for messages, and the size of what it sees.

    Returns
    -------
    array, shape (C, h, w)

    Raises
    ------
    UsageError
        If it has no places, or it is not known where they are.
    """
    if layer.layout in ("NCHW", "NHWC"):
        return activation
    if layer.layout != "NTD":
        raise UsageError(
            f"{layer.name} of {recipe.network} has no places that are known, but a shape of "
            f"{times(layer.shape)}; give a layer with maps: {command('layers', recipe.backbone)}"
        )
    patches = activation[layer.prefix_tokens :]
    height, width = recipe.preprocessing.input_size
    rows = round(math.sqrt(len(patches) * height / width))
    columns = len(patches) // max(rows, 1)
    if rows < 1 or rows * columns != len(patches) or rows * width != columns * height:
        raise UsageError(
            f"the {len(patches)} tokens of {layer.name} of {recipe.network} are no grid over "
            f"{width} × {height} pixels, so it is not known where they are; give another layer: "
            f"{command('layers', recipe.backbone)}"
        )
    return patches.T.reshape(-1, rows, columns)


def _shares(maps: NDArray[np.float64], pooling: str) -> NDArray[np.float64]:
    """What each place adds to the pooled number of each channel, (C, h, w)."""
    places = maps.shape[1] * maps.shape[2]
    flat = maps.reshape(len(maps), places)
    if pooling == "avg":
        return np.asarray(maps / places)
    if pooling == "gem":
        # The p-th powers of the places sum to n times that of the mean.
        powers = np.maximum(flat, 1e-6)
        pooled = (powers**GEM_POWER).mean(1, keepdims=True) ** (1 / GEM_POWER)
        shares = powers**GEM_POWER / (places * pooled ** (GEM_POWER - 1))
        return np.asarray(shares.reshape(maps.shape))
    largest = np.zeros_like(flat)  # "max"
    at = (np.arange(len(flat)), flat.argmax(1))
    largest[at] = flat[at]
    return np.asarray(largest.reshape(maps.shape))


def _refusal(leaf: BackboneRecipe, why: str) -> str:
    return (
        f"rows of {leaf.layer} of {leaf.network} cannot be divided among places: {why}; "
        f"give {option('layer', 'NAME')}, one with maps or patches: "
        f"{command('layers', leaf.backbone)}"
    )
