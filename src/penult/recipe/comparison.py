"""Refusing rows that were made otherwise."""

from __future__ import annotations

from typing import Any

from penult.errors import RecipeMismatchError
from penult.recipe.backbone import BackboneRecipe
from penult.recipe.base import Recipe

__all__ = ["require_equal"]


def require_equal(recipe: Recipe, other: Recipe, *, name: str, other_name: str) -> None:
    """Refuse rows of two recipes.

    Parameters
    ----------
    recipe, other : Recipe
        What is compared.
    name, other_name : str
        What has the one recipe and the other, e.g. ``"the classifier flowers.skops"``.

    Raises
    ------
    RecipeMismatchError
        Field by field, what each has.
    """
    fields = [
        f"{field}: {_shown(field, mine, node)} and {_shown(field, theirs, others)}"
        for field, mine, theirs, node, others in recipe.differences(other)
    ]
    if fields:
        raise RecipeMismatchError(
            f"{name} and {other_name} have different recipes, so their rows cannot be compared: "
            f"{'; '.join(fields)}"
        )


def _shown(field: str, value: Any, node: Recipe) -> str:
    if field.endswith("recipe"):
        return f"“{value}”"
    if not field.endswith("sha256"):
        return repr(value)
    # Nobody reads 64 digits; the name says more.
    weights = node.weights if isinstance(node, BackboneRecipe) else ""
    return f"{value[:12]}…" + (f" ({weights})" if weights else "")
