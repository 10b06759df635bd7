"""Photos with augmented views of them, in little memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from penult.images.record_list import RecordList
from penult.records import AugmentedRecord, ImageRecord

__all__ = ["RecordsWithViews"]


class RecordsWithViews(Sequence[ImageRecord]):
    """A sequence of photos, each followed by its augmented views, made when they are asked for.

    Parameters
    ----------
    photos : RecordList
    views : int array, shape (N,)
        How many each photo has.
    """

    def __init__(self, photos: RecordList, views: NDArray[np.int64]) -> None:
        self._photos = photos
        # Where each photo stands, and behind the last one the end.
        self._starts = np.concatenate([[0], np.cumsum(views + 1)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    @overload
    def __getitem__(self, position: int) -> ImageRecord: ...
    @overload
    def __getitem__(self, position: slice) -> list[ImageRecord]: ...
    def __getitem__(self, position: int | slice) -> ImageRecord | list[ImageRecord]:
        if isinstance(position, slice):
            return [self[k] for k in range(*position.indices(len(self)))]
        count = len(self)
        if not -count <= position < count:
            raise IndexError(f"image {position} of {count}")
        position %= count
        at = int(np.searchsorted(self._starts, position, "right")) - 1
        photo, view = self._photos[at], position - int(self._starts[at])
        return AugmentedRecord(photo, view) if view else photo

    def __iter__(self) -> Iterator[ImageRecord]:
        for photo, views in zip(self._photos, np.diff(self._starts).tolist(), strict=True):
            yield photo
            for view in range(1, views):
                yield AugmentedRecord(photo, view)

    def in_reading_order(self, positions: NDArray[np.intp]) -> NDArray[np.intp]:
        """Bring positions into the order in which their photos are read fastest; see `RecordList`.

        What belongs to one photo stays together.
        """
        of = np.searchsorted(self._starts, positions, "right") - 1
        photos = np.unique(of)
        ordered = self._photos.in_reading_order(photos)
        if ordered is photos:
            return positions
        ranks = np.empty(len(photos), np.intp)
        ranks[np.searchsorted(photos, ordered)] = np.arange(len(photos))
        return positions[np.argsort(ranks[np.searchsorted(photos, of)], kind="stable")]
