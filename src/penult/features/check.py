"""A feature file that was just put together is read, before what it was made of is removed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from penult.errors import FeatureFileError, OutputError
from penult.features.open import open_file
from penult.features.read import read, read_layers
from penult.features.resume.ledger import Ledger
from penult.features.rows import RowsOnDisk
from penult.recipe import Recipe
from penult.records import Features

__all__ = ["require_readable"]

_SAMPLE = 16


def require_readable(
    written: Path, output: Path, recipes: Sequence[Recipe], ledger: Ledger
) -> None:
    """Refuse a file that does not say what it was made from.

    Parameters
    ----------
    written : where the file is
    output : the name that it is to get, for messages
    recipes : of its layers
    ledger : what it was made from

    Raises
    ------
    OutputError
    """
    try:
        with open_file(written, "") as file:
            features, layers = read(file, name="it"), read_layers(file, name="it")
            problem = _difference(features, list(layers.values()), recipes, ledger)
    except FeatureFileError as error:
        problem = str(error).partition(";")[0]
    if problem:
        raise OutputError(
            f"{output} was put together, but what is in it cannot be read again ({problem}), so "
            f"nothing was left under that name"
        )


def _difference(
    features: Features, layers: Sequence[RowsOnDisk], recipes: Sequence[Recipe], ledger: Ledger
) -> str | None:
    """What is not as it should be: the layers, the ids, or one of some rows."""
    found = [Recipe.from_json(rows.attrs["recipe"]) for rows in layers]
    if found != list(recipes):
        return f"its layers are {', '.join(recipe.layer for recipe in found)}"
    if len(features) != ledger.row_count or not all(map(_is_same, features.ids, ledger.ids())):
        return "its ids are other ones"
    sample = np.unique(np.linspace(0, len(features) - 1, _SAMPLE).astype(np.intp))
    kept = ledger.read(ledger.with_row[sample])
    for rows, wanted in zip(layers, kept.rows, strict=True):
        for number, row in zip(sample, wanted, strict=True):
            if not np.array_equal(rows[int(number)], row):
                return f"the row of {features.ids[int(number)]} is another one"
    return None


def _is_same(stored: str, given: str) -> bool:
    # Bytes that are not UTF-8, of a file's name, are read as `Texts` shows them.
    encoded = given.encode("utf-8", "surrogateescape")
    return stored == given or stored == encoded.decode("utf-8", "backslashreplace")
