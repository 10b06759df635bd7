"""Rows of several views of an image, averaged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from penult.errors import FileFormatError
from penult.recipe.single_part import SinglePartRecipe, bracketed
from penult.recipe.views import CENTER, VIEWS, View, Views

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.recipe.backbone import BackboneRecipe
    from penult.recipe.base import LeafRows

__all__ = ["AveragedRecipe"]


@dataclass(frozen=True, repr=False)
class AveragedRecipe(SinglePartRecipe):
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

    views: Views

    def __post_init__(self) -> None:
        if any(isinstance(node, AveragedRecipe) for node in self.part.walk()):
            raise FileFormatError("views of views are averaged; views are averaged once")

    @property
    def outline(self) -> str:
        """See `Recipe.outline`."""
        return f"{self.views} views of {bracketed(self.part)}"

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

    def facts(self) -> list[tuple[str, str | None]]:
        """See `Recipe.facts`."""
        return [*self.part.facts(), ("views", f"{self.views}, averaged")]
