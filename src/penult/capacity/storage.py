"""What an image takes beside its row: in a feature file, and in the listing."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import BinaryIO

from penult.features.estimate import estimate_bytes
from penult.images.labels.annotations import Annotation, ImageEntry
from penult.images.record_list import RecordList
from penult.images.sources.base import ImageSource
from penult.recipe import Recipe
from penult.records import ImageRecord
from penult.texts import FileNames

__all__ = ["bytes_beside_rows", "bytes_of_listing"]

_FILE = 4_096
_LISTING = 10_000


def bytes_beside_rows(
    records: Sequence[ImageRecord],
    recipes: Sequence[Recipe],
    shapes: Sequence[tuple[int, ...]],
    names: Sequence[str],
) -> tuple[float, int]:
    """Measure what a feature file has beside its rows.

    Parameters
    ----------
    records : sequence of ImageRecord
        With ids and labels as those will have that are to come.
    recipes, shapes, names : sequences
        As for `estimate_bytes`.

    Returns
    -------
    an_image : float
        Bytes: id, label, digest.
    fixed : int
        Bytes that a file has, however many images.
    """

    def size(images: int) -> int:
        cycled = [records[k % len(records)] for k in range(images)]
        return estimate_bytes(cycled, recipes, shapes, names=names)

    few, many = size(_FILE), size(2 * _FILE)
    an_image = (many - few) / _FILE
    row = 4 * sum(map(prod, shapes))
    return max(0.0, an_image - row), max(0, round(few - _FILE * an_image))


def bytes_of_listing(ids: Sequence[str]) -> float:
    """Measure the memory of a listing of a folder, an image.

    Parameters
    ----------
    ids : sequence of str
        As long as those that are to come.
    """
    tracing = tracemalloc.is_tracing()
    if not tracing:
        tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        listing = RecordList()
        listing.add(_Names(ids), lambda entry: Annotation())
        return (tracemalloc.get_traced_memory()[0] - before) / len(listing)
    finally:
        if not tracing:
            tracemalloc.stop()


class _Names(ImageSource):
    """Many images of the lengths of some ids; keeps of each what a folder's source keeps."""

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__()
        self._ids, self._names = ids, FileNames()

    def __len__(self) -> int:
        return len(self._names)

    def scan(self) -> Iterator[ImageEntry]:
        for k in range(_LISTING):
            name = self._ids[k % len(self._ids)]
            self._names.append(name.encode("utf-8", "backslashreplace"))
            yield ImageEntry(name, None)

    def id(self, index: int) -> str:
        return self._names[index]

    def opener(self, index: int) -> Callable[[], BinaryIO]:
        raise NotImplementedError

    def place(self, index: int) -> str:
        return self.id(index)
