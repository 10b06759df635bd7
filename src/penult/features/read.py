"""Reading a feature file: lazily, and without torch."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from penult.checking import checked
from penult.errors import UsageError
from penult.features.h5_file import find_rows, make_one, read, read_layers
from penult.features.places import rows_address
from penult.file_kinds import refuse_other_kind
from penult.inputs import require_file
from penult.recipe import Recipe
from penult.records import AugmentedRows, Features, Rows
from penult.suffixes import FEATURES

__all__ = [
    "StoredRows",
    "layer_recipes",
    "load",
    "load_of_recipe",
    "one_set",
    "stored_bytes",
    "stored_rows",
]


@checked
def load(path: str | Path, layer: str | None = None) -> Features:
    """Open a feature file, or a folder of rows.

    Parameters
    ----------
    path : path
        A file that `penult.extract` wrote; or a folder of rows (``photos.rows``), which may lie at
        an address (``s3://bucket/photos.rows``).
    layer : str, optional
        Which of its rows to show, by the name that they have in the file, as `Features.layers` has
        it, or by a layer that only one of them is of; the last by default.

    Returns
    -------
    Features
        `Features.features` is an h5py dataset: slices are read from the disk when taken, the
        rest is in memory. The file stays open as long as the dataset lives. Where the file is
        damaged at a slice that is taken, a `FeatureFileError` is raised then. Of a folder, the
        rows are taken in the same way, and a few of its parts are open at a time; those at an
        address are fetched into the cache first.

    Raises
    ------
    UsageError
        If it is no path.
    PathNotFoundError
        If there is no such file.
    WrongFileError
        If it is a folder, or a file of another kind.
    FeatureFileError
        If it is damaged, not finished, or newer than this penult; or if it refers to other files
        (external links or storage, virtual datasets), as only a file that is meant to do harm
        would.
    UnknownNameError
        If it has no such layer.
    """
    if not isinstance(path, str | os.PathLike):
        raise UsageError(
            f"features given as {type(path).__name__}; allowed: the path of a feature file, or "
            "what penult.extract and penult.load return"
        )
    if (address := rows_address(path)) is not None:
        from penult.features.parts.read import read_folder

        return read_folder(address, layer)
    path = Path(path)
    if path.is_dir():
        refuse_other_kind(path, "features")
    require_file(path, "a feature file", FEATURES.suffixes, make_one(path))
    from penult.features.open import open_file

    file = open_file(path, make_one())
    try:
        return read(file, layer, name=str(path))
    except BaseException:
        file.close()
        raise


def load_of_recipe(path: str | Path, recipe: Recipe, *, otherwise: str | None = None) -> Features:
    """Open a feature file at the rows of a recipe, whatever they are called there.

    Parameters
    ----------
    path : path
        The file.
    recipe : Recipe
        How the rows that are wanted were made.
    otherwise : str, optional
        The name of those to show where none were made so; the recipe's own by default. Where there
        are none of that name either, the last are shown.

    Raises
    ------
    PathNotFoundError, WrongFileError, FeatureFileError
    """
    features = load(path)
    if len(features.layers) == 1:
        return features
    recipes = {name: recipe for name, (recipe, _) in layer_recipes(path).items()}
    same = [name for name, other in recipes.items() if other == recipe]
    name = same[0] if same else find_rows(otherwise or recipe.layer, recipes)
    return features if name in (None, features.name) else load(path, name)


def one_set(features: Features | str | Path, layer: str | None = None) -> Features:
    """One set of rows, of a file or in memory.

    Raises
    ------
    UsageError
        If rows in memory are asked for another layer.
    PathNotFoundError, WrongFileError, FeatureFileError, UnknownNameError
        As `load` does.
    """
    if not isinstance(features, Features):
        return load(features, layer)
    if layer not in (None, features.name, features.recipe.layer):
        raise UsageError(
            f"rows in memory have one layer, {features.name}; give the feature file, or leave the "
            "layer out"
        )
    return features


@dataclass(frozen=True)
class StoredRows:
    """One set of rows of a feature file, without what stands beside them.

    Attributes
    ----------
    recipe : Recipe
    rows : Rows
    augmented : AugmentedRows or None
        Those of augmented views, where there are some.
    """

    recipe: Recipe
    rows: Rows
    augmented: AugmentedRows | None = None


def stored_rows(path: str | Path) -> dict[str, StoredRows]:
    """Open all sets of rows of a feature file: name to rows, in execution order.

    Raises
    ------
    PathNotFoundError, WrongFileError, FeatureFileError
    """
    if (address := rows_address(path)) is not None:
        from penult.features.parts.read import rows_of_folder

        return {
            name: StoredRows(rows.recipe, rows, views)
            for name, (rows, views) in rows_of_folder(address).items()
        }
    from penult.features.augmented import read_augmented
    from penult.features.open import open_file

    # It stays open as long as the rows live.
    file = open_file(Path(path), make_one())
    layers = read_layers(file, name=str(path))
    views = read_augmented(file, layers)
    return {name: StoredRows(rows.recipe, rows, views.get(name)) for name, rows in layers.items()}


def stored_bytes(path: str | Path) -> int:
    """Count the bytes of a feature file, or of the parts of a folder of rows together.

    Raises
    ------
    OSError, FeatureFileError
    """
    if (address := rows_address(path)) is not None:
        from penult.features.parts.files import PartFiles

        return sum(part.nbytes for part in PartFiles(address).manifest.parts)
    return Path(path).stat().st_size


def layer_recipes(path: str | Path) -> dict[str, tuple[Recipe, tuple[int, ...]]]:
    """Name to the recipe and the shape of rows, in execution order, of a feature file.

    Raises
    ------
    FeatureFileError
    """
    if rows_address(path) is not None:
        return {name: (one.recipe, one.rows.shape) for name, one in stored_rows(path).items()}
    from penult.features.open import open_file

    with open_file(Path(path), make_one()) as file:
        layers = read_layers(file, name=str(path))
        return {name: (rows.recipe, rows.shape) for name, rows in layers.items()}
