"""Rows of augmented views of an image, to train with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from penult.recipe.single_part import SinglePartRecipe, bracketed
from penult.recipe.views import CENTER, View

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.recipe.base import LeafRows

__all__ = ["AugmentedRecipe"]


@dataclass(frozen=True, repr=False)
class AugmentedRecipe(SinglePartRecipe):
    """Rows of images that were changed at random before they were seen as others are.

    Attributes
    ----------
    part : Recipe
        What makes rows of the changed images.
    policy : str
        How images are changed: ``"light"`` or ``"strong"``.
    seed : int
        What the changes are drawn from, with the image's bytes and the number of the view.
    """

    kind = "augmented"

    policy: str
    seed: int

    @property
    def outline(self) -> str:
        """See `Recipe.outline`."""
        return f"{self.policy} augmentation, seed {self.seed}, of {bracketed(self.part)}"

    def rows(self, leaf_rows: LeafRows, view: View = CENTER) -> NDArray[np.float32]:
        """See `Recipe.rows`."""
        return self.part.rows(leaf_rows, view)

    def facts(self) -> list[tuple[str, str | None]]:
        """See `Recipe.facts`."""
        return [*self.part.facts(), ("augmented", f"{self.policy}, seed {self.seed}")]
