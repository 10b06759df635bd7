"""Rows projected onto fewer numbers."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from penult.errors import FileFormatError
from penult.parsing import to_record
from penult.recipe.base import Recipe
from penult.recipe.composite import CompositeRecipe
from penult.recipe.projection import Projection
from penult.recipe.views import CENTER, View
from penult.wording import percent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.recipe.backbone import BackboneRecipe
    from penult.recipe.base import LeafRows

__all__ = ["ProjectedRecipe"]


@dataclass(frozen=True, repr=False)
class ProjectedRecipe(CompositeRecipe):
    """Rows projected onto their principal components; `of` makes one.

    Attributes
    ----------
    part : Recipe
        What makes the rows that are projected.
    components : int
        How many numbers a row has then.
    whiten : bool
        Whether each is scaled to variance one.
    sha256 : str
        Digest of the arrays, which equality goes by.
    projection : Projection or None
        The arrays; None where they are not at hand, and no rows can be made.
    """

    kind = "projected"

    part: Recipe
    components: int
    whiten: bool
    sha256: str
    projection: Projection | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        one = self.projection
        if one is not None and (
            (len(one.components), one.whiten, one.sha256)
            != (self.components, self.whiten, self.sha256)
        ):
            raise FileFormatError("the arrays of a projection are others than its recipe says")

    @classmethod
    def of(cls, part: Recipe, projection: Projection) -> ProjectedRecipe:
        """Project the rows of a recipe.

        Parameters
        ----------
        part : Recipe
            What makes the rows.
        projection : Projection
            Fitted on such rows.
        """
        components = len(projection.components)
        return cls(part, components, projection.whiten, projection.sha256, projection)

    @property
    def parts(self) -> tuple[Recipe, ...]:
        """The one part."""
        return (self.part,)

    @property
    def projections(self) -> dict[str, Projection]:
        """See `Recipe.projections`."""
        own = {} if self.projection is None else {self.sha256: self.projection}
        return {**self.part.projections, **own}

    @property
    def outline(self) -> str:
        """See `Recipe.outline`."""
        return f"PCA {self.components}{', whitened,' * self.whiten} of {self.part.outline}"

    def settings(self) -> dict[str, Any]:
        """See `Recipe.settings`."""
        names = ("components", "whiten", "sha256")
        return {f"projection.{name}": getattr(self, name) for name in names}

    def rows(self, leaf_rows: LeafRows, view: View = CENTER) -> NDArray[np.float32]:
        """See `Recipe.rows`."""
        if self.projection is None:
            raise FileFormatError(f"the arrays of {self.outline} are not there")
        rows = self.part.rows(leaf_rows, view)
        return self.projection.apply(rows.reshape(len(rows), math.prod(rows.shape[1:])))

    def row_shape(self, leaf_shape: Callable[[BackboneRecipe], tuple[int, ...]]) -> tuple[int, ...]:
        """See `Recipe.row_shape`."""
        return (self.components,)

    def with_leaves(self, leaves: Mapping[BackboneRecipe, BackboneRecipe]) -> Recipe:
        """See `Recipe.with_leaves`."""
        return dataclasses.replace(self, part=self.part.with_leaves(leaves))

    def facts(self) -> list[tuple[str, str | None]]:
        """See `Recipe.facts`."""
        kept = (
            "" if self.projection is None else f", {percent(self.projection.explained)} of variance"
        )
        return [*self.part.facts(), ("PCA", f"{self.components}{', whitened' * self.whiten}{kept}")]

    def to_data(self) -> dict[str, Any]:
        """See `Recipe.to_data`."""
        return {
            "kind": self.kind,
            "method": "pca",
            "part": self.part.to_data(),
            **{name: getattr(self, name) for name in ("components", "whiten", "sha256")},
        }

    @classmethod
    def from_data(
        cls,
        data: Mapping[str, Any],
        read: Callable[[Any], Recipe],
        arrays: Mapping[str, Projection],
    ) -> ProjectedRecipe:
        """See `Recipe.from_data`."""
        stored = dataclasses.asdict(to_record(_Stored, data))
        del stored["method"]
        part = read(stored.pop("part"))
        return cls(part, **stored, projection=arrays.get(stored["sha256"]))


@dataclass(frozen=True)
class _Stored:
    method: Literal["pca"]
    part: Any
    components: int
    whiten: bool
    sha256: str
