"""A classifier in the folder of a fine-tuned network, wherever that folder is now."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from penult.backbones.checkpoint_folder import (
    CLASSIFIER,
    RECIPE,
    WEIGHTS,
    is_checkpoint_folder,
    require_whole,
)
from penult.backbones.weights.info import sha256_of
from penult.errors import ClassifierFileError, FileFormatError
from penult.inputs import unreadable
from penult.recipe import BackboneRecipe, Recipe
from penult.suffixes import CHECKPOINT

__all__ = ["at_home", "home_of"]


def home_of(path: Path) -> Path | None:
    """Find the folder of a fine-tuned network where its classifier is asked for.

    Parameters
    ----------
    path : Path
        The folder, or the classifier file in it.

    Returns
    -------
    Path or None
        The folder, all of which is there; None where `path` is a classifier file by itself.

    Raises
    ------
    FileFormatError
        If the folder is not whole.
    """
    folder = path.parent if path.name == CLASSIFIER and not path.is_dir() else path
    named_so = path.is_dir() and path.suffix.lower() in CHECKPOINT.suffixes
    if not named_so and not is_checkpoint_folder(folder):
        return None
    require_whole(folder)
    return folder


def at_home(recipe: Recipe, folder: Path) -> Recipe:
    """Have the classifier's recipe name the network beside it, if it is the one it was made for.

    Parameters
    ----------
    recipe : Recipe
        That the classifier carries, which names the network by where the folder was.
    folder : Path
        Where it is now.

    Returns
    -------
    Recipe
        An equal one.

    Raises
    ------
    ClassifierFileError
        If weights or recipe in the folder are not those that the classifier was made with.
    """
    try:
        beside = Recipe.from_json((folder / RECIPE).read_text("utf-8"))
    except OSError as error:
        raise unreadable(folder / RECIPE, error) from error
    except (FileFormatError, UnicodeDecodeError) as error:
        raise ClassifierFileError(
            f"{folder / RECIPE} cannot be read as a recipe: {error}; copy the folder again"
        ) from error
    if beside != recipe:
        raise ClassifierFileError(
            f"{folder / RECIPE} is not the recipe that the classifier beside it was trained with: "
            "one of them was changed; copy the folder again"
        )
    if not isinstance(recipe, BackboneRecipe):
        raise ClassifierFileError(
            f"{folder / CLASSIFIER} is not the head of the network beside it: its recipe is of "
            f"other rows than one network's; copy the folder again"
        )
    found = sha256_of(folder / WEIGHTS)
    if found != recipe.weights_sha256:
        raise ClassifierFileError(
            f"{folder / WEIGHTS} is not the network that the classifier beside it was trained "
            f"with: its SHA-256 is {found[:12]}…, expected {recipe.weights_sha256[:12]}…; copy the "
            "folder again"
        )
    place = folder.resolve()
    return replace(recipe, backbone=f"checkpoint:{place}", weights=f"file:{place}")
