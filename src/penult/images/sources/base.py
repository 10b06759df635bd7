"""The contract of a source of images, and of a kind of sources."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from penult.images.labels.annotations import ImageEntry, SplitCandidate
from penult.records import Failure

__all__ = [
    "ImageSource",
    "SourceArgument",
    "SourceKind",
    "SourceLocation",
    "SourceOptions",
    "extension_of",
]

SourceArgument = str | Path
"""What a user gives as images: a path, an address, or ``-`` for standard input."""


class ImageSource(ABC):
    """A place that holds images: a folder, an archive, a manifest.

    It keeps of each image no more than the bytes that find it again: names, offsets, or nothing but
    their number. Images are numbered from 0, in the order in which `scan` lists them.

    Attributes
    ----------
    failures : list of Failure
        What could not be read while scanning.
    passed_over : Counter
        Extension, in lower case and with its dot, to the number of files passed over.
    left_out : Counter
        Kind of file that penult wrote, and where, to the number of them.
    labels_apart : Counter
        Archive to the number of label files in it that do not stand next to their images.
    archives : list of (path or address, str)
        Files found beside images that may be sources themselves, with their paths from this source;
        they are opened where it holds no image.
    is_sequential : bool
        Whether reading images out of order is slow.
    is_remote : bool
        Whether reading an image waits for the network.
    named_in : str or None
        The CSV file that names its images, where there is one: ``labels`` takes such a file as
        well.
    """

    is_sequential = False
    is_remote = False
    named_in: str | None = None

    def __init__(self) -> None:
        self.failures: list[Failure] = []
        self.passed_over: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self.labels_apart: Counter[str] = Counter()
        self.archives: list[tuple[SourceArgument, str]] = []

    @abstractmethod
    def __len__(self) -> int:
        """How many images were listed so far."""

    @abstractmethod
    def scan(self) -> Iterator[ImageEntry]:
        """List the images; called once, before all else. They are in order of id if possible."""

    @property
    def requests(self) -> str:
        """Whom reading the images will ask, where nobody gave these addresses; or ""."""
        return ""

    @abstractmethod
    def id(self, index: int) -> str:
        """The id of an image."""

    @abstractmethod
    def opener(self, index: int) -> Callable[[], BinaryIO]:
        """Return what opens an image's bytes, from any thread.

        It can be pickled, holds nothing that is open, and opens what it needs in the process that
        calls it. It raises OSError or ImageError.

        Parameters
        ----------
        index : int
            The image's number.

        Returns
        -------
        callable
            Without arguments, to a binary file.
        """

    def path(self, index: int) -> Path | None:
        """The file, where the image has one of its own on this machine."""
        return None

    def stamp(self, index: int) -> Any:
        """What tells cheaply, as JSON, that an image without a file is still the same."""
        return None

    @abstractmethod
    def place(self, index: int) -> str:
        """Where an image is, for messages."""

    def is_same(self, first: int, second: int) -> bool:
        """Whether two images of this source are the same bytes at the same place."""
        return False

    def later(self, first: int, second: int) -> int | None:
        """Which of two images of one id takes the place of the other; None if neither does."""
        return None


@dataclass(frozen=True)
class SourceOptions:
    """How sources are opened.

    Attributes
    ----------
    ignored : frozenset of str
        Real paths that are not looked at.
    label_column : str or None
        The column of a source that states the labels; "" for the usual one, None for none.
    offline : bool
        Whether to refuse what is on the network.
    archive_extensions : frozenset of str
        Extensions of files in a folder that may be sources themselves.
    path_column : str or None
        The column of a list that names the images; None for the usual one.
    labels_by_folder : bool
        Whether an image has the label of its folder, so that photos which penult set aside are
        examples of none.
    """

    ignored: frozenset[str] = frozenset()
    label_column: str | None = ""
    offline: bool = False
    archive_extensions: frozenset[str] = frozenset()
    path_column: str | None = None
    labels_by_folder: bool = False


@dataclass(frozen=True)
class SourceLocation:
    """Where a source is, and what is around it.

    Attributes
    ----------
    argument : path or str
        Its path or address.
    prefix : str or None
        Begins the ids of its images; None for an only source.
    folders : tuple of str
        Names of the folders around an archive that was found in a folder.
    candidates : tuple of SplitCandidate
        Which of these may be splits.
    in_folder : bool
        Whether it was found in a folder, and not given by itself.
    """

    argument: SourceArgument
    prefix: str | None
    folders: tuple[str, ...] = ()
    candidates: tuple[SplitCandidate, ...] = ()
    in_folder: bool = False


@dataclass(frozen=True)
class SourceKind:
    """A kind of sources; `penult.images.sources.open.KINDS` lists them all.

    Attributes
    ----------
    matches : callable
        Whether an argument is of this kind.
    open : callable
        Opens the source at a location, or several, none scanned yet; no source where an archive in
        a folder turns out to be none. It raises SourceError.
    archive_extension : str
        Files in a folder with this extension are of this kind, and opened where the folder holds no
        image file; "" for none.
    has_label_column : bool
        Whether its sources may have a column, or the like, for labels.
    """

    matches: Callable[[SourceArgument], bool]
    open: Callable[[SourceLocation, SourceOptions], Iterable[ImageSource]]
    archive_extension: str = ""
    has_label_column: bool = False


def extension_of(argument: SourceArgument) -> str:
    """The extension of a path or an address, in lower case and with its dot."""
    return os.path.splitext(str(argument))[1].lower()  # noqa: PTH122 - may be an address
