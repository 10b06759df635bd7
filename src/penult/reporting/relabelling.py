"""What to type once the labels of a feature file have been put right."""

from __future__ import annotations

from pathlib import Path

from penult.backbones.checkpoint_folder import PHOTOS
from penult.features.read import layer_recipes, load
from penult.finetuning.training_photos import TrainingPhotos
from penult.interface import shell_quote
from penult.reporting.again import commands_again
from penult.reporting.commands import FEATURES, finetune_command
from penult.reporting.page import PAGE
from penult.reporting.report_call import ReportCall, recorded_call, with_labels
from penult.reporting.results import SCORES

__all__ = ["relabelling_step"]


def relabelling_step(features: Path, labels: Path) -> str:
    """Say how rows, or the report that they lie in, are made with other labels.

    Of a report it is what was typed, where that means the same images here; elsewhere rows are
    named by what they are made of.

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
    changed = with_labels(opened, str(labels))
    in_report = features.name == FEATURES and (features.parent / PAGE).is_file()
    call = recorded_call(features.parent / SCORES) if in_report else None
    network = Path(opened.recipe.leaves[0].backbone.removeprefix("checkpoint:"))
    if call is not None and _is_report_of(network, call):
        photos = TrainingPhotos.read(network / PHOTOS)
        return finetune_command(network, photos, labels=str(labels))
    if call is not None and call.is_typed_here(opened):
        return call.command(output=str(features.parent), changed=changed)
    commands = commands_again(
        [recipe for recipe, _ in layer_recipes(features).values()],
        opened.layers,
        {**opened.origin, **changed},
        output=str(features),
        dtype=str(opened.features.dtype),
    )
    if len(commands) != 1 or not commands[0].startswith("penult extract "):
        return f"make the rows of the images again, with --labels {shell_quote(str(labels))}"
    if in_report:
        there = f"-o {shell_quote(str(features))}"
        report = commands[0].replace(there, f"-o {shell_quote(str(features.parent))}", 1)
        report = report.replace("penult extract", "penult report", 1)
        others = map(shell_quote, () if call is None else call.beside_rows)
        return " ".join([report, *others, "--overwrite"])
    return f"{commands[0]} --update"


def _is_report_of(network: Path, call: ReportCall) -> bool:
    """Whether a report was asked of a fine-tuned network, and not of photos by its rows."""
    named = {Path(one).name for one in call.sources[:1]}
    return (network / PHOTOS).is_file() and network.name in named
