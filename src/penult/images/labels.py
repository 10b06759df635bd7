"""What is known of an image beside its pixels, from its folders and its name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from penult.errors import UsageError

__all__ = ["SPLITS", "Found", "Known", "by_folder", "by_pattern", "unlabelled"]

SPLITS = {
    "train": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}
"""What a folder or a table may call a split, in any case, and what it is called here."""


@dataclass(frozen=True)
class Found:
    """An image file that the listing found.

    Attributes
    ----------
    id : see `ImageRecord`
    path : the file
    folders : the names of the folders around it, outermost first, without the one for the split
    split : the split that its top folder names, or None
    """

    id: str
    path: Path
    folders: tuple[str, ...]
    split: str | None


@dataclass(frozen=True)
class Known:
    """Labels, split and group of an image; see `ImageRecord`."""

    labels: tuple[str, ...] = ()
    split: str | None = None
    group: str | None = None


def unlabelled(found: Found) -> Known:
    """Know nothing but the split."""
    return Known(split=found.split)


def by_folder(found: Found) -> Known:
    """Label an image by the folder it lies in."""
    return Known(labels=found.folders[-1:], split=found.split)


def by_pattern(pattern: str) -> Callable[[Found], Known]:
    r"""Label an image by what a regular expression finds in its file name.

    Parameters
    ----------
    pattern : with a group ``label``, and if need be ``split`` and ``group``; searched for in the
        name without its extension, and if it is not there, in the whole name:
        ``(?P<label>.+)_\d+`` finds baby_shoe in baby_shoe_12.jpg

    Raises
    ------
    UsageError
        If it is no regular expression, or has no group ``label``.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UsageError(
            f"the label pattern {pattern!r} is not a regular expression: {error}"
        ) from (error)
    if "label" not in compiled.groupindex:
        raise UsageError(
            f"the label pattern {pattern!r} has no group named label; "
            r"write e.g. '(?P<label>.+)_\d+' to find baby_shoe in baby_shoe_12.jpg"
        )

    def rule(found: Found) -> Known:
        name = PurePosixPath(found.id)
        match = compiled.search(name.stem) or compiled.search(name.name)
        if match is None:
            return unlabelled(found)
        groups = match.groupdict()
        split = groups.get("split")
        return Known(
            labels=(groups["label"],) if groups["label"] else (),
            split=SPLITS.get(split.lower()) if split else found.split,
            group=groups.get("group") or None,
        )

    return rule
