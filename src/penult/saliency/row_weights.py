"""A weighted sum of a row's numbers, as one of the numbers of the networks' rows it is made of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from penult.errors import UsageError
from penult.recipe import (
    CENTER,
    VIEWS,
    AveragedRecipe,
    BackboneRecipe,
    JoinedRecipe,
    ProjectedRecipe,
    Recipe,
    View,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["LeafWeights", "leaf_weights", "scaled_to_length_one"]

LeafWeights = dict[tuple[BackboneRecipe, View], "NDArray[np.float64]"]
"""From a leaf and a view to the weights of the numbers of its row, float64 (D,)."""

_SHORTEST = 1e-12
"""A part is never divided by less, as `JoinedRecipe` has it."""


def leaf_weights(
    recipe: Recipe,
    weights: NDArray[np.float64],
    leaf_rows: Mapping[tuple[BackboneRecipe, View], NDArray[np.float32]],
    view: View = CENTER,
    *,
    gradient: bool = False,
) -> tuple[LeafWeights, float]:
    """Take the weights of a row's numbers down to the rows of its networks.

    Where a part is scaled to length one, by the photo's own length, which is a constant here: the
    sum is exact for this photo, and for no other.

    Parameters
    ----------
    recipe : Recipe
        Of photos as they are.
    weights : float64 array, shape (D,)
        Of the numbers of its rows.
    leaf_rows : mapping of (BackboneRecipe, View) to float32 array, shape (…)
        Those of one photo.
    view : View
        Which one is seen, where the recipe does not say so itself.
    gradient : bool
        Whether to give, in place of the weights, the gradient of the sum: by which a length is no
        constant.

    Returns
    -------
    weights : dict of (BackboneRecipe, View) to float64 array, shape (D,)
        Of each leaf's own numbers, flattened, in each view that it takes.
    constant : float
        Beside the sum over all leaves and views of ``weights @ row``.

    Raises
    ------
    UsageError
        If the recipe is of augmented views.
    """
    if isinstance(recipe, BackboneRecipe):
        return {(recipe, view): weights}, 0.0
    parts: list[tuple[Recipe, NDArray[np.float64], View]] = []
    constant = 0.0
    if isinstance(recipe, AveragedRecipe):
        views = VIEWS[recipe.views]
        parts = [(recipe.part, weights / len(views), own) for own in views]
    elif isinstance(recipe, ProjectedRecipe):
        (projection,) = (recipe.projections[recipe.sha256],)
        if recipe.whiten:
            weights = weights / projection.scale
        before = weights @ projection.components.astype(np.float64)
        constant = -float(before @ projection.mean)
        parts = [(recipe.part, before, view)]
    elif isinstance(recipe, JoinedRecipe):
        at = 0
        for part, factor in zip(recipe.parts, recipe.weights, strict=True):
            row = part.rows(lambda leaf, own: leaf_rows[leaf, own][None], view)[0].ravel()
            mine = weights[at : at + len(row)]
            scaled = scaled_to_length_one(mine, row, gradient=gradient)
            parts.append((part, factor * scaled, view))
            at += len(row)
    else:
        raise UsageError(f"rows of {recipe.outline} are of no photo as it is; give its part")
    found: LeafWeights = {}
    for part, mine, own in parts:
        inner, more = leaf_weights(part, mine, leaf_rows, own, gradient=gradient)
        constant += more
        for key, theirs in inner.items():
            found[key] = found[key] + theirs if key in found else theirs
    return found, constant


def scaled_to_length_one(
    weights: NDArray[np.float64],
    row: NDArray[np.floating],
    *,
    gradient: bool = False,
    shortest: float = _SHORTEST,
) -> NDArray[np.float64]:
    """Weights of a row before it is scaled to length one, from those after.

    Parameters
    ----------
    weights, row : arrays, shape (D,)
    gradient : bool
        As for `leaf_weights`.
    shortest : float
        Rows that are shorter are not scaled, or by this.

    Returns
    -------
    float64 array, shape (D,)
    """
    row = row.astype(np.float64)
    length = max(math.sqrt(float(row @ row)), shortest)
    if gradient:
        weights = weights - row * float(weights @ row) / length**2
    return weights / length
