"""What a command says of the feature file that it has made of images or of other rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from penult.cli.console import say, say_augmented
from penult.wording import count, listed, times

if TYPE_CHECKING:
    from penult.records import Features

__all__ = ["say_made_rows"]


def say_made_rows(place: str, output: Path, features: Features) -> None:
    """Say how many rows of what, of how many classes, and from which networks.

    Parameters
    ----------
    place : str
        What to call the file.
    output : Path
        Where it is.
    features : Features
        What it holds.
    """
    from penult.features.read import layer_recipes

    recipes = [recipe for recipe, _ in layer_recipes(output).values()]
    networks = dict.fromkeys(leaf.network for recipe in recipes for leaf in recipe.leaves)
    say(
        f"{place}: {count(len(features), 'row')} of {times(features.features.shape[1:])} "
        f"{features.features.dtype}, {count(len(features.classes_with_rows), 'class')}, "
        f"from {' + '.join(networks)} ({listed(features.layers)})"
    )
    if features.augmented is not None:
        say_augmented(len(features.augmented), features.augmented.recipe.settings())
