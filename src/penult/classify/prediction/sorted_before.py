"""Photos that lay in the folders of classes before others are sorted into these."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

from penult.classify.prediction.copying import digest_of_file
from penult.records import ImageRecord

__all__ = ["SortedBefore"]

_NUMBER = re.compile(r" \(\d+\)(?=(\.[^.]*)?$)")


class SortedBefore:
    """What lies in a folder's folders, and in those of them, when it is made.

    What is put there later does not count, so that of two equal photos of one run neither is in
    the way of the other. Hidden folders and links to folders are passed over.

    Parameters
    ----------
    folder : Path
        Which need not be there.
    """

    def __init__(self, folder: Path) -> None:
        self._places = defaultdict[str, list[str]](list)
        if folder.is_dir():
            self._look(folder, depth=0)

    def namesakes(self, name: str) -> list[Path]:
        """List the files of a name, with a number behind it or without."""
        return [Path(one) for one in self._places.get(_without_number(name), ())]

    def find(self, record: ImageRecord, name: str, digest: str, *, but: Path) -> Path | None:
        """Find a photo by its name and its bytes.

        Parameters
        ----------
        record : ImageRecord
            The photo.
        name : str
            What it is called where photos are sorted.
        digest : str
            Of its bytes, hex BLAKE2b-128.
        but : Path
            A folder that is not looked at.

        Returns
        -------
        Path or None
            The first; None if it lies in no other folder.
        """
        others = [one for one in self.namesakes(name) if one.parent != but]
        size = _size_of(record.path) if others and record.path is not None else None
        for one in others:
            if not one.is_file() or size not in (None, _size_of(one)):
                continue  # most namesakes are told apart unread
            with suppress(OSError):
                if digest_of_file(one) == digest:
                    return one
        return None

    def _look(self, folder: Path, depth: int) -> None:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:  # into one that cannot be read, nothing was sorted
            return
        for one in entries:
            if one.is_dir(follow_symlinks=False):
                if depth < 2 and not one.name.startswith("."):
                    self._look(Path(one.path), depth + 1)
            elif depth:
                self._places[_without_number(one.name)].append(one.path)


def _size_of(path: Path) -> int | None:
    with suppress(OSError):
        return path.stat().st_size
    return None


def _without_number(name: str) -> str:
    return _NUMBER.sub("", name)
