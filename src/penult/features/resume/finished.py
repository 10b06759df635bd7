"""The rows of a finished feature file, for a run that brings it up to date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penult.errors import RecipeMismatchError
from penult.features.read import load, read_layers
from penult.features.resume.chunk import gather
from penult.features.resume.manifest import difference
from penult.interface import option
from penult.recipe import Recipe
from penult.records import Features

__all__ = ["FinishedRows", "require_same"]


def require_same(path: Path, recipes: Sequence[Recipe], options: Mapping[str, Any]) -> Features:
    """Open a feature file, and refuse one that was made otherwise than is asked for now.

    Raises
    ------
    RecipeMismatchError
        Says in what they differ.
    FeatureFileError
    """
    whole = load(path)
    on_disk: Any = whole.features
    layers = read_layers(on_disk.file, name=str(path))
    # In what order the rows lie does not matter, and a file may be older than an option.
    now = {k: v for k, v in options.items() if k != "shuffle"}
    then = {**now, **{k: v for k, v in whole.origin.items() if k in now}}
    then["dtype"] = str(whole.features.dtype)
    differences = difference(
        [Recipe.from_json(rows.attrs["recipe"]) for rows in layers.values()], recipes, then, now
    )
    if differences:
        raise RecipeMismatchError(
            f"{path} was made with another recipe than is asked for now ({differences}); give "
            f"{option('update', True)} with the options it was made with, or "
            f"{option('overwrite', True)} to make it anew"
        )
    return whole


class FinishedRows:
    """A feature file whose rows are taken over where the image is still the same.

    Parameters
    ----------
    recipes, options : what is asked for now

    Raises
    ------
    RecipeMismatchError
        If the file was made otherwise; says in what.
    FeatureFileError
    """

    def __init__(self, path: Path, recipes: Sequence[Recipe], options: Mapping[str, Any]) -> None:
        whole = require_same(path, recipes, options)
        on_disk: Any = whole.features
        layers = read_layers(on_disk.file, name=str(path))
        content = whole.content or ()
        self.content = np.fromiter((text.encode() for text in content), "S32", len(content))
        self._rows = list(layers.values())

    def take(self, indices: NDArray[np.intp]) -> list[NDArray[Any]]:
        """Read rows: one array (n, …) a recipe."""
        return [gather(rows.__getitem__, indices) for rows in self._rows]
