"""The images that were listed, in little memory."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from itertools import pairwise
from typing import overload

import numpy as np
from numpy.typing import NDArray

from penult.errors import SourceError
from penult.images.labels.annotations import Annotation, ImageEntry, normalized
from penult.images.labels.split_folders import PendingAnnotation
from penult.images.sources.base import ImageSource
from penult.records import ImageRecord
from penult.texts import Numbers, Texts, composed

__all__ = ["RecordList"]

_SORT_BYTES = 1 << 20


_FEW = 3


class RecordList(Sequence[ImageRecord]):
    """A sequence that makes each `ImageRecord` when it is asked for.

    What is kept of an image is what its source keeps, and some 12 bytes.

    Attributes
    ----------
    replaced : list of str
        Where the images are whose places others of the same id take, once they are sorted.
    """

    def __init__(self) -> None:
        self.replaced: list[str] = []
        self._sources: list[ImageSource] = []
        self._starts: list[int] = []
        # Distinct annotations, without their groups; and of each image, the number of its own.
        self._annotations: list[Annotation | PendingAnnotation] = []
        self._annotation_numbers: dict[Annotation | PendingAnnotation, int] = {}
        self._numbers = Numbers("i")
        self._spellings: dict[str, set[str]] = {}
        self._groups: Texts | None = None
        self._order: NDArray[np.int64] | None = None  # None: as they were listed
        self._last: str | None = None
        self._is_sorted = True

    def add(
        self, source: ImageSource, rule: Callable[[ImageEntry], Annotation | PendingAnnotation]
    ) -> None:
        """Scan a source and add its images, each with the annotation that `rule` gives it."""
        self._sources.append(source)
        self._starts.append(len(self._numbers))
        for entry in source.scan():
            annotation = rule(entry)
            group = annotation.group or ""
            self._require_text(entry.id, group)
            if group:
                annotation = replace(annotation, group=None)
            if self._last is not None and entry.id <= self._last:
                self._is_sorted = False
            self._last = entry.id
            if group and self._groups is None:
                self._groups = Texts()
                for _ in self._numbers:
                    self._groups.append(b"")
            number = self._annotation_numbers.setdefault(annotation, len(self._annotations))
            if number == len(self._annotations):
                self._annotations.append(self._normalized(annotation))
            self._numbers.append(number)
            if self._groups is not None:
                self._groups.append(composed(group).encode())

    def _normalized(
        self, annotation: Annotation | PendingAnnotation
    ) -> Annotation | PendingAnnotation:
        """The same with its labels in one Unicode form."""
        if isinstance(annotation, PendingAnnotation):
            return replace(
                annotation,
                if_split=self._with_normalized_labels(annotation.if_split),
                if_class=self._with_normalized_labels(annotation.if_class),
            )
        return self._with_normalized_labels(annotation)

    def _with_normalized_labels(self, annotation: Annotation) -> Annotation:
        self._require_text(*annotation.labels)
        for label in annotation.labels:
            self._spellings.setdefault(composed(label), set()).add(label)
        return replace(annotation, labels=normalized(annotation.labels))

    @property
    def merged(self) -> list[str]:
        """Labels that were written in several Unicode forms, and are one class each."""
        return sorted(label for label, forms in self._spellings.items() if len(forms) > 1)

    def _require_text(self, *texts: str) -> None:
        """Refuse what no file can hold, before anything is computed."""
        for text in texts:
            try:
                text.encode()
                reason = "a NUL character" if "\0" in text else ""
            except UnicodeEncodeError:
                reason = "half of a character"
            if reason:
                place = self._sources[-1].place(len(self._numbers) - self._starts[-1])
                raise SourceError(f"{place}: {text!a} holds {reason}; correct it")

    def counts(self) -> Iterator[tuple[Annotation | PendingAnnotation, int]]:
        """Each distinct annotation, and how many images have it."""
        numbers = np.asarray(self._numbers)
        return zip(self._annotations, np.bincount(numbers).tolist(), strict=True)

    def annotations(self) -> Iterator[Annotation]:
        """Each distinct annotation of the images that are shown, once splits are known.

        Without their groups; `has_groups` says whether there are some.
        """
        numbers = np.asarray(self._numbers)
        shown = numbers if self._order is None else numbers[self._order]
        for number in np.unique(shown):
            one = self._annotations[number]
            yield one if isinstance(one, Annotation) else one.resolve()

    @property
    def has_groups(self) -> bool:
        """Whether some image has a group."""
        if self._groups is None:
            return False
        order = range(len(self._groups)) if self._order is None else self._order.tolist()
        return any(self._groups.raw(k) for k in order)

    def unlabelled(self) -> tuple[int, list[str]]:
        """How many images have no label, and the ids of the first few; once splits are known."""
        resolved = (a if isinstance(a, Annotation) else a.resolve() for a in self._annotations)
        without = [number for number, annotation in enumerate(resolved) if not annotation.labels]
        numbers = np.asarray(self._numbers)
        at = np.flatnonzero(
            np.isin(numbers if self._order is None else numbers[self._order], without)
        )
        return len(at), [self._id(self._index(int(k))) for k in at[:_FEW]]

    def ids(self) -> Iterator[str]:
        """The ids, in order; faster than to make the records."""
        return (self._id(self._index(position)) for position in range(len(self)))

    def sort(self) -> None:
        """Bring them into the order of their ids, once all are added.

        Raises
        ------
        SourceError
            If two have one id, and are not the same image with the same labels.
        """
        if self._is_sorted:
            return
        self._order, repeats = self._argsort()
        if not len(repeats):
            return
        keep, previous = np.ones(len(self._order), bool), -1
        for k in repeats.tolist():
            # Each is compared with the first of its id, or with that which took its place.
            previous = previous if not keep[k - 1] else k - 1
            is_later = self._takes_the_place(int(self._order[previous]), int(self._order[k]))
            keep[previous if is_later else k] = False
        self._order = self._order[keep]

    def _takes_the_place(self, first: int, second: int) -> bool:
        """Whether the second counts in place of the first; else they have to be the same."""
        (one, i), (other, j) = self._locate(first), self._locate(second)
        later = one.later(i, j) if one is other else None
        if later is None:
            self._require_same(first, second)
            return False
        self.replaced.append(one.place(i if later == j else j))
        return later == j

    def _require_same(self, first: int, second: int) -> None:
        (one, i), (other, j) = self._locate(first), self._locate(second)
        name, places = one.id(i), (one.place(i), other.place(j))
        if one is not other or not one.is_same(i, j):
            raise SourceError(f"{places[0]} and {places[1]} have the same id {name!r}; rename one")
        annotations = self._annotation(first), self._annotation(second)
        if annotations[0] != annotations[1]:
            raise SourceError(
                f"{places[1]}: {name} is {annotations[1].describe()}, but {places[0]} says "
                f"{annotations[0].describe()}"
            )

    def reordered(self, order: NDArray[np.int64]) -> RecordList:
        """Show them in another order, or a part of them."""
        other = copy(self)
        other._order = order if self._order is None else self._order[order]
        return other

    def in_reading_order(self, positions: NDArray[np.intp]) -> NDArray[np.intp]:
        """Bring positions into the order in which their images are read fastest."""
        if self._order is None or not any(source.is_sequential for source in self._sources):
            return positions
        return positions[np.argsort(self._order[positions], kind="stable")]

    def position(self, image_id: str) -> int | None:
        """Where an id is in a sorted listing, or None."""
        at = bisect_left(range(len(self)), image_id, key=lambda k: self._id(self._index(k)))
        return at if at < len(self) and self._id(self._index(at)) == image_id else None

    @property
    def is_remote(self) -> bool:
        """Reading some of the images waits for the network."""
        return any(source.is_remote for source in self._sources)

    def __len__(self) -> int:
        return len(self._numbers) if self._order is None else len(self._order)

    @overload
    def __getitem__(self, position: int) -> ImageRecord: ...
    @overload
    def __getitem__(self, position: slice) -> RecordList: ...
    def __getitem__(self, position: int | slice) -> ImageRecord | RecordList:
        if isinstance(position, slice):
            return self.reordered(np.arange(*position.indices(len(self))))
        count = len(self)
        if not -count <= position < count:
            raise IndexError(f"image {position} of {count}")
        index = self._index(position % count)
        source, at = self._locate(index)
        annotation = self._annotation(index)
        return ImageRecord(
            id=source.id(at),
            open=source.opener(at),
            labels=annotation.labels,
            split=annotation.split,
            group=annotation.group,
            path=source.path(at),
            stamp=source.stamp(at),
            named_in=source.named_in,
        )

    def _index(self, position: int) -> int:
        return position if self._order is None else int(self._order[position])

    def _locate(self, index: int) -> tuple[ImageSource, int]:
        number = bisect_right(self._starts, index) - 1
        return self._sources[number], index - self._starts[number]

    def _id(self, index: int) -> str:
        source, at = self._locate(index)
        return source.id(at)

    def _annotation(self, index: int) -> Annotation:
        annotation = self._annotations[self._numbers[index]]
        if isinstance(annotation, PendingAnnotation):
            annotation = annotation.resolve()
        group = self._groups[index] if self._groups is not None else ""
        return replace(annotation, group=group) if group else annotation

    def _argsort(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Sort by id, as strings are sorted: UTF-8 keeps the order of code points.

        Returns
        -------
        order : int64 array, shape (n,)
        repeats : int64 array
            Where in that order an id is the one before once more.
        """
        keys, count = Texts(), len(self._numbers)
        for k in range(count):
            keys.append(self._key(k))
        lengths = keys.lengths()
        width = int(lengths.max())
        if width * count > 4 * lengths.sum() + _SORT_BYTES:  # some id is very long
            order = np.array(sorted(range(count), key=keys.raw), dtype=np.int64)
            same = [keys.raw(a) == keys.raw(b) for a, b in pairwise(order.tolist())]
            return order, np.flatnonzero(same) + 1
        table = np.empty(count, f"S{width}")
        for k in range(count):
            table[k] = keys.raw(k)
        order = np.argsort(table, kind="stable")
        table = table[order]
        return order, np.flatnonzero(table[1:] == table[:-1]) + 1

    def _key(self, index: int) -> bytes:
        return self._id(index).encode("utf-8", "surrogatepass")
