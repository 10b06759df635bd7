"""The rows of augmented views, which stand in a group of their own, apart from those of photos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penult.features import schema
from penult.features.column import (
    NUMBERS,
    ROWS,
    Refused,
    dataset_at,
    group_at,
    has,
    read_text,
)
from penult.features.id_keys import find_places, id_key
from penult.features.rows import RowsOnDisk, create_rows, extend
from penult.recipe import AugmentedRecipe, Recipe
from penult.records import AugmentedRecord, AugmentedRows, ImageRecord

__all__ = ["AugmentedWriter", "read_augmented"]

# So that the number of a row and that of a view fit together into one of 64 bits.
_MOST_VIEWS = 2**31


class AugmentedWriter:
    """The group of augmented rows in the making.

    A view may come before its photo or after it, and the photo may yet fail. So which row each
    belongs to is found at the end, and what has no photo is dropped then. Until then 16 bytes are
    kept of each, a digest of the photo's id.

    Parameters
    ----------
    file : open for writing
    names : of the rows
    recipes : of their augmented rows, one a name
    dtype : of the rows on disk
    """

    def __init__(
        self,
        file: Any,
        names: Sequence[str],
        recipes: Sequence[AugmentedRecipe],
        dtype: np.dtype[Any],
    ) -> None:
        self._file, self._dtype = file, dtype
        self._recipes = dict(zip(names, recipes, strict=True))
        self._rows: list[Any] = []
        self._photos, self._of, self._views = bytearray(), bytearray(), list[int]()

    def note(self, photos: Sequence[ImageRecord]) -> None:
        """Take note of photos that got the next rows of the file."""
        for photo in photos:
            self._photos += id_key(photo.id)

    def append(self, views: Sequence[AugmentedRecord], rows: Sequence[NDArray[Any]]) -> None:
        """Add n augmented rows: one array (n, …) a recipe."""
        if not self._rows:
            self._rows = [
                create_rows(
                    self._file,
                    f"{schema.AUGMENTED}/{schema.ROWS}/{schema.link_name(name)}",
                    block.shape[1:],
                    self._dtype,
                    recipe,
                )
                for (name, recipe), block in zip(self._recipes.items(), rows, strict=True)
            ]
        for view in views:
            self._of += id_key(view.photo.id)
            self._views.append(view.view)
        for dataset, block in zip(self._rows, rows, strict=True):
            extend(dataset, block.astype(self._dtype, copy=False))

    def finish(self) -> None:
        """Find the photo of each, and drop those whose photo has no row."""
        if not self._rows:
            return
        of = find_places(np.frombuffer(self._of, "S16"), np.frombuffer(self._photos, "S16"))
        there = of >= 0
        if not there.any():
            del self._file[schema.AUGMENTED]
            return
        if not there.all():
            for dataset in self._rows:
                _keep(dataset, there)
        group = self._file[schema.AUGMENTED]
        views = np.array(self._views, np.int64)
        for name, column in ((schema.OF, of), (schema.VIEW, views)):
            group.create_dataset(name, data=column[there], fletcher32=True)


def _keep(dataset: Any, which: NDArray[np.bool_]) -> None:
    """Drop the other rows of a dataset, a chunk at a time."""
    step, end = dataset.chunks[0], 0
    for start in range(0, len(dataset), step):
        kept = dataset[start : start + step][which[start : start + step]]
        dataset[end : end + len(kept)] = kept
        end += len(kept)
    dataset.resize(end, axis=0)


def read_augmented(file: Any, layers: Mapping[str, RowsOnDisk]) -> dict[str, AugmentedRows]:
    """Name to augmented rows, of an open file whose rows are `layers`; empty where it has none.

    Raises
    ------
    Refused, KeyError
        If they do not fit the rows.
    """
    if not has(file, schema.AUGMENTED):
        return {}
    group = group_at(file, schema.AUGMENTED)
    numbers = [dataset_at(group, name, NUMBERS) for name in (schema.OF, schema.VIEW)]
    under = group_at(group, schema.ROWS)
    stored = {name: _fitting(under, name, rows, len(numbers[0])) for name, rows in layers.items()}
    if len({(rows.recipe.policy, rows.recipe.seed) for rows in stored.values()}) > 1:
        raise Refused("is damaged: its augmented rows are of several augmentations")
    of, view = (column[:] for column in numbers)
    photos = len(next(iter(layers.values())))
    if len(of) != len(view) or not len(of):
        raise Refused(f"is damaged: it has {len(of)} augmented rows of {len(view)} views")
    if of.min() < 0 or of.max() >= photos:
        raise Refused(
            f"is damaged: its augmented rows belong to rows {of.min()} to {of.max()} of {photos}"
        )
    if view.min() < 1 or view.max() > _MOST_VIEWS:
        raise Refused(
            f"is damaged: its augmented views are counted from {view.min()} to {view.max()}"
        )
    return {
        name: AugmentedRows(features=rows, of=of, view=view, recipe=rows.recipe)
        for name, rows in stored.items()
    }


def _fitting(group: Any, name: str, rows: RowsOnDisk, count: int) -> RowsOnDisk:
    """Open the augmented rows of a name, if they are of the same kind as its rows."""
    found = dataset_at(group, schema.link_name(name), ROWS)
    if found.shape != (count, *rows.shape[1:]) or found.dtype != rows.dtype:
        raise Refused(
            f"is damaged: its augmented rows of {name} are {found.dtype} of shape {found.shape}, "
            f"beside rows of {rows.dtype} of shape {rows.shape}"
        )
    recipe = Recipe.from_json(read_text(found, "recipe"), rows.recipe.projections)
    if not isinstance(recipe, AugmentedRecipe) or recipe.part != rows.recipe:
        raise Refused(f"is damaged: its augmented rows of {name} were made otherwise than its rows")
    return RowsOnDisk(found, rows.named, recipe)
