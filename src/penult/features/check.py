"""A feature file that was just put together is read, before what it was made of is removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penult.errors import FeatureFileError, OutputError
from penult.features.augmented import read_augmented
from penult.features.h5_file import read, read_layers
from penult.features.open import open_file
from penult.features.resume.ledger import Ledger
from penult.features.rows import RowsOnDisk
from penult.recipe import Recipe
from penult.records import AugmentedRows, Features, Rows

__all__ = ["require_readable"]

_SAMPLE = 16


def require_readable(
    written: Path, output: Path, recipes: Mapping[str, Recipe], ledger: Ledger
) -> None:
    """Refuse a file that does not say what it was made from.

    Parameters
    ----------
    written : where the file is
    output : the name that it is to get, for messages
    recipes : by the names of its rows
    ledger : what it was made from

    Raises
    ------
    OutputError
    """
    try:
        with open_file(written, "") as file:
            features, layers = read(file, name="it"), read_layers(file, name="it")
            problem = _difference(features, layers, recipes, ledger) or _difference_of_views(
                features, list(read_augmented(file, layers).values()), ledger
            )
    except FeatureFileError as error:
        problem = str(error).partition(";")[0]
    if problem:
        raise OutputError(
            f"{output} was put together, but what is in it cannot be read again ({problem}), so "
            f"nothing was left under that name"
        )


def _difference(
    features: Features,
    layers: Mapping[str, RowsOnDisk],
    recipes: Mapping[str, Recipe],
    ledger: Ledger,
) -> str | None:
    """What is not as it should be: the names, the recipes, the ids, or one of some rows."""
    if [(name, rows.recipe) for name, rows in layers.items()] != list(recipes.items()):
        return f"its layers are {', '.join(features.layers)}"
    if len(features) != ledger.row_count or not all(map(_is_same, features.ids, ledger.ids())):
        return "its ids are other ones"
    sample = _some(len(features))
    at = _first_other(list(layers.values()), sample, ledger, ledger.with_row[sample])
    return None if at is None else f"the row of {features.ids[at]} is another one"


def _difference_of_views(
    features: Features, stored: Sequence[AugmentedRows], ledger: Ledger
) -> str | None:
    """The same of augmented views."""
    ids, count = features.ids, len(stored[0]) if stored else 0
    sample, places, wanted = _some(count), list[int](), 0
    chosen = set(sample.tolist())
    for wanted, (place, view) in enumerate(ledger.views(), 1):
        number = wanted - 1
        if number >= count:
            continue
        if not (
            view.view == stored[0].view[number]
            and _is_same(ids[int(stored[0].of[number])], view.photo.id)
        ):
            return f"its augmented row {number} is not that of {view.id}"
        if number in chosen:
            places.append(place)
    if wanted != count:
        return f"it has {count} augmented rows of {wanted}"
    if not count:
        return None
    at = _first_other([one.features for one in stored], sample, ledger, np.array(places, np.intp))
    return None if at is None else f"its augmented row {at} is another one"


def _some(count: int) -> NDArray[np.intp]:
    return np.unique(np.linspace(0, count - 1, min(count, _SAMPLE)).astype(np.intp))


def _first_other(
    stored: Sequence[Rows], numbers: NDArray[np.intp], ledger: Ledger, places: NDArray[np.intp]
) -> int | None:
    """Which of these rows is not the one that the ledger has for that place."""
    for rows, wanted in zip(stored, ledger.read(places).rows, strict=True):
        for number, row in zip(numbers.tolist(), wanted, strict=True):
            if not np.array_equal(rows[number], row):
                return int(number)
    return None


def _is_same(stored: str, given: str) -> bool:
    # Bytes that are not UTF-8, of a file's name, are read as `Texts` shows them.
    encoded = given.encode("utf-8", "surrogateescape")
    return stored == given or stored == encoded.decode("utf-8", "backslashreplace")
