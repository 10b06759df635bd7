"""What is known of an image beside its pixels, from its folders and its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

from penult.errors import UsageError
from penult.texts import composed

__all__ = [
    "SPLITS",
    "Found",
    "Known",
    "Top",
    "by_pattern",
    "by_source",
    "one_form",
    "own_name",
    "split_of_name",
    "tops_of",
    "unlabelled",
]

SPLITS = {
    "train": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}
"""What a folder or a table may call a split, in any case, and what it is called here."""


class Top(NamedTuple):
    """A place among the folders around an image where one that is named as a split may be one.

    Attributes
    ----------
    tree : what the folder is at the top of; None where it is itself one of several sources
    at : its index in `Found.folders`
    """

    tree: str | None
    at: int


@dataclass(frozen=True, slots=True)
class Found:
    """An image that the listing found.

    Attributes
    ----------
    id : see `ImageRecord`
    path : the file, where there is one on this machine
    folders : the names of the folders around it, outermost first; of several sources, that of its
        source comes before them
    tops : which of them may be splits, outermost first
    labels : those that the source itself states (a manifest's column, a label beside the image in
        an archive); None where it has no such thing
    stated : the split that the source states of this image, or None
    around : the split that the name of its list or archive speaks of, or None
    group : as the source states it
    """

    id: str
    path: str | None
    folders: tuple[str, ...] = ()
    tops: tuple[Top, ...] = ()
    labels: tuple[str, ...] | None = None
    stated: str | None = None
    around: str | None = None
    group: str | None = None

    @property
    def split(self) -> str | None:
        """The split, as far as it is known without the folders."""
        return self.stated or self.around


@dataclass(frozen=True, slots=True)
class Known:
    """Labels, split and group of an image; see `ImageRecord`."""

    labels: tuple[str, ...] = ()
    split: str | None = None
    group: str | None = None

    def in_words(self) -> str:
        """For messages: ``daisy | wild, train``."""
        words = [" | ".join(self.labels) or "unlabelled", self.split, self.group]
        return ", ".join(word for word in words if word)


def one_form(labels: Iterable[str]) -> tuple[str, ...]:
    """The labels in one Unicode form, in which each is one class, however it was written."""
    return tuple(dict.fromkeys(map(composed, labels)))


def own_name(prefix: str | None) -> tuple[str, ...]:
    """The source's own name among the folders around its images: only of one of several sources."""
    return (prefix.rpartition("/")[2],) if prefix else ()


def tops_of(prefix: str | None) -> tuple[Top, ...]:
    """The first folder below a source; of one of several sources, also the source itself."""
    return (Top(None, 0), Top(prefix, 1)) if prefix else (Top("", 0),)


def split_of_name(stem: str) -> str | None:
    """The one split that a file's name speaks of: ``train-00000-of-00002``, ``flowers_test``."""
    named = {SPLITS[word] for word in re.split("[^a-z]+", stem.lower()) if word in SPLITS}
    return named.pop() if len(named) == 1 else None


def unlabelled(found: Found) -> Known:
    """Know nothing but the split and the group."""
    return Known(split=found.split, group=found.group)


def by_source(found: Found) -> Known:
    """Label an image as its source says, or else by the folder it lies in."""
    labels = found.folders[-1:] if found.labels is None else found.labels
    return Known(labels, found.split, found.group)


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
        compiled = re.compile(composed(pattern))
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
        name = PurePosixPath(composed(found.id))
        match = compiled.search(name.stem) or compiled.search(name.name)
        if match is None:
            return unlabelled(found)
        groups = match.groupdict()
        split = groups.get("split")
        return Known(
            labels=(groups["label"],) if groups["label"] else (),
            split=SPLITS.get(split.lower()) if split else found.split,
            group=groups.get("group") or found.group,
        )

    return rule
