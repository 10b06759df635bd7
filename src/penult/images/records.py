"""The images that were listed, in little memory."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from functools import partial
from typing import overload

import numpy as np
from numpy.typing import NDArray

from penult.errors import SourceError
from penult.images.labels.annotations import Found, Known, one_form
from penult.images.labels.split_folders import Undecided
from penult.images.sources.base import Shelf
from penult.records import ImageRecord
from penult.texts import Texts, composed

__all__ = ["Records"]

_PLENTY = 1 << 20


class Records(Sequence[ImageRecord]):
    """A sequence that makes each `ImageRecord` when it is asked for.

    What is kept of an image is what its shelf keeps, and some 12 bytes.
    """

    def __init__(self) -> None:
        self._shelves: list[Shelf] = []
        self._starts: list[int] = []
        self._kinds: list[Known | Undecided] = []  # each different one once, without its group
        self._kind_numbers: dict[Known | Undecided, int] = {}
        self._numbers = array("i")  # of each image, that of its kind
        self._spellings: dict[str, set[str]] = {}
        self._groups: Texts | None = None
        self._order: NDArray[np.int64] | None = None  # None: as they were found
        self._last: str | None = None
        self._is_sorted = True

    def add(
        self,
        shelf: Shelf,
        found: Iterable[Found],
        rule: Callable[[Found], Known | Undecided],
    ) -> None:
        """Add the images of a shelf as it finds them; what `rule` knows of each is kept."""
        self._shelves.append(shelf)
        self._starts.append(len(self._numbers))
        for image in found:
            kind = rule(image)
            group = kind.group or ""
            self._require_text(image.id, group)
            if group:
                kind = replace(kind, group=None)
            if self._last is not None and image.id <= self._last:
                self._is_sorted = False
            self._last = image.id
            if group and self._groups is None:
                self._groups = Texts()
                for _ in self._numbers:
                    self._groups.append(b"")
            number = self._kind_numbers.setdefault(kind, len(self._kinds))
            if number == len(self._kinds):
                self._kinds.append(self._composed(kind))
            self._numbers.append(number)
            if self._groups is not None:
                self._groups.append(composed(group).encode())

    def _composed(self, kind: Known | Undecided) -> Known | Undecided:
        """The same with its labels in one Unicode form."""
        if isinstance(kind, Undecided):
            as_split, as_class = self._one_form(kind.as_split), self._one_form(kind.as_class)
            return replace(kind, as_split=as_split, as_class=as_class)
        return self._one_form(kind)

    def _one_form(self, known: Known) -> Known:
        self._require_text(*known.labels)
        for label in known.labels:
            self._spellings.setdefault(composed(label), set()).add(label)
        return replace(known, labels=one_form(known.labels))

    @property
    def merged(self) -> list[str]:
        """Labels that were written in several Unicode forms, and are one class each."""
        return sorted(label for label, written in self._spellings.items() if len(written) > 1)

    def _require_text(self, *texts: str) -> None:
        """Refuse what no file can hold, before anything is computed."""
        for text in texts:
            try:
                text.encode()
                reason = "a NUL character" if "\0" in text else ""
            except UnicodeEncodeError:
                reason = "half of a character"
            if reason:
                place = self._shelves[-1].place(len(self._numbers) - self._starts[-1])
                raise SourceError(f"{place}: {text!a} holds {reason}; correct it")

    def counts(self) -> Iterator[tuple[Known | Undecided, int]]:
        """Each different thing that is known of an image, and of how many."""
        numbers = np.frombuffer(self._numbers, self._numbers.typecode)
        return zip(self._kinds, np.bincount(numbers).tolist(), strict=True)

    def sort(self) -> None:
        """Bring them into the order of their ids, once all are added.

        Raises
        ------
        SourceError
            If two have one id, and are not the same image with the same labels.
        """
        if self._is_sorted:
            return
        self._order = self._argsort()
        keep, previous = np.ones(len(self._order), bool), 0
        for k in range(1, len(self._order)):
            if self._id(self._order[k]) != self._id(self._order[previous]):
                previous = k
            else:
                self._require_same(int(self._order[previous]), int(self._order[k]))
                keep[k] = False
        if not keep.all():
            self._order = self._order[keep]

    def _require_same(self, first: int, second: int) -> None:
        (one, i), (other, j) = self._where(first), self._where(second)
        name, places = one.id(i), (one.place(i), other.place(j))
        if one is not other or not one.is_same(i, j):
            raise SourceError(f"{places[0]} and {places[1]} have the same id {name!r}; rename one")
        known, new = self._known(first), self._known(second)
        if known != new:
            raise SourceError(
                f"{places[1]}: {name} is {new.in_words()}, but {places[0]} says {known.in_words()}"
            )

    def reordered(self, order: NDArray[np.int64]) -> Records:
        """Show them in another order, or a part of them."""
        other = copy(self)
        other._order = order if self._order is None else self._order[order]
        return other

    def in_reading_order(self, positions: NDArray[np.intp]) -> NDArray[np.intp]:
        """Bring positions into the order in which their images are read fastest."""
        if self._order is None or not any(shelf.is_sequential for shelf in self._shelves):
            return positions
        return positions[np.argsort(self._order[positions], kind="stable")]

    def position(self, image_id: str) -> int | None:
        """Where an id is in a sorted listing, or None."""
        at = bisect_left(range(len(self)), image_id, key=lambda k: self._id(self._index(k)))
        return at if at < len(self) and self._id(self._index(at)) == image_id else None

    @property
    def is_remote(self) -> bool:
        """Reading some of the images waits for the network."""
        return any(shelf.is_remote for shelf in self._shelves)

    def __len__(self) -> int:
        return len(self._numbers) if self._order is None else len(self._order)

    @overload
    def __getitem__(self, position: int) -> ImageRecord: ...
    @overload
    def __getitem__(self, position: slice) -> Records: ...
    def __getitem__(self, position: int | slice) -> ImageRecord | Records:
        if isinstance(position, slice):
            return self.reordered(np.arange(*position.indices(len(self))))
        count = len(self)
        if not -count <= position < count:
            raise IndexError(f"image {position} of {count}")
        index = self._index(position % count)
        shelf, at = self._where(index)
        known = self._known(index)
        return ImageRecord(
            id=shelf.id(at),
            open=partial(shelf.open, at),
            labels=known.labels,
            split=known.split,
            group=known.group,
            path=shelf.path(at),
            stamp=shelf.stamp(at),
        )

    def _index(self, position: int) -> int:
        return position if self._order is None else int(self._order[position])

    def _where(self, index: int) -> tuple[Shelf, int]:
        number = bisect_right(self._starts, index) - 1
        return self._shelves[number], index - self._starts[number]

    def _id(self, index: int) -> str:
        shelf, at = self._where(index)
        return shelf.id(at)

    def _known(self, index: int) -> Known:
        kind = self._kinds[self._numbers[index]]
        known = kind.decided() if isinstance(kind, Undecided) else kind
        group = self._groups[index] if self._groups is not None else ""
        return replace(known, group=group) if group else known

    def _argsort(self) -> NDArray[np.int64]:
        """Sort by id, as strings are sorted: UTF-8 keeps the order of code points."""
        count = len(self._numbers)
        lengths = np.fromiter((len(self._key(k)) for k in range(count)), np.int64, count)
        width = int(lengths.max())
        if width * count > 4 * lengths.sum() + _PLENTY:  # some id is very long
            return np.array(sorted(range(count), key=self._key), dtype=np.int64)
        keys = np.empty(count, f"S{width}")
        for k in range(count):
            keys[k] = self._key(k)
        return np.argsort(keys, kind="stable")

    def _key(self, index: int) -> bytes:
        return self._id(index).encode("utf-8", "surrogatepass")
