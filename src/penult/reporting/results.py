"""The numbers and figures of one training or evaluation, as files in a folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult.backbones.checkpoint_folder import is_checkpoint_folder
from penult.classify.metrics.scores import scores_to_dict
from penult.errors import OutputExistsError, UsageError
from penult.interface import option
from penult.messages import escape_json
from penult.output import atomic_output, check_folder, check_output, explain
from penult.records import HeldOut, Scores
from penult.reporting.class_order import LABEL_ORDER_UP_TO, by_similarity
from penult.reporting.figures.charts import layers_chart
from penult.reporting.figures.confusion_matrix import confusion_matrix_png
from penult.reporting.figures.export import to_png
from penult.reporting.held_out import HELD_OUT, write_held_out
from penult.suffixes import require_folder_name
from penult.wording import listed
from penult.written import CONFUSION, LAYERS

if TYPE_CHECKING:
    from penult.classify.settings import LayerResult, SeedRuns

__all__ = ["check_results", "refuse_existing", "write_results", "written_results"]

SCORES = "scores.json"
_NAMES = (SCORES, CONFUSION, LAYERS, HELD_OUT)


def check_results(
    directory: Path, *, overwrite: bool = False, holds: str = SCORES, name: str | None = None
) -> None:
    """Refuse a folder that `write_results` could not write to, before any work is spent.

    Parameters
    ----------
    holds : the file that it is written for
    name : of the option that it was given to, as for `penult.output_names.refuse_output_name`

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
    UsageError
        If it has the name of a file, or is the folder of a fine-tuned network.
    """
    if directory.exists() and not directory.is_dir():
        raise OutputExistsError(f"{directory} is a file; give the name of a folder to write")
    require_folder_name(directory, holds, name=name)
    if is_checkpoint_folder(directory):  # which has scores.json and classifier.skops of its own
        raise UsageError(
            f"{directory} is a fine-tuned network, whose own files this would replace; give "
            "another folder"
        )
    check_folder(directory)
    if directory.is_dir():
        refuse_existing(directory, _NAMES, overwrite=overwrite)


def refuse_existing(directory: Path, names: Iterable[str], *, overwrite: bool) -> None:
    """Refuse to write files into a folder that has them, by the name that was given: the folder's.

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
    """
    there = [name for name in names if (directory / name).is_file()]
    if there and not overwrite:
        raise OutputExistsError(
            f"{directory} has {listed(there, 3)} already; give {option('overwrite', True)} to "
            "replace what is there, or another folder"
        )
    for name in names:
        check_output(directory / name, overwrite=overwrite)


def write_results(
    directory: Path,
    scores: Scores,
    *,
    layers: Sequence[LayerResult] = (),
    chosen: str | None = None,
    runs: SeedRuns | None = None,
    normalize: bool = False,
    also: Mapping[str, Any] | None = None,
    held_out: Sequence[HeldOut] = (),
    escape_formulas: bool = False,
    overwrite: bool = False,
) -> list[Path]:
    """Write ``scores.json``, the figures of the scores and of the layers, and ``held_out.csv``.

    Parameters
    ----------
    directory : created if need be, with its parents; other files in it are left alone
    layers, chosen : of `penult.reporting.figures.charts.layers_chart`
    runs : of several seeds; with the layers in ``scores.json`` where there are any
    normalize : cells of the confusion matrix are shares of the true class's images, not counts
    also : what else ``scores.json`` is to hold, JSON-like
    held_out, escape_formulas : of `penult.reporting.held_out.write_held_out`; no table without runs
    overwrite : replace those files if they exist

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
    """
    check_results(directory, overwrite=overwrite)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise explain(error, directory) from error
    written = [directory / SCORES]
    with atomic_output(written[0], overwrite=overwrite) as partial:
        data = {**scores_to_dict(scores), **(also or {})}
        if layers:
            data["layers"] = [asdict(one) for one in layers]
        if runs is not None:
            data["runs"] = asdict(runs)
        lines = json.dumps(data, indent=1, ensure_ascii=False).split("\n")
        partial.write_text("".join(f"{escape_json(line)}\n" for line in lines), "utf-8")
    if scores.confusion:
        written.append(directory / CONFUSION)
        confusion_matrix_png(
            scores,
            written[-1],
            order=by_similarity(scores.confusion)
            if len(scores.classes) > LABEL_ORDER_UP_TO
            else None,
            normalize=normalize,
            overwrite=overwrite,
        )
    if len(layers) > 1:
        written.append(directory / LAYERS)
        multilabel = scores.mean_average_precision is not None
        score = "mean average precision" if multilabel else "accuracy"
        to_png(layers_chart(layers, chosen, score=score), written[-1], overwrite=overwrite)
    if held_out:
        written.append(directory / HELD_OUT)
        write_held_out(written[-1], held_out, escape_formulas=escape_formulas, overwrite=overwrite)
    for name in (CONFUSION, LAYERS, HELD_OUT):
        if directory / name not in written:
            (directory / name).unlink(missing_ok=True)  # of the results that are replaced
    return written


def written_results(directory: Path) -> list[Path]:
    """Return what `write_results` wrote into a folder: nothing of an earlier call stays there."""
    return [path for name in _NAMES if (path := directory / name).exists()]
