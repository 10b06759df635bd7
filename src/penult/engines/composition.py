"""Rows of recipes that are trees, from the engines that run their networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from penult.engines.base import Engine
from penult.images.pixels.augment import AugmentedView, edge_for
from penult.images.pixels.transform import Transform
from penult.recipe import BackboneRecipe, Recipe, View

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from penult.recipe import Preprocessing

    Pixels = dict[Preprocessing, NDArray[np.uint8]]

__all__ = ["Composition", "transforms_of"]


class Composition:
    """The engines of some recipes' networks, fed from one decoded image, their rows put together.

    An image is resized once for all networks and views that see it alike.

    Parameters
    ----------
    recipes : sequence of Recipe
        One for each array that `run` returns.
    engines : sequence of Engine
        Whose recipes are, all together, the leaves of those.

    Attributes
    ----------
    recipes : tuple of Recipe
    batch_size : int
        Images a call of `run` that suit the engines.
    concurrency : int
        How many threads may be inside `run` at once, and should be.
    transforms : dict of Preprocessing to Transform
        What makes the pixels of each way in which networks see images, with its views.
    """

    def __init__(self, recipes: Sequence[Recipe], engines: Sequence[Engine]) -> None:
        self.recipes, self.engines = tuple(recipes), tuple(engines)
        self.batch_size = max(engine.batch_size for engine in self.engines)
        self.concurrency = max(engine.concurrency for engine in self.engines)
        needs = _needs(self.recipes)
        self.transforms = transforms_of(self.recipes)
        # Of the views that images are seen in alike, those that some leaf of an engine needs.
        self._wanted = [
            [
                (place, view)
                for place, view in enumerate(self.transforms[engine.recipes[0].preprocessing].views)
                if any((leaf, view) in needs for leaf in engine.recipes)
            ]
            for engine in self.engines
        ]

    @classmethod
    def of(cls, engine: Engine) -> Composition:
        """The rows of one engine's own recipes."""
        return cls(engine.recipes, [engine])

    @property
    def at_least(self) -> tuple[tuple[int, int] | None, ...]:
        """The smallest sizes that a JPEG may be decoded at; see `Transform.at_least`.

        Each network has its own, as it has alone: one for all would be another decoding for some,
        which their recipes would not say.
        """
        return tuple(dict.fromkeys(one.at_least for one in self.transforms.values()))

    def pixels(
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

    def run(self, images: Sequence[Pixels]) -> list[NDArray[np.float32]]:
        """Turn images into rows.

        Parameters
        ----------
        images : sequence of what `pixels` gives, of length n
            With all ways in which networks see images.

        Returns
        -------
        list of float32 array, shape (n, …)
            One a recipe.
        """
        found = self.leaf_rows(images)
        return [
            np.ascontiguousarray(recipe.rows(lambda leaf, view: found[leaf, view]))
            for recipe in self.recipes
        ]

    def leaf_rows(
        self, images: Sequence[Pixels]
    ) -> dict[tuple[BackboneRecipe, View], NDArray[np.float32]]:
        """Turn images into what the networks give, before it is put together.

        Parameters
        ----------
        images : sequence of what `pixels` gives, of length n
            With all ways in which networks see images.

        Returns
        -------
        dict of (BackboneRecipe, View) to float32 array, shape (n, …)
            All that the recipes need.
        """
        stacked = {seen: np.stack([image[seen] for image in images]) for seen in self.transforms}
        found: dict[tuple[BackboneRecipe, View], NDArray[np.float32]] = {}
        for engine, wanted in zip(self.engines, self._wanted, strict=True):
            pixels = stacked[engine.recipes[0].preprocessing]
            if len(wanted) < pixels.shape[1]:
                pixels = pixels[:, [place for place, _ in wanted]]
            flat = pixels.reshape(-1, *pixels.shape[2:])
            rows = run_in_pieces(engine, flat, max(engine.batch_size, len(images)))
            for leaf, block in zip(engine.recipes, rows, strict=True):
                by_view = block.reshape(*pixels.shape[:2], *block.shape[1:])
                for place, (_, view) in enumerate(wanted):
                    found[leaf, view] = by_view[:, place]
        return found

    @property
    def row_shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shape of one row of each recipe, found by running a black image once an engine."""
        shapes: Mapping[BackboneRecipe, tuple[int, ...]] = {
            leaf: shape
            for engine in self.engines
            for leaf, shape in zip(engine.recipes, engine.row_shapes, strict=True)
        }
        return tuple(recipe.row_shape(shapes.__getitem__) for recipe in self.recipes)


def run_in_pieces(
    engine: Engine, images: NDArray[np.uint8], size: int
) -> list[NDArray[np.float32]]:
    """Run an engine on more images than suit one call, some at a time."""
    if len(images) <= size:
        return engine.run(images)
    pieces = [engine.run(images[at : at + size]) for at in range(0, len(images), size)]
    return [np.concatenate(blocks) for blocks in zip(*pieces, strict=True)]


def transforms_of(recipes: Sequence[Recipe]) -> dict[Preprocessing, Transform]:
    """Make what turns a decoded image into the pixels that the networks of some recipes see.

    Parameters
    ----------
    recipes : sequence of Recipe
        Of any networks; none is opened.

    Returns
    -------
    dict of Preprocessing to Transform
        One for each way in which they see images, with its views.
    """
    views: dict[Preprocessing, dict[View, None]] = {}
    for leaf, view in _needs(recipes):
        views.setdefault(leaf.preprocessing, {})[view] = None
    return {seen: Transform(seen, tuple(them)) for seen, them in views.items()}


def _needs(recipes: Sequence[Recipe]) -> dict[tuple[BackboneRecipe, View], None]:
    return dict.fromkeys(one for recipe in recipes for one in recipe.needs())
