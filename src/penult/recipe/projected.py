"""Rows projected onto fewer numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from penult.errors import FileFormatError
from penult.parsing import to_record
from penult.recipe.base import Recipe
from penult.recipe.projection import Projection
from penult.recipe.single_part import SinglePartRecipe, bracketed
from penult.recipe.views import CENTER, View
from penult.wording import percent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.recipe.backbone import BackboneRecipe
    from penult.recipe.base import LeafRows

__all__ = ["ProjectedRecipe"]


@dataclass(frozen=True, repr=False)
class ProjectedRecipe(SinglePartRecipe):
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
    def projections(self) -> dict[str, Projection]:
        """See `Recipe.projections`."""
        return {**super().projections, self.sha256: self._arrays}

    @property
    def _arrays(self) -> Projection:
        if self.projection is None:
            raise FileFormatError(f"the arrays of {self.outline} are not there")
        return self.projection

    @property
    def default_name(self) -> str:
        """See `Recipe.default_name`."""
        return f"pca{self.components}"

    @property
    def outline(self) -> str:
        """See `Recipe.outline`."""
        return f"PCA {self.components}{', whitened,' * self.whiten} of {bracketed(self.part)}"

    def settings(self) -> dict[str, Any]:
        """See `Recipe.settings`."""
        return {f"projection.{name}": value for name, value in super().settings().items()}

    def rows(self, leaf_rows: LeafRows, view: View = CENTER) -> NDArray[np.float32]:
        """See `Recipe.rows`."""
        projection, rows = self._arrays, self.part.rows(leaf_rows, view)
        width = math.prod(rows.shape[1:])
        if width != len(projection.mean):
            raise FileFormatError(
                f"{self.outline}: the projection takes rows of {len(projection.mean):,} numbers, "
                f"and is given {width:,}; it was fitted on other rows"
            )
        return projection.apply(rows.reshape(len(rows), width))

    def row_shape(self, leaf_shape: Callable[[BackboneRecipe], tuple[int, ...]]) -> tuple[int, ...]:
        """See `Recipe.row_shape`."""
        return (self.components,)

    def facts(self) -> list[tuple[str, str | None]]:
        """See `Recipe.facts`."""
        kept = (
            ""
            if self.projection is None
            else f", {percent(self.projection.explained_variance_ratio)} of variance"
        )
        to = f"PCA to {self.components}{', whitened' * self.whiten}{kept}"
        return [*self.part.facts(), ("reduced", to)]

    def to_data(self) -> dict[str, Any]:
        """See `Recipe.to_data`."""
        return {
            "kind": self.kind,
            "method": "pca",
            "part": self.part.to_data(),
            **super().settings(),
        }

    @classmethod
    def from_data(
        cls,
        data: Mapping[str, Any],
        projections: Mapping[str, Projection],
    ) -> ProjectedRecipe:
        """See `Recipe.from_data`."""
        stored = dict(vars(to_record(_Stored, data)))
        del stored["method"]  # there is one, so far
        return cls(**stored, projection=projections.get(stored["sha256"]))


@dataclass(frozen=True)
class _Stored:
    method: Literal["pca"]
    part: Recipe
    components: int
    whiten: bool
    sha256: str
