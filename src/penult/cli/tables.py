"""The tables and sentences that several commands print."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from penult.cli.console import plain_table, show_table

if TYPE_CHECKING:
    from penult.recipe import Recipe
    from penult.records import Scores

__all__ = ["class_table", "grid_line", "recipe_table", "scores_line"]


def class_table(scores: Scores) -> None:
    """Show precision, recall, F1 and support of every class."""
    numbers = ("precision", "recall", "F1", "support")
    table = plain_table(("class", *numbers), right=numbers)
    for row in scores.classes:
        table.add_row(
            row.label,
            f"{row.precision:.3f}",
            f"{row.recall:.3f}",
            f"{row.f1:.3f}",
            f"{row.support:,}",
        )
    show_table(table)


def scores_line(scores: Scores) -> str:
    """Return the accuracy, and what it was measured on."""
    return f"accuracy {scores.accuracy:.1%} on {scores.images:,} images ({scores.split})"


def grid_line(settings: Mapping[str, Any]) -> str:
    """Return what the grid search chose, and from what."""
    chosen = ", ".join(f"{name}={value:g}" for name, value in settings["params"].items())
    tried = len(settings["grid"])
    return (
        f"{settings['classifier']}, {chosen}: the best of {tried} by {settings['folds']}-fold "
        f"cross-validation on {settings['train_images']:,} images"
    )


def recipe_table(recipe: Recipe) -> None:
    """Show how an image becomes a row."""
    p = recipe.preprocessing
    resize = "none" if p.resize is None else f"{p.resize}"
    table = plain_table(("recipe", ""))
    rows = {
        "backbone": recipe.backbone,
        "architecture": recipe.architecture,
        "weights": recipe.weights,
        "SHA-256": recipe.weights_sha256,
        "layer": recipe.layer,
        "pooling": recipe.pooling,
        "normalisation": recipe.normalize,
        "resize": f"{resize} ({p.interpolation}), crop {p.crop}, decode {p.decode}",
        "mean, std": f"{p.mean}, {p.std} ({p.channels})",
        "versions": ", ".join(f"{k} {v}" for k, v in recipe.versions.items()),
    }
    for name, value in rows.items():
        table.add_row(name, value)
    show_table(table)
