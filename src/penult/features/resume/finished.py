"""The rows of a finished feature file, for a run that brings it up to date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penult.errors import RecipeMismatchError
from penult.features.read import load, stored_rows
from penult.features.resume.chunk import gather
from penult.features.resume.manifest import difference
from penult.images.augmentation_options import AUGMENTATION_OPTIONS
from penult.interface import command, option
from penult.recipe import ProjectedRecipe, Recipe
from penult.records import Features, Rows, augmented_content

__all__ = ["FinishedRows", "RowsOf", "require_same"]


def require_same(path: Path, recipes: Mapping[str, Recipe], options: Mapping[str, Any]) -> Features:
    """Open a feature file, and refuse one that was made otherwise than is asked for now.

    Parameters
    ----------
    recipes : by the names of their rows
    options : what is asked for beside them

    Raises
    ------
    RecipeMismatchError
        Says in what they differ.
    FeatureFileError
    """
    whole = load(path)
    # In what order the rows lie does not matter, and a file may be older than an option; but one
    # that says nothing of augmentation has none.
    now = {k: v for k, v in options.items() if k != "shuffle"}
    known = {*now, *AUGMENTATION_OPTIONS}
    then = {k: v for k, v in now.items() if k not in AUGMENTATION_OPTIONS}
    then |= {k: v for k, v in whole.origin.items() if k in known}
    then["dtype"] = str(whole.features.dtype)
    there = {name: one.recipe for name, one in stored_rows(path).items()}
    differences = difference(there, recipes, then, now)
    if _is_projected(there) and not _is_projected(recipes):
        raise RecipeMismatchError(
            f"{path} was made by {command('reduce')}, which reads no images; update the file of "
            "which it was made, and reduce that again"
        )
    if differences and "joined" in whole.origin:
        raise RecipeMismatchError(
            f"{path} was made by {command('join')} of other files, as {command('info', str(path))} "
            "shows; update each of those, and join them again"
        )
    if differences:
        raise RecipeMismatchError(
            f"{path} was made with another recipe than is asked for now ({differences}); give "
            f"{option('update', True)} with the options that {command('info', str(path))} shows, "
            f"or {option('overwrite', True)} to make it anew"
        )
    return whole


def _is_projected(recipes: Mapping[str, Recipe]) -> bool:
    nodes = (node for recipe in recipes.values() for node in recipe.walk())
    return any(isinstance(node, ProjectedRecipe) for node in nodes)


class FinishedRows:
    """A feature file whose rows are taken over where the image is still the same.

    Parameters
    ----------
    recipes, options : what is asked for now, as for `require_same`

    Raises
    ------
    RecipeMismatchError
        If the file was made otherwise; says in what.
    FeatureFileError
    """

    def __init__(
        self, path: Path, recipes: Mapping[str, Recipe], options: Mapping[str, Any]
    ) -> None:
        whole = require_same(path, recipes, options)
        content = whole.content or ()
        texts = (text.encode() for one in (content, _augmented(whole)) for text in one)
        self.content = np.fromiter(texts, "S32")
        self.take = RowsOf(path).take


class RowsOf:
    """The rows alone of a feature file, or of a folder of rows.

    Those of photos, and behind them, where there are some, those of augmented views.

    Raises
    ------
    FeatureFileError
    """

    def __init__(self, path: str | Path) -> None:
        self._rows: list[list[Rows]] = [
            [one.rows] if one.augmented is None else [one.rows, one.augmented.features]
            for one in stored_rows(path).values()
        ]

    def take(self, indices: NDArray[np.intp]) -> list[NDArray[Any]]:
        """Read rows: one array (n, …) a recipe."""
        return [_take(sets, indices) for sets in self._rows]


def _augmented(features: Features) -> Iterator[str]:
    """Digests of the augmented views of a file, by which their rows are known."""
    rows, content = features.augmented, features.content
    if rows is not None and content is not None:
        for of, view in zip(rows.of.tolist(), rows.view.tolist(), strict=True):
            yield augmented_content(content[of], rows.recipe, view)


def _take(sets: Sequence[Rows], indices: NDArray[np.intp]) -> NDArray[Any]:
    """Read rows of several sets, counted on from one to the next."""
    first, *more = sets
    beyond = indices >= len(first)
    if not more or not beyond.any():
        return gather(first.__getitem__, indices)
    result = np.empty((len(indices), *first.shape[1:]), first.dtype)
    if not beyond.all():
        result[~beyond] = gather(first.__getitem__, indices[~beyond])
    result[beyond] = gather(more[0].__getitem__, indices[beyond] - len(first))
    return result
