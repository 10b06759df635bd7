"""Refusing rows that were made otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from penult.errors import RecipeMismatchError
from penult.interface import command, option
from penult.recipe.backbone import BackboneRecipe
from penult.recipe.base import Recipe

__all__ = ["as_option", "require_equal"]

# What sets a field of a recipe, where that has an option of its own.
_OPTIONS = {name: name for name in ("layer", "pooling", "normalize", "precision", "views")} | {
    "preprocessing.decode": "decode",
    "preprocessing.resampling": "resize",
}
# Of those, the ones whose values are typed as they stand in a recipe.
_TYPED = {"layer", "pooling", "normalize", "precision", "preprocessing.decode"}


def as_option(field: str) -> str:
    """Name a field of `Recipe.difference` by the option that sets it, as its reader types it.

    Examples
    --------
    >>> as_option("part 2: preprocessing.resampling"), as_option("weights_sha256")
    ('part 2: resize', 'weights_sha256')
    """
    *at, name = field.rpartition(": ")
    return "".join(at) + (option(_OPTIONS[name]) if name in _OPTIONS else name)


def require_equal(
    recipe: Recipe, other: Recipe, *, name: str, other_name: str, made_again: bool = False
) -> None:
    """Refuse rows of two recipes.

    Parameters
    ----------
    recipe, other : Recipe
        What is compared.
    name, other_name : str
        What has the one recipe and the other, e.g. ``"the classifier flowers.skops"``.
    made_again : bool, default=False
        Whether rows can be made anew: then it is said with what the other's would be the same,
        or how, where one of the networks is in a file of its own, which are the ones that change.

    Raises
    ------
    RecipeMismatchError
        Field by field, what each has.
    """
    fields = [
        f"{as_option(field)}: {_shown(field, mine, node)} and {_shown(field, theirs, others)}"
        for field, mine, theirs, node, others in recipe.differences(other)
    ]
    if fields:
        raise RecipeMismatchError(
            f"{name} and {other_name} have different recipes, so their rows cannot be compared: "
            f"{'; '.join(fields)}{_made_by(recipe, other, other_name) if made_again else ''}"
        )


def _made_by(recipe: Recipe, other: Recipe, other_name: str) -> str:
    wanted = {name: mine for name, mine, *_ in recipe.differences(other)}
    if isinstance(recipe, BackboneRecipe) and wanted.keys() <= _TYPED:
        typed = " ".join(option(_OPTIONS[name], value) for name, value in wanted.items())
        return f"; make {other_name} again with {typed}"
    for one in (recipe, other):
        if isinstance(one, BackboneRecipe) and one.backbone.startswith("checkpoint:"):
            model = one.backbone.removeprefix("checkpoint:")
            layer = {} if one.layer == "penultimate" else {"layer": one.layer}
            made = command("extract", "IMAGES", model=model, **layer, output="NEW.h5")
            return f"; rows of {Path(model).name} are made by: {made}"
    return ""


def _shown(field: str, value: Any, node: Recipe) -> str:
    if field.endswith("recipe"):
        return f"“{value}”"
    if not field.endswith("sha256"):
        return repr(value)
    # Nobody reads 64 digits; the name says more.
    weights = node.weights if isinstance(node, BackboneRecipe) else ""
    return f"{value[:12]}…" + (f" ({weights})" if weights else "")
