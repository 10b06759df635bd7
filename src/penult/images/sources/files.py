"""Image files that were given one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

from penult.images.files import open_regular
from penult.images.labels.annotations import ImageEntry
from penult.images.sources.base import ImageSource

__all__ = ["FilesSource"]


class FilesSource(ImageSource):
    """Files that were given one by one, each with its id."""

    def __init__(self, files: Sequence[tuple[str, Path]]) -> None:
        super().__init__()
        self._files = sorted(files)

    def __len__(self) -> int:
        return len(self._files)

    def scan(self) -> Iterator[ImageEntry]:
        """List the files: one given by itself is an image, whatever its name."""
        return (ImageEntry(name, str(path)) for name, path in self._files)

    def id(self, index: int) -> str:
        """As it was given."""
        return self._files[index][0]

    def path(self, index: int) -> Path:
        """The file."""
        return self._files[index][1]

    def opener(self, index: int) -> Callable[[], BinaryIO]:
        """Open the file."""
        return partial(open_regular, self.path(index))

    def place(self, index: int) -> str:
        """The file's path."""
        return repr(str(self.path(index)))
