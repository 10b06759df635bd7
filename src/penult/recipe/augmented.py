"""Rows of changed copies of an image, to train with."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penult.parsing import to_record
from penult.recipe.base import Recipe
from penult.recipe.composite import CompositeRecipe
from penult.recipe.views import CENTER, View

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.recipe.backbone import BackboneRecipe
    from penult.recipe.base import LeafRows
    from penult.recipe.projection import Projection

__all__ = ["AugmentedRecipe"]


@dataclass(frozen=True, repr=False)
class AugmentedRecipe(CompositeRecipe):
    """Rows of images that were changed at random before they were seen as others are.

    Attributes
    ----------
    part : Recipe
        What makes rows of the changed images.
    policy : str
        How images are changed: ``"light"`` or ``"strong"``.
    seed : int
        What the changes are drawn from, with the image's bytes and the number of the copy.
    """

    kind = "augmented"

    part: Recipe
    policy: str
    seed: int

    @property
    def parts(self) -> tuple[Recipe, ...]:
        """The one part."""
        return (self.part,)

    @property
    def outline(self) -> str:
        """See `Recipe.outline`."""
        return f"{self.policy} augmentation, seed {self.seed}, of {self.part.outline}"

    def settings(self) -> dict[str, Any]:
        """See `Recipe.settings`."""
        return {"policy": self.policy, "seed": self.seed}

    def rows(self, leaf_rows: LeafRows, view: View = CENTER) -> NDArray[np.float32]:
        """See `Recipe.rows`."""
        return self.part.rows(leaf_rows, view)

    def row_shape(self, leaf_shape: Callable[[BackboneRecipe], tuple[int, ...]]) -> tuple[int, ...]:
        """See `Recipe.row_shape`."""
        return self.part.row_shape(leaf_shape)

    def with_leaves(self, leaves: Mapping[BackboneRecipe, BackboneRecipe]) -> Recipe:
        """See `Recipe.with_leaves`."""
        return dataclasses.replace(self, part=self.part.with_leaves(leaves))

    def facts(self) -> list[tuple[str, str | None]]:
        """See `Recipe.facts`."""
        return [*self.part.facts(), ("augmented", f"{self.policy}, seed {self.seed}")]

    def to_data(self) -> dict[str, Any]:
        """See `Recipe.to_data`."""
        return {"kind": self.kind, "part": self.part.to_data(), **self.settings()}

    @classmethod
    def from_data(
        cls,
        data: Mapping[str, Any],
        read: Callable[[Any], Recipe],
        _arrays: Mapping[str, Projection],
    ) -> AugmentedRecipe:
        """See `Recipe.from_data`."""
        stored = to_record(_Stored, data)
        return cls(read(stored.part), stored.policy, stored.seed)


@dataclass(frozen=True)
class _Stored:
    part: Any
    policy: str
    seed: int
