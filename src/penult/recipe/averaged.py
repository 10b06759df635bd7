"""Rows of several views of an image, averaged."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penult.errors import FileFormatError
from penult.parsing import to_record
from penult.recipe.base import Recipe
from penult.recipe.composite import CompositeRecipe
from penult.recipe.views import CENTER, VIEWS, View, Views

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.recipe.backbone import BackboneRecipe
    from penult.recipe.base import LeafRows
    from penult.recipe.projection import Projection

__all__ = ["AveragedRecipe"]


@dataclass(frozen=True, repr=False)
class AveragedRecipe(CompositeRecipe):
    """The mean of the rows of several views of an image.

    Attributes
    ----------
    part : Recipe
        What makes the rows of each view; no views are averaged within it.
    views : {"flip", "five-crop", "ten-crop"}
        Which.

    Raises
    ------
    FileFormatError
        If views are averaged within the part.
    """

    kind = "averaged"

    part: Recipe
    views: Views

    def __post_init__(self) -> None:
        if any(isinstance(node, AveragedRecipe) for node in self.part.walk()):
            raise FileFormatError("views of views are averaged; views are averaged once")

    @property
    def parts(self) -> tuple[Recipe, ...]:
        """The one part."""
        return (self.part,)

    @property
    def outline(self) -> str:
        """See `Recipe.outline`."""
        return f"{self.views} views of {self.part.outline}"

    def settings(self) -> dict[str, Any]:
        """See `Recipe.settings`."""
        return {"views": self.views}

    def needs(self, view: View = CENTER) -> tuple[tuple[BackboneRecipe, View], ...]:
        """See `Recipe.needs`."""
        return tuple(dict.fromkeys(n for own in VIEWS[self.views] for n in self.part.needs(own)))

    def rows(self, leaf_rows: LeafRows, view: View = CENTER) -> NDArray[np.float32]:
        """See `Recipe.rows`."""
        import numpy as np

        first, *others = (self.part.rows(leaf_rows, own) for own in VIEWS[self.views])
        total = first.astype(np.float32)
        for rows in others:
            total += rows
        return total / np.float32(len(VIEWS[self.views]))

    def row_shape(self, leaf_shape: Callable[[BackboneRecipe], tuple[int, ...]]) -> tuple[int, ...]:
        """See `Recipe.row_shape`."""
        return self.part.row_shape(leaf_shape)

    def with_leaves(self, leaves: Mapping[BackboneRecipe, BackboneRecipe]) -> Recipe:
        """See `Recipe.with_leaves`."""
        return dataclasses.replace(self, part=self.part.with_leaves(leaves))

    def facts(self) -> list[tuple[str, str | None]]:
        """See `Recipe.facts`."""
        return [*self.part.facts(), ("views", f"{self.views}, averaged")]

    def to_data(self) -> dict[str, Any]:
        """See `Recipe.to_data`."""
        return {"kind": self.kind, "part": self.part.to_data(), "views": self.views}

    @classmethod
    def from_data(
        cls,
        data: Mapping[str, Any],
        read: Callable[[Any], Recipe],
        _arrays: Mapping[str, Projection],
    ) -> AveragedRecipe:
        """See `Recipe.from_data`."""
        stored = to_record(_Stored, data)
        return cls(read(stored.part), stored.views)


@dataclass(frozen=True)
class _Stored:
    part: Any
    views: Views
