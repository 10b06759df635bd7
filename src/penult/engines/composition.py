"""Rows of recipes that are trees, from the engines that run their networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from penult.engines.base import Engine
from penult.engines.preprocessor import Preprocessor, needs
from penult.recipe import BackboneRecipe, Recipe, View

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.engines.preprocessor import Pixels

__all__ = ["Composition"]


class Composition:
    """The engines of some recipes' networks, fed from one decoded image, their rows put together.

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
    preprocessor : Preprocessor
        What makes their pixels.
    """

    def __init__(self, recipes: Sequence[Recipe], engines: Sequence[Engine]) -> None:
        self.recipes, self.engines = tuple(recipes), tuple(engines)
        self.batch_size = max(engine.batch_size for engine in self.engines)
        self.concurrency = max(engine.concurrency for engine in self.engines)
        needed = needs(self.recipes)
        self.preprocessor = Preprocessor(self.recipes)
        transforms = self.preprocessor.transforms
        # Of the views that images are seen in alike, those that some leaf of an engine needs.
        self._wanted = [
            [
                (place, view)
                for place, view in enumerate(transforms[engine.recipes[0].preprocessing].views)
                if any((leaf, view) in needed for leaf in engine.recipes)
            ]
            for engine in self.engines
        ]

    @classmethod
    def of(cls, engine: Engine) -> Composition:
        """The rows of one engine's own recipes."""
        return cls(engine.recipes, [engine])

    def run(self, images: Sequence[Pixels]) -> list[NDArray[np.float32]]:
        """Turn images into rows.

        Parameters
        ----------
        images : sequence of what the preprocessor gives, of length n
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
        images : sequence of what the preprocessor gives, of length n
            With all ways in which networks see images.

        Returns
        -------
        dict of (BackboneRecipe, View) to float32 array, shape (n, …)
            All that the recipes need.
        """
        stacked = {
            seen: np.stack([image[seen] for image in images])
            for seen in self.preprocessor.transforms
        }
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
