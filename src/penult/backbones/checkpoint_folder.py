"""The folder in which fine-tuning keeps a network with its head, as far as one is known for it."""

from __future__ import annotations

import os
from pathlib import Path

from penult.errors import FileFormatError
from penult.file_kinds import RECIPE, WEIGHTS
from penult.interface import command, option
from penult.suffixes import CHECKPOINT
from penult.wording import listed

__all__ = [
    "CARD",
    "CLASSIFIER",
    "LOG",
    "PARTS",
    "PART_TABLE",
    "PHOTOS",
    "RECIPE",
    "SCORES",
    "STATE",
    "WEIGHTS",
    "is_checkpoint_folder",
    "is_unfinished",
    "require_whole",
    "weights_file",
]

CLASSIFIER = "classifier.skops"
SCORES, CARD, LOG, PHOTOS = "scores.json", "model_card.md", "log.csv", "photos.json"
PART_TABLE = "parts.csv"

PARTS = "checkpoint.parts"
"""Where its files are while they are written."""

STATE = "state"
"""Where a run that has not ended keeps what it goes on from."""


def is_checkpoint_folder(path: str | os.PathLike[str]) -> bool:
    """Whether it is a folder with a network's weights in it, under the name that they have there.

    Parameters
    ----------
    path : path
        Which may be no path at all.
    """
    # False where no file can have that name, unlike Path.is_file.
    return os.path.isfile(os.path.join(path, WEIGHTS))  # noqa: PTH113, PTH118


def is_unfinished(path: str | os.PathLike[str]) -> bool:
    """Whether it is a folder with what a fine-tuning keeps that has not ended.

    Parameters
    ----------
    path : path
        Which may be no path at all.
    """
    named_so = Path(path).suffix.lower() in CHECKPOINT.suffixes
    return named_so and os.path.isdir(os.path.join(path, STATE))  # noqa: PTH112, PTH118


def weights_file(path: Path) -> Path:
    """Find the file of weights: in a folder, the one that is there or would be."""
    return path / WEIGHTS if path.is_dir() else path


def require_whole(folder: Path) -> None:
    """Refuse a folder that was not written to its end, or from which a file is gone.

    Raises
    ------
    FileFormatError
        Says what to type.
    """
    missing = [name for name in (WEIGHTS, RECIPE, CLASSIFIER) if not (folder / name).is_file()]
    parts = folder / PARTS
    if parts.is_dir() and any(parts.iterdir()):
        why = f"{PARTS} in it was not put into place"
    elif missing and (folder / STATE).is_dir():
        why = "its fine-tuning has not ended"
    elif not missing:
        return
    elif WEIGHTS in missing:
        raise FileFormatError(
            f"{folder} is a folder without {WEIGHTS}, and so no checkpoint; "
            f"{command('finetune', 'IMAGES', output='NAME.ckpt')} makes one"
        )
    else:
        raise FileFormatError(
            f"{folder} is no whole checkpoint: {listed(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not there; copy the folder again"
        )
    again = f" and {option('resume', True)}" if (folder / STATE).is_dir() else ""
    raise FileFormatError(
        f"{folder} is no whole checkpoint: {why}; type its {command('finetune')} again with "
        f"the same options{again}"
    )
