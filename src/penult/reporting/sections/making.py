"""How the features and the classifier were made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from penult.recipe import BackboneRecipe, Recipe
from penult.reporting.content import Report
from penult.reporting.findings.checked import checked
from penult.reporting.formatting import preprocessing_words
from penult.reporting.sections.base import Section
from penult.web.thumbnails import Thumbnails
from penult.wording import count

__all__ = ["SECTION"]

_OF_NETWORK: dict[str, Callable[[BackboneRecipe], str]] = {
    "Backbone": lambda leaf: leaf.network,
    "Architecture": lambda leaf: leaf.architecture,
    "Weights": lambda leaf: leaf.weights,
    "Layer": lambda leaf: leaf.layer,
    "Pooling": lambda leaf: leaf.pooling,
    "Normalisation": lambda leaf: leaf.normalize,
    "Weights’ SHA-256": lambda leaf: leaf.weights_sha256,
    "Preprocessing": lambda leaf: preprocessing_words(leaf.preprocessing),
}

MEASURES = ("accuracy", "log_loss")  # of a candidate; all else are its parameters


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any]:
    settings = dict(report.trained.settings) if report.trained else {}
    chosen, grid = settings.pop("chosen", {}), list(settings.pop("grid", ()))
    tried = [{k: v for k, v in point.items() if k not in MEASURES} for point in grid]
    common = {k for k, v in tried[0].items() if all(t.get(k) == v for t in tried)} if tried else {}
    candidates = [
        {
            "parameters": {k: v for k, v in one.items() if k not in common} or one,
            "accuracy": point["accuracy"],
            "log_loss": point.get("log_loss"),
            "chosen": one == chosen,
        }
        for one, point in zip(tried, grid, strict=True)
    ]
    shown = {k.replace("_", " "): v for k, v in settings.items() if v not in (None, "", (), [], {})}
    return {
        "settings": shown,
        "chosen": chosen,
        "grid": candidates,
        "made": _of_recipe(report.recipe),
        "held_out": _held_out(report),
        "checked": checked(report),
        "networks": len(report.recipe.leaves),
    }


def _held_out(report: Report) -> str | None:
    if report.trained is None:
        return None
    scores = report.trained.scores
    right = round(scores.accuracy * scores.images)
    outcome = "with exactly their labels" if report.multilabel else "put into the right class"
    return f"{count(scores.images, 'image')} ({scores.split}), {right:,} of them {outcome}"


def _of_recipe(recipe: Recipe) -> list[tuple[str, list[str]]]:
    """What a recipe says: a name, and a value for each network, or one for all of them."""
    leaves = recipe.leaves
    made = []
    for name, read in _OF_NETWORK.items():
        values = [read(leaf) for leaf in leaves]
        if any(values):
            made.append((name, values[:1] if len(set(values)) == 1 else values))
    of_leaves = [fact for leaf in leaves for fact in leaf.facts()]
    tree = [(name, [v]) for name, v in recipe.facts() if v and (name, v) not in of_leaves]
    return [(name[:1].upper() + name[1:], values) for name, values in [*made, *tree]]


SECTION = Section(name="making", title="How it was made", content=_content)
