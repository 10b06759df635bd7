"""A weighted sum of a row's numbers, as one of the numbers of the networks' rows it is made of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from penult.errors import UsageError
from penult.interface import command, option
from penult.recipe import (
    BackboneRecipe,
    JoinedRecipe,
    ProjectedRecipe,
    Recipe,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["LeafWeights", "leaf_weights", "require_divisible", "scaled_to_length_one"]

LeafWeights = dict[BackboneRecipe, "NDArray[np.float64]"]
"""From a leaf to the weights of the numbers of its row, float64 (D,)."""

_SHORTEST = 1e-12
"""A part is never divided by less, as `JoinedRecipe` has it."""


def require_divisible(recipe: Recipe) -> None:
    """Refuse rows that are made of several views.

    Raises
    ------
    UsageError
    """
    for node in recipe.walk():
        if not isinstance(node, BackboneRecipe | JoinedRecipe | ProjectedRecipe):
            raise UsageError(
                f"rows of {node.outline} are averages over pictures that lie differently on the "
                f"photo, and cannot be divided among its places; give rows made without "
                f"{option('views')} ({command('extract', 'PHOTOS')})"
            )


def leaf_weights(
    recipe: Recipe,
    weights: NDArray[np.float64],
    leaf_rows: Mapping[BackboneRecipe, NDArray[np.float32]],
    *,
    gradient: bool = False,
) -> tuple[LeafWeights, float]:
    """Take the weights of a row's numbers down to the rows of its networks.

    Where a part is scaled to length one, by the photo's own length, which is a constant here: the
    sum is exact for this photo, and for no other.

    Parameters
    ----------
    recipe : Recipe
        Without views.
    weights : float64 array, shape (D,)
        Of the numbers of its rows.
    leaf_rows : mapping of BackboneRecipe to float32 array, shape (…)
        Those of one photo.
    gradient : bool
        Whether to give, in place of the weights, the gradient of the sum: by which a length is no
        constant.

    Returns
    -------
    weights : dict of BackboneRecipe to float64 array, shape (D,)
        Of each leaf's own numbers, flattened.
    constant : float
        Beside the sum over all leaves of ``weights @ row``.
    """
    if isinstance(recipe, BackboneRecipe):
        return {recipe: weights}, 0.0
    parts: list[tuple[Recipe, NDArray[np.float64]]] = []
    constant = 0.0
    if isinstance(recipe, ProjectedRecipe):
        (projection,) = (recipe.projections[recipe.sha256],)
        if recipe.whiten:
            weights = weights / projection.scale
        before = weights @ projection.components.astype(np.float64)
        constant = -float(before @ projection.mean)
        parts = [(recipe.part, before)]
    elif isinstance(recipe, JoinedRecipe):
        at = 0
        for part, factor in zip(recipe.parts, recipe.weights, strict=True):
            row = part.rows(lambda leaf, _view: leaf_rows[leaf][None])[0].ravel()
            own = weights[at : at + len(row)]
            parts.append((part, factor * scaled_to_length_one(own, row, gradient=gradient)))
            at += len(row)
    else:
        require_divisible(recipe)
    found: LeafWeights = {}
    for part, own in parts:
        inner, more = leaf_weights(part, own, leaf_rows, gradient=gradient)
        constant += more
        for leaf, theirs in inner.items():
            found[leaf] = found[leaf] + theirs if leaf in found else theirs
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
