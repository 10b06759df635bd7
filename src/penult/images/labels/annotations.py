"""Labels, splits and groups of images, from their folders and names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from penult.errors import UsageError
from penult.texts import composed

__all__ = [
    "SPLITS",
    "Annotation",
    "ImageEntry",
    "SplitCandidate",
    "normalized",
    "source_folder",
    "split_candidates",
    "split_of_name",
]

SPLITS = {
    "train": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}
"""What a folder or a table may call a split, in any case, and what it is called here."""


class SplitCandidate(NamedTuple):
    """A folder around an image that may be a split, if it is named as one.

    Attributes
    ----------
    tree : str or None
        What the folder is at the top of; None where it is itself one of several sources.
    depth : int
        Its index in `ImageEntry.folders`.
    """

    tree: str | None
    depth: int


@dataclass(frozen=True, slots=True)
class ImageEntry:
    """What a source tells of one of its images.

    Attributes
    ----------
    id : str
        See `ImageRecord`.
    path : str or None
        The file, where there is one on this machine.
    folders : tuple of str
        The names of the folders around it, outermost first; of several sources, that of its source
        comes before them.
    candidates : tuple of SplitCandidate
        Which of the folders may be splits, outermost first.
    labels : tuple of str or None
        Those that the source itself states (a manifest's column, a label beside the image in an
        archive); None where it has no such thing.
    own_split : str or None
        The split that the source states for this image.
    container_split : str or None
        The split that the name of its manifest or archive speaks of.
    group : str or None
        As the source states it.
    """

    id: str
    path: str | None
    folders: tuple[str, ...] = ()
    candidates: tuple[SplitCandidate, ...] = ()
    labels: tuple[str, ...] | None = None
    own_split: str | None = None
    container_split: str | None = None
    group: str | None = None

    def __post_init__(self) -> None:
        # Each of its letters would be a label.
        if isinstance(self.labels, str) or isinstance(self.folders, str):
            raise UsageError(
                f"labels and folders of {self.id!r} have to be tuples of str, and one is a str; "
                'write ("daisy",)'
            )

    @property
    def split(self) -> str | None:
        """The split, as far as it is known without the folders."""
        return self.own_split or self.container_split


@dataclass(frozen=True, slots=True)
class Annotation:
    """Labels, split and group of an image; see `ImageRecord`."""

    labels: tuple[str, ...] = ()
    split: str | None = None
    group: str | None = None

    def describe(self) -> str:
        """Describe it for messages, e.g. ``daisy | wild, train``."""
        parts = [" | ".join(self.labels) or "unlabelled", self.split, self.group]
        return ", ".join(part for part in parts if part)


def normalized(labels: Iterable[str]) -> tuple[str, ...]:
    """Bring labels into one Unicode form, in which each is one class, however it was written."""
    return tuple(dict.fromkeys(map(composed, labels)))


def source_folder(prefix: str | None) -> tuple[str, ...]:
    """The source's own name as a folder around its images; only of one of several sources."""
    return (prefix.rpartition("/")[2],) if prefix else ()


def split_candidates(prefix: str | None) -> tuple[SplitCandidate, ...]:
    """The first folder below a source; of one of several sources, also the source itself."""
    if prefix:
        return SplitCandidate(None, 0), SplitCandidate(prefix, 1)
    return (SplitCandidate("", 0),)


def split_of_name(stem: str) -> str | None:
    """The one split that a file's name speaks of: ``train-00000-of-00002``, ``flowers_test``."""
    named = {SPLITS[part] for part in re.split("[^a-z]+", stem.lower()) if part in SPLITS}
    return named.pop() if len(named) == 1 else None
