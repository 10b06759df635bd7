"""The folder that fine-tuning ends in: a backbone, its head and how good both are."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from penult import output
from penult.backbones.checkpoint import save_checkpoint
from penult.backbones.checkpoint_folder import (
    CARD,
    CLASSIFIER,
    LOG,
    PART_TABLE,
    PARTS,
    PHOTOS,
    RECIPE,
    SCORES,
    STATE,
    WEIGHTS,
)
from penult.backbones.registry import open_backbone
from penult.errors import OutputError, OutputExistsError, PathNotFoundError
from penult.finetuning.curves import Curves, draw_curves
from penult.finetuning.epoch_log import write_log
from penult.finetuning.head_classifier import head_classifier
from penult.finetuning.model_card import model_card
from penult.finetuning.part_table import write_part_table
from penult.interface import option
from penult.output import atomic_text, explain, replace_file, sync_folder
from penult.scratch import sweep
from penult.suffixes import CHECKPOINT, require_suffix
from penult.written import CURVES

if TYPE_CHECKING:
    from torch import nn

    from penult.finetuning.finetuned_model import FinetunedModel
    from penult.recipe import BackboneRecipe

__all__ = ["check_folder", "write_checkpoint", "write_weights"]

# The weights come last: by them the folder is known for what it is.
_FILES = (CARD, CURVES, LOG, SCORES, PHOTOS, PART_TABLE, RECIPE, CLASSIFIER, WEIGHTS)


def check_folder(folder: Path, *, overwrite: bool = False, inputs: Iterable[Path] = ()) -> None:
    """Refuse a folder that `write_checkpoint` could not fill, before any work is spent on it.

    One that an interrupted run left, with its ``state``, is fine.

    Parameters
    ----------
    folder : Path
        The folder.
    overwrite : bool, default=False
        Whether a checkpoint that is there may be replaced.
    inputs : iterable of Path
        Files and folders that it is made from, and may not replace: a run that was killed while it
        put its files into place would have no network to go on with.

    Raises
    ------
    OutputExistsError, OutputError, PathNotFoundError
    UsageError
        If its name does not end in ``.ckpt``.
    """
    require_suffix(folder, CHECKPOINT)
    if folder.exists() and not folder.is_dir():
        raise OutputExistsError(f"{folder} is a file; give the name of a folder to write")
    if not folder.parent.is_dir():
        raise PathNotFoundError(f"{folder} cannot be written: there is no folder {folder.parent}")
    output.check_folder(folder)
    for one in inputs:
        if any(_is_same(one, place) for place in (folder, folder / WEIGHTS)):
            raise OutputExistsError(f"{folder} is what is read; give another name to write to")
    for place in (folder / name for name in _FILES):
        if place.is_dir():
            raise OutputExistsError(
                f"{place} is a folder, and a file of that name is to be written; move it away"
            )
    there = [name for name in _FILES if (folder / name).exists()]
    unfinished = WEIGHTS not in there and (folder / STATE).is_dir()
    if there and not overwrite and not unfinished and not _is_half_placed(folder):
        what = "is a checkpoint" if WEIGHTS in there else f"has a file {there[0]}"
        raise OutputExistsError(
            f"{folder} {what}; give {option('overwrite', True)} to replace it, or another name"
        )


def write_checkpoint(
    folder: Path, network: nn.Module, model: FinetunedModel, *, overwrite: bool = False
) -> Path:
    """Write a folder that ``--model`` opens and that stands where a classifier does.

    Its files are written beside one another in ``checkpoint.parts``, and put into place once all
    are whole. A folder whose files were not all put into place is refused by whatever reads it.

    Parameters
    ----------
    folder : Path
        Whose name ends in ``.ckpt``; made if need be. What else lies in it (``state``) stays.
    network : torch.nn.Module
        As the source of `model.architecture` builds it, with its classifier as it was:
        ``backbone.cut(["penultimate"]).network``.
    model : FinetunedModel
        The rest.
    overwrite : bool, default=False
        Replace a checkpoint that is there.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    OutputExistsError, OutputError, PathNotFoundError, UsageError
    """
    check_folder(folder, overwrite=overwrite)
    parts = folder / PARTS
    created = not folder.exists()
    placing = False
    try:
        folder.mkdir(exist_ok=True)
        _clear(parts)  # of what a run left that was killed
        parts.mkdir(exist_ok=True)
        _write(parts, folder, network, model)
        placing = True
        for name in _FILES:
            replace_file(parts / name, folder / name)
        parts.rmdir()
        sync_folder(folder)
    except OutputError:
        raise
    except OSError as error:
        raise explain(error, folder) from error
    finally:
        # What is only half in place keeps the rest beside it, by which it is known.
        if not placing:
            _clear(parts)
            if created and folder.is_dir() and not os.listdir(folder):  # noqa: PTH208
                folder.rmdir()
    return folder


def write_weights(file: Path, network: nn.Module, model: FinetunedModel) -> None:
    """Write the checkpoint alone, which says how it was trained.

    Raises
    ------
    OutputExistsError, OutputError
    """
    save_checkpoint(
        file,
        network,
        architecture=model.architecture,
        preprocessing=model.preprocessing,
        label_names=model.head.label_names,
        training=model.options,
    )


def _clear(parts: Path) -> None:
    for name in _FILES:
        sweep(parts, name)
        (parts / name).unlink(missing_ok=True)
    with suppress(OSError):  # there is none, or it holds what is not ours
        parts.rmdir()


def _is_half_placed(folder: Path) -> bool:
    return any((folder / PARTS / name).exists() for name in _FILES)


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):  # one of them is not there, or no path at all
        return False


def _write(parts: Path, folder: Path, network: nn.Module, model: FinetunedModel) -> None:
    write_weights(parts / WEIGHTS, network, model)
    recipe = _recipe(parts / WEIGHTS, folder)
    head_classifier(model, recipe).save(parts / CLASSIFIER)
    _write_json(parts / RECIPE, json.loads(recipe.to_json()))
    _write_json(parts / SCORES, model.summary)
    model.photos.write(parts / PHOTOS)
    write_part_table(parts / PART_TABLE, model.parts)
    summary, curves = model.summary, Curves.of(model.summary)
    write_log(parts / LOG, summary.get("epochs", []), start=summary.get("start"), kept=curves.kept)
    draw_curves(parts / CURVES, curves)
    with atomic_text(parts / CARD) as file:
        file.write(model_card(folder.name, model))


def _recipe(weights: Path, folder: Path) -> BackboneRecipe:
    """The recipe of the penultimate rows, with the names that they have in the finished folder."""
    place = folder.resolve()
    found = open_backbone(f"checkpoint:{weights}", use_cache=False).recipe("penultimate")
    return replace(found, backbone=f"checkpoint:{place}", weights=f"file:{place}")


def _write_json(path: Path, data: object) -> None:
    with atomic_text(path) as file:
        file.write(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
