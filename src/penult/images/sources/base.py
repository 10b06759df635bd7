"""What every place that holds images can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from penult.images.labels.annotations import Found
from penult.records import Failure

__all__ = ["Shelf"]


class Shelf(ABC):
    """One place that holds images: a folder, an archive, a list.

    It keeps of each image no more than the bytes that find it again: names, offsets, or nothing but
    their number. Images are numbered from 0, as `scan` finds them.

    Attributes
    ----------
    failures : what could not be read while scanning
    passed_over : extension, in lower case and with its dot, to the number of files passed over
    left_out : kind of file that penult wrote, and where, to the number of them
    is_sequential : reading its images out of order is slow
    is_remote : reading an image waits for the network
    """

    is_sequential = False
    is_remote = False

    def __init__(self) -> None:
        self.failures: list[Failure] = []
        self.passed_over: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()

    @abstractmethod
    def __len__(self) -> int:
        """How many images were found so far."""

    @abstractmethod
    def scan(self) -> Iterator[Found]:
        """Find the images; called once, before all else. They are in order of id if possible."""

    @property
    def requests(self) -> str:
        """Whom reading the images will ask, where nobody gave these addresses; or ""."""
        return ""

    @abstractmethod
    def id(self, index: int) -> str:
        """The id of an image."""

    @abstractmethod
    def open(self, index: int) -> BinaryIO:
        """Open an image's bytes; from any thread.

        Raises
        ------
        OSError, ImageError
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
        """Two images of this shelf are the same bytes at the same place."""
        return False
