"""Augmented rows that several feature files have of the same views of the same images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from penult.combine.writing import named
from penult.features.id_keys import find_places
from penult.wording import count, listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.recipe import AugmentedRecipe
    from penult.records import AugmentedRows, Features, Rows

__all__ = ["JoinedViews", "joined_views"]


@dataclass(frozen=True, eq=False)
class JoinedViews:
    """Augmented rows that belong together.

    Attributes
    ----------
    of, view : int64 array, shape (M,)
        The new place of each one's row, ascending, and which view it is.
    rows : sequence of Rows
        One a file.
    places : sequence of int array, shape (M,)
        One a file: where among its augmented rows each is.
    recipe : AugmentedRecipe
        Of the first.
    """

    of: NDArray[np.int64]
    view: NDArray[np.int64]
    rows: Sequence[Rows]
    places: Sequence[NDArray[np.intp]]
    recipe: AugmentedRecipe


def joined_views(
    files: Sequence[Features], places: Sequence[NDArray[np.intp]]
) -> tuple[JoinedViews | None, str | None]:
    """Match augmented rows, where all files have some of one augmentation.

    Parameters
    ----------
    files : sequence of Features
    places : sequence of int array, shape (n,)
        One a file: where in it the joined rows are.

    Returns
    -------
    JoinedViews or None
    str or None
        Why some, or all, that there are were left out.
    """
    stored = [one.augmented for one in files if one.augmented is not None]
    if not stored:
        return None, None
    if len(stored) < len(files):
        without = [named(one) for one in files if one.augmented is None]
        return None, f"{listed(without)} {'has' if len(without) == 1 else 'have'} none"
    kinds = {(one.recipe.policy, one.recipe.seed) for one in stored}
    if len(kinds) > 1:
        told = " and ".join(f"{policy} with seed {seed}" for policy, seed in sorted(kinds))
        return None, f"they are of several augmentations, {told}"
    most = max(int(one.view.max()) for one in stored) + 1
    pairs = zip(stored, files, places, strict=True)
    keys = [_keys(one, len(file), found, most) for one, file, found in pairs]
    common = keys[0]
    for own in keys[1:]:
        common = np.intersect1d(common, own)
    common = common[common >= 0]
    fewer = max(int((own >= 0).sum()) for own in keys) - len(common)
    why = f"{count(fewer, 'view')} of the images that not all files have" if fewer else None
    if not len(common):
        return None, why
    return JoinedViews(
        of=common // most,
        view=common % most,
        rows=[one.features for one in stored],
        places=[find_places(common, own) for own in keys],
        recipe=stored[0].recipe,
    ), why


def _keys(
    stored: AugmentedRows, rows: int, places: NDArray[np.intp], most: int
) -> NDArray[np.int64]:
    """A number for each view of each joined row; below 0 where its row is not joined."""
    new = np.full(rows, -1, np.int64)
    new[places] = np.arange(len(places))
    of = new[stored.of]
    return np.where(of < 0, -1, of * most + stored.view)
