"""What to type once the labels of a feature file have been put right."""

from __future__ import annotations

from pathlib import Path

from penult.features.read import layer_recipes, load
from penult.interface import shell_quote
from penult.reporting.again import commands_again
from penult.reporting.commands import FEATURES
from penult.reporting.page import PAGE

__all__ = ["relabelling_step"]


def relabelling_step(features: Path, labels: Path) -> str:
    """Say how rows, or the report that they lie in, are made with other labels.

    Parameters
    ----------
    features : Path
        The feature file, with the labels that it had.
    labels : Path
        A table of labels.

    Returns
    -------
    str
        A command, where it is known by what command the rows were made.
    """
    opened = load(features)
    recipes = [recipe for recipe, _ in layer_recipes(features).values()]
    origin = {
        **opened.origin,
        "labels": str(labels),
        "label_pattern": None,
        "path_column": None,
        "label_column": None,
    }
    folders = opened.origin.get("split_folders") or ()
    if opened.splits is None and any(one["split"] is None for one in folders):
        origin["splits"] = "none"  # beside a table of labels, a class called train would be a split
    commands = commands_again(
        recipes,
        opened.layers,
        origin,
        output=str(features),
        dtype=str(opened.features.dtype),
    )
    if len(commands) != 1 or not commands[0].startswith("penult extract "):
        return f"make the rows of the images again, with --labels {shell_quote(str(labels))}"
    if features.name == FEATURES and (features.parent / PAGE).is_file():
        there = f"-o {shell_quote(str(features))}"
        report = commands[0].replace(there, f"-o {shell_quote(str(features.parent))}", 1)
        return f"{report.replace('penult extract', 'penult report', 1)} --overwrite"
    return f"{commands[0]} --update"
