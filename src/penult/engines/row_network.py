"""From uint8 pixels to rows, as one torch module: what every engine runs or converts."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from penult.backbones.backbone import Backbone
from penult.backbones.image_input import scale_and_shift
from penult.backbones.layer import ENDS
from penult.backbones.pooling import pool
from penult.recipe import BackboneRecipe, Preprocessing

__all__ = ["RowNetwork"]


class RowNetwork(nn.Module):
    """Normalisation, the cut backbone, pooling and row normalisation.

    Parameters
    ----------
    backbone : Backbone
        One that can be cut as a torch module.
    recipes : sequence of BackboneRecipe
        Of this backbone and one preprocessing; layers, poolings and row normalizations differ.
    channels_last : bool, default=True
        How maps lie in memory.
    """

    def __init__(
        self, backbone: Backbone, recipes: Sequence[BackboneRecipe], *, channels_last: bool = True
    ) -> None:
        super().__init__()
        self.normalize = _Normalize(backbone.preprocessing, channels_last=channels_last)
        layers = list(dict.fromkeys(recipe.layer for recipe in recipes))
        self.cut = backbone.cut(layers)
        # The ends are vectors, known without a look at the layers.
        known = {name: backbone.layer(name) for name in layers if name not in ENDS}
        self._rows = [
            (
                layers.index(recipe.layer),
                recipe.pooling,
                known[recipe.layer].layout if recipe.layer in known else "vector",
                known[recipe.layer].prefix_tokens if recipe.layer in known else 0,
                recipe.normalize == "l2",
            )
            for recipe in recipes
        ]

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Turn uint8 (N, H, W, 3) RGB into one float32 array a recipe."""
        activations = self.cut(self.normalize(images))
        rows = []
        for index, pooling, layout, prefix_tokens, unit in self._rows:
            row = pool(activations[index], pooling, layout, prefix_tokens).float()
            rows.append(nn.functional.normalize(row.flatten(1)).view_as(row) if unit else row)
        return tuple(rows)


class _Normalize(nn.Module):
    """``(pixel / 255 - mean) / std`` as one multiplication and one addition."""

    scale: torch.Tensor
    shift: torch.Tensor

    def __init__(self, preprocessing: Preprocessing, *, channels_last: bool = True) -> None:
        super().__init__()
        self._channels_last = channels_last
        scale, shift = scale_and_shift(preprocessing)
        self.register_buffer("scale", torch.from_numpy(scale))
        self.register_buffer("shift", torch.from_numpy(shift))
        self._reverse = preprocessing.channels == "BGR"

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Turn uint8 (N, H, W, 3) RGB into float32 (N, 3, H, W)."""
        pixels = images.permute(0, 3, 1, 2).float()
        if self._reverse:
            pixels = pixels.flip(1)
        pixels = pixels * self.scale + self.shift  # channels last in memory, as they came
        return pixels if self._channels_last else pixels.contiguous()
