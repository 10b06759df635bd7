"""Rows of several folders and files one below the other, as the file that is made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.combine.beside import Beside, trained_keys
from penult.combine.disjoint import require_disjoint, require_made_alike
from penult.features.places import rows_address
from penult.features.read import load
from penult.features.resume.ledger import rows_a_block
from penult.features.stacked import stacked
from penult.features.write import FeatureWriter
from penult.neighbors.glued_rows import GluedRows, Piece
from penult.records import AugmentedRows, Features

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Failure, ImageRecord, Rows

__all__ = ["MergedSets"]


@dataclass(frozen=True)
class MergedSets:
    """All sets of rows of folders and feature files, one below the other.

    Attributes
    ----------
    sets : list of Features
        In execution order.
    beside : Beside
        What stands beside all of them.
    """

    sets: list[Features]
    beside: Beside

    @classmethod
    def of(cls, places: Sequence[str | Path], splits: Sequence[str] | None = None) -> MergedSets:
        """Open them.

        Parameters
        ----------
        places : sequence of path
            One or more.
        splits : sequence of str, length N, optional
            In place of those that they have.

        Raises
        ------
        PathNotFoundError, FeatureFileError
        RecipeMismatchError
            If their rows were made otherwise.
        SourceError
            If an image is in two of them.
        """
        sets = _together([_Member.at(place) for place in places])
        last = sets[-1] if splits is None else replace(sets[-1], splits=list(splits))
        return cls([*sets[:-1], last], Beside.of(last))

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The images that have no row, by id."""
        return self.sets[-1].failures

    @property
    def _views(self) -> list[AugmentedRows]:
        """Rows of augmented views, of each set, where there are some."""
        return [one.augmented for one in self.sets if one.augmented is not None]

    def __len__(self) -> int:
        """The number of rows, those of augmented views included."""
        return len(self.sets[-1]) + sum(map(len, self._views[:1]))

    def writer(self, path: Path) -> FeatureWriter:
        """Begin the file."""
        last, views = self.sets[-1], self._views
        return FeatureWriter(
            path,
            [one.recipe for one in self.sets],
            self.beside.columns(sum(map(len, views[:1]))),
            last.layers,
            augmented=[one.recipe for one in views],
            dtype="float16" if last.features.dtype == np.float16 else "float32",
            origin=last.origin,
            trained_on=[trained_keys([one]) for one in self.sets],
        )

    def fill(self, writer: FeatureWriter) -> Iterator[int]:
        """Write the rows, and yield how many there are so far.

        In the blocks in which an extraction writes them, and each photo's augmented views behind
        it, since where blocks end is seen in the file.
        """
        photos, views = len(self.sets[-1]), self._views
        of = views[0].of if views else np.empty(0, np.int64)
        order = np.argsort(np.concatenate([np.arange(photos), of]), kind="stable")
        start, size = 0, 1  # how wide a row is, the first one tells
        yield 0
        while start < len(order):
            places = order[start : start + size]
            blocks = [self._block(k, places) for k in range(len(self.sets))]
            records = [self._record(int(place)) for place in places]
            digests = [self.beside.digest(k) if k < photos else "" for k in places.tolist()]
            writer.append(records, digests, blocks)
            start += len(places)
            size = rows_a_block(sum(block.nbytes for block in blocks) // len(places))
            yield start

    def _record(self, place: int) -> ImageRecord:
        photos = len(self.sets[-1])
        if place < photos:
            return self.beside.record(place)
        views, k = self._views[0], place - photos
        return self.beside.view(int(views.of[k]), int(views.view[k]))

    def _block(self, number: int, places: NDArray[np.intp]) -> NDArray[Any]:
        """Rows of one set, those of views counted on from those of photos."""
        rows, photos = self.sets[number].features, len(self.sets[-1])
        is_view = places >= photos
        if not is_view.any():
            return _taken(rows, places)
        block = np.empty((len(places), *rows.shape[1:]), rows.dtype)
        if not is_view.all():
            block[~is_view] = _taken(rows, places[~is_view])
        block[is_view] = _taken(self._views[number].features, places[is_view] - photos)
        return block


@dataclass(frozen=True)
class _Member:
    """A folder of rows, or a feature file.

    Attributes
    ----------
    place : str
    features : callable
        Opens one set of its rows by its name; the last, by None.
    unlisted : tuple of Failure
        What its listing lacked. It is no image of this folder, and may be one of another.
    """

    place: str
    features: Callable[[str | None], Features]
    unlisted: tuple[Failure, ...] = ()

    @classmethod
    def at(cls, place: str | Path) -> _Member:
        address = rows_address(place)
        if address is None:
            return cls(str(place), partial(load, place))
        from penult.features.parts.files import PartFiles
        from penult.features.parts.read import features_of

        files = PartFiles(address)
        if files.store.folder is not None:  # what is fetched is compared with its digest then
            files.require_undamaged()
        return cls(address, partial(features_of, files), files.manifest.unlisted)


def _together(members: Sequence[_Member]) -> list[Features]:
    """All sets of rows, in execution order, each of all members."""
    places = [member.place for member in members]
    last = [member.features(None) for member in members]
    require_made_alike(last, places)
    others = [[member.features(name) for member in members] for name in last[0].layers[:-1]]
    for files in others:
        require_made_alike(files, places)
    if len(members) == 1:
        return [files[0] for files in [*others, last]]
    listed = [
        replace(one, failures=tuple(f for f in one.failures if f not in member.unlisted))
        for member, one in zip(members, last, strict=True)
    ]
    require_disjoint(listed, places)
    made = _one_below_the_other(listed)
    lacking = {one.id: one for member in reversed(members) for one in member.unlisted}
    for found in (made.ids, [one.id for one in made.failures]):
        for text in found if lacking else ():
            lacking.pop(str(text), None)  # one folder lacks it, and another has it
    failures = sorted([*made.failures, *lacking.values()], key=lambda failure: failure.id)
    return [*map(_one_below_the_other, others), replace(made, failures=tuple(failures))]


def _one_below_the_other(files: Sequence[Features]) -> Features:
    """One set of rows of several members."""
    made = stacked(files, GluedRows([Piece(one.features) for one in files]))
    starts = np.cumsum([0, *map(len, files)]).tolist()
    some = [
        (start, one.augmented)
        for start, one in zip(starts, files, strict=False)
        if one.augmented is not None
    ]
    if not some:
        return made
    return replace(
        made,
        augmented=AugmentedRows(
            features=GluedRows([Piece(one.features) for _, one in some]),
            of=np.concatenate([one.of + start for start, one in some]),
            view=np.concatenate([one.view for _, one in some]),
            recipe=some[0][1].recipe,
        ),
    )


def _taken(rows: Rows, places: NDArray[np.intp]) -> NDArray[Any]:
    """Rows at some places: as a slice where they are consecutive, which costs less by far."""
    first, stop = int(places[0]), int(places[-1]) + 1
    if stop - first == len(places) and (np.diff(places) == 1).all():
        return rows[first:stop]
    return rows[places]
