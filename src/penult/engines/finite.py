"""Rows that are numbers: a NaN or an infinity in one would spoil whatever is computed from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.interface import option

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from penult.recipe import Recipe

__all__ = ["as_stored", "reasons"]


def as_stored(
    rows: Sequence[NDArray[np.float32]], recipes: Sequence[Recipe], dtype: DTypeLike
) -> tuple[tuple[NDArray[Any], ...], dict[int, str]]:
    """Cast rows to the dtype that they are stored in, and find those that it cannot hold.

    Parameters
    ----------
    rows : one array (n, …) a recipe

    Returns
    -------
    The rows, and from the number of each that is not finite in some layer to why.
    """
    with np.errstate(over="ignore"):
        stored = tuple(block.astype(dtype, copy=False) for block in rows)
    found = reasons(stored, recipes)
    for k in found:
        for block, recipe in zip(rows, recipes, strict=True):
            largest = np.abs(block[k]).max()
            if largest > np.finfo(stored[0].dtype).max and np.isfinite(largest):
                found[k] = (
                    f"its row does not fit into {stored[0].dtype}: it has {largest:.3g} (layer "
                    f"{recipe.layer}); give {option('dtype', 'float32')}"
                )
    return stored, found


def reasons(rows: Sequence[NDArray[Any]], recipes: Sequence[Recipe]) -> dict[int, str]:
    """From the number of each row that is not finite in some layer to what is in it."""
    found: dict[int, str] = {}
    for block, recipe in zip(rows, recipes, strict=True):
        finite = np.isfinite(block.reshape(len(block), -1)).all(axis=1)
        for k in np.flatnonzero(~finite).tolist():
            what = "NaN" if np.isnan(block[k]).any() else "infinite numbers"
            hint = f"; give {option('precision', 'float32')}"
            exact = all(leaf.precision == "float32" for leaf in recipe.leaves)
            hint = "" if exact else hint
            found.setdefault(k, f"the network gives {what} for it (layer {recipe.layer}){hint}")
    return found
