"""Rows of several recipes as one."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from penult.errors import FileFormatError
from penult.recipe.base import Recipe
from penult.recipe.composite import CompositeRecipe
from penult.recipe.views import CENTER, View
from penult.representation import short_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.recipe.backbone import BackboneRecipe
    from penult.recipe.base import LeafRows

__all__ = ["JoinedRecipe"]

_TOLD = 6
"""Parts that are named in a few words."""

SHORTEST = 1e-12
"""A row is never divided by less: one of zeros stays one."""

# Beyond, a part's numbers would get lost beside another's, or not fit into float16.
_LEAST, _MOST = 1e-3, 1e3


@dataclass(frozen=True, repr=False)
class JoinedRecipe(CompositeRecipe):
    """Rows of several recipes, each scaled to length one, one after the other.

    Attributes
    ----------
    parts : tuple of Recipe
        Two or more, in the order of their numbers.
    weights : tuple of float
        What each part is multiplied by after it was scaled, one a part, from 0.001 to 1,000; all 1
        by default.

    Raises
    ------
    FileFormatError
        If there are fewer parts, or the weights are not as many, or too small or large.
    """

    kind = "joined"

    parts: tuple[Recipe, ...]
    weights: tuple[float, ...] = field(default=())

    def __post_init__(self) -> None:
        if len(self.parts) < 2:
            raise FileFormatError("a joined recipe has two parts or more")
        weights = tuple(map(float, self.weights)) or (1.0,) * len(self.parts)
        object.__setattr__(self, "weights", weights)
        if len(weights) != len(self.parts):
            raise FileFormatError(f"{len(weights)} weights for {len(self.parts)} parts")
        if not all(_LEAST <= weight <= _MOST for weight in weights):
            raise FileFormatError(f"the weights {weights}; each has to be from 0.001 to 1,000")

    @property
    def default_name(self) -> str:
        """See `Recipe.default_name`."""
        return "joined"

    @property
    def outline(self) -> str:
        """See `Recipe.outline`."""
        told = [
            f"{'' if weight == 1 else f'{weight:g} × '}[{part.outline}]"
            for part, weight in zip(self.parts[:_TOLD], self.weights, strict=False)
        ]
        more = len(self.parts) - _TOLD
        return " joined with ".join([*told, f"{more:,} more"] if more > 0 else told)

    def settings(self) -> dict[str, Any]:
        """See `Recipe.settings`."""
        return {"weights": self.weights}

    def rows(self, leaf_rows: LeafRows, view: View = CENTER) -> NDArray[np.float32]:
        """See `Recipe.rows`."""
        return self.join([part.rows(leaf_rows, view) for part in self.parts])

    def join(self, rows: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Join rows of the parts.

        Parameters
        ----------
        rows : list of float32 array, shape (n, …)
            One a part.

        Returns
        -------
        float32 array, shape (n, D)
            D numbers, as many as all parts have.
        """
        import numpy as np

        scaled = []
        for part, weight in zip(rows, self.weights, strict=True):
            flat = part.reshape(len(part), math.prod(part.shape[1:]))
            # In float64: squares of large numbers are more than float32 holds.
            length = np.sqrt(np.einsum("ij,ij->i", flat, flat, dtype=np.float64))
            factor = (weight / np.maximum(length, SHORTEST)).astype(np.float32)
            with np.errstate(invalid="ignore"):  # what is no number is refused where rows are read
                scaled.append(flat * factor[:, None])
        return np.concatenate(scaled, axis=1, dtype=np.float32)

    def row_shape(self, leaf_shape: Callable[[BackboneRecipe], tuple[int, ...]]) -> tuple[int, ...]:
        """See `Recipe.row_shape`."""
        return (sum(math.prod(part.row_shape(leaf_shape)) for part in self.parts),)

    def with_leaves(self, leaves: Mapping[BackboneRecipe, BackboneRecipe]) -> Recipe:
        """See `Recipe.with_leaves`."""
        parts = tuple(part.with_leaves(leaves) for part in self.parts)
        return dataclasses.replace(self, parts=parts)

    def facts(self) -> list[tuple[str, str | None]]:
        """See `Recipe.facts`."""
        weighted = any(weight != 1 for weight in self.weights)
        weights = ", ".join(f"{weight:g}" for weight in self.weights)
        facts = [(f"part {n}", outline) for n, outline in enumerate(_told_apart(self.parts), 1)]
        return [
            ("joined", f"{len(self.parts)} parts, each scaled to length 1"),
            *facts,
            ("weight of each", f"weights {weights}" if weighted else None),
        ]

    def to_data(self) -> dict[str, Any]:
        """See `Recipe.to_data`."""
        parts = [part.to_data() for part in self.parts]
        return {"kind": self.kind, "parts": parts, "weights": list(self.weights)}


def _told_apart(parts: Sequence[Recipe]) -> list[str]:
    """The outlines of parts; to equal ones, as of a network in two precisions, what differs."""
    settings = [
        {
            (at, name): value
            for at, node in enumerate(part.walk())
            for name, value in node.settings().items()
        }
        for part in parts
    ]
    told = []
    for part, own in zip(parts, settings, strict=True):
        alike = [
            other for one, other in zip(parts, settings, strict=True) if one.outline == part.outline
        ]
        differ = [
            f"{name.rpartition('.')[2]} {short_text(str(value), 20)}"
            for (at, name), value in own.items()
            if any(other.get((at, name)) != value for other in alike)
        ]
        told.append(", ".join([part.outline, *differ]))
    return told
