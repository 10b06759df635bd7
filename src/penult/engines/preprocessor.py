"""From one decoded image to what the networks of some recipes see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from penult.images.pixels.augment import AugmentedView, edge_for
from penult.images.pixels.transform import Transform

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from penult.recipe import BackboneRecipe, Preprocessing, Recipe, View

    Pixels = dict[Preprocessing, NDArray[np.uint8]]

__all__ = ["Preprocessor", "needs"]


class Preprocessor:
    """Makes of a decoded image what the networks of some recipes see; safe from any thread.

    An image is resized once for all networks and views that see it alike. It opens no network, and
    can be pickled.

    Parameters
    ----------
    recipes : sequence of Recipe
        Of any networks.

    Attributes
    ----------
    transforms : dict of Preprocessing to Transform
        What makes the pixels of each way in which the networks see images, with its views.
    """

    def __init__(self, recipes: Sequence[Recipe]) -> None:
        views: dict[Preprocessing, dict[View, None]] = {}
        for leaf, view in needs(recipes):
            views.setdefault(leaf.preprocessing, {})[view] = None
        self.transforms = {seen: Transform(seen, tuple(them)) for seen, them in views.items()}

    @property
    def at_least(self) -> tuple[tuple[int, int] | None, ...]:
        """The smallest sizes that a JPEG may be decoded at; see `Transform.at_least`.

        Each network has its own, as it has alone: one for all would be another decoding for some,
        which their recipes would not say.
        """
        return tuple(dict.fromkeys(one.at_least for one in self.transforms.values()))

    def __call__(
        self,
        image: Image.Image,
        changes: AugmentedView | None = None,
        sizes: Sequence[tuple[int, int] | None] | None = None,
    ) -> Pixels:
        """Transform an image for each network.

        Parameters
        ----------
        image : Pillow image
            Of mode RGB.
        changes : AugmentedView, optional
            What is done to it first, the same for all networks; once where they see it as large.
        sizes : sequence of (int, int) or None, optional
            Those of `at_least` for which the image was decoded; by default all.

        Returns
        -------
        dict of Preprocessing to uint8 array, shape (V, H, W, 3)
            Each way in which networks see images so decoded: its views.
        """
        changed: dict[int, Image.Image] = {}
        pixels = {}
        for seen, transform in self.transforms.items():
            if sizes is not None and transform.at_least not in sizes:
                continue
            edge = 0
            if changes is not None and (edge := edge_for(seen)) not in changed:
                changed[edge] = changes(image, edge)
            made = transform(changed.get(edge, image))
            pixels[seen] = made[None] if made.ndim == 3 else made
        return pixels


def needs(recipes: Sequence[Recipe]) -> dict[tuple[BackboneRecipe, View], None]:
    """What recipes that may be trees are made of: networks' rows of views, each once, in order."""
    return dict.fromkeys(one for recipe in recipes for one in recipe.needs())
