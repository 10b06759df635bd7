"""The commands.

To add one, write a function of its name and parameters (in `penult.tasks`, say), which `penult`
offers; write ``NAME.py`` with a function `run` in this folder, annotated for Typer, that calls it
and prints; and put its name into the list below.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from penult.interface import command_name

__all__ = ["COMMANDS", "GROUPS"]

GROUPS = {"labels": "Put labels right that look wrong."}
"""Words that come before several commands, and what those do."""

COMMANDS: dict[str, Callable[..., None]] = {
    command_name(name): import_module(f"{__name__}.{name}").run
    for name in (
        "extract",
        "plan_machines",
        "merge",
        "join",
        "reduce",
        "index",
        "train",
        "finetune",
        "predict",
        "move_back",
        "evaluate",
        "search",
        "evaluate_search",
        "serve",
        "duplicates",
        "map",
        "summarize",
        "cluster",
        "outliers",
        "look",
        "export",
        "export_rows",
        "push",
        "pull",
        "info",
        "report",
        "apply_labels",
        "compare",
        "verify",
        "models",
        "layers",
        "show_input",
        "convert",
        "quantize",
        "fetch",
        "sample",
        "bot",
    )
}
"""What is typed after ``penult``, in the order in which ``penult --help`` lists it.

Of two words, the first is a group's."""
