"""What recipes that do one thing more to the rows of another have in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penult.recipe.base import Recipe
from penult.recipe.composite import CompositeRecipe

if TYPE_CHECKING:
    from penult.recipe.backbone import BackboneRecipe

__all__ = ["SinglePartRecipe", "bracketed"]


@dataclass(frozen=True, repr=False)
class SinglePartRecipe(CompositeRecipe):
    """A recipe over one other; its rows have the shape of that one's.

    Attributes
    ----------
    part : Recipe
        What makes the rows that something is done to.
    """

    part: Recipe

    @property
    def parts(self) -> tuple[Recipe, ...]:
        """The one part."""
        return (self.part,)

    @property
    def default_name(self) -> str:
        """See `Recipe.default_name`."""
        return self.part.default_name

    def settings(self) -> dict[str, Any]:
        """See `Recipe.settings`."""
        fields = (field.name for field in dataclasses.fields(self) if field.compare)
        return {name: getattr(self, name) for name in fields if name != "part"}

    def to_data(self) -> dict[str, Any]:
        """See `Recipe.to_data`."""
        return {"kind": self.kind, "part": self.part.to_data(), **self.settings()}

    def row_shape(self, leaf_shape: Callable[[BackboneRecipe], tuple[int, ...]]) -> tuple[int, ...]:
        """See `Recipe.row_shape`."""
        return self.part.row_shape(leaf_shape)

    def with_leaves(self, leaves: Mapping[BackboneRecipe, BackboneRecipe]) -> Recipe:
        """See `Recipe.with_leaves`."""
        return dataclasses.replace(self, part=self.part.with_leaves(leaves))


def bracketed(part: Recipe) -> str:
    """A part's outline, in brackets where that is needed to see where it ends."""
    return part.outline if len(part.parts) < 2 else f"({part.outline})"
