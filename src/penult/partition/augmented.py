"""Augmented rows of some photos: which they are, and where they stand beside the photos' own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, overload

import numpy as np

from penult.errors import UsageError
from penult.partition.rows import BLOCK_BYTES, read_blocks, row_length
from penult.progress import announcing_late
from penult.wording import count, times

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import AugmentedRows, Features

__all__ = [
    "AugmentedViews",
    "augmented_as_rows",
    "count_views",
    "read_part",
    "read_rows_with_views",
    "read_with_views",
]


@dataclass(frozen=True, eq=False)
class AugmentedViews:
    """The augmented rows of some photos; all rows in the order photos, views.

    Attributes
    ----------
    photos : int
        Number of photos, n.
    numbers : int64 array, shape (m,)
        Rows of `Features.augmented`, ascending.
    of : int64 array, shape (m,)
        The place of each one's photo among the n.
    """

    photos: int
    numbers: NDArray[np.int64]
    of: NDArray[np.int64]

    @classmethod
    def find(cls, features: Features, chosen: NDArray[np.int64]) -> AugmentedViews:
        """Find those of the photos with these row numbers, ascending.

        Raises
        ------
        UsageError
            If the augmented rows cannot be the photos'.
        """
        if features.augmented is None:
            return cls.of_none(len(chosen))
        _require_sound(features, features.augmented)
        owners = np.asarray(features.augmented.of)
        numbers = np.flatnonzero(np.isin(owners, chosen))
        return cls(len(chosen), numbers, np.searchsorted(chosen, owners[numbers]))

    @classmethod
    def of_none(cls, photos: int) -> AugmentedViews:
        """None at all, of so many photos."""
        return cls(photos, np.empty(0, np.int64), np.empty(0, np.int64))

    def __len__(self) -> int:
        """The number of augmented rows."""
        return len(self.numbers)

    def beside(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Add to the places of some photos, ascending, those of their augmented rows."""
        return np.concatenate([places, self.photos + np.flatnonzero(np.isin(self.of, places))])


def count_views(features: Features, numbers: NDArray[np.int64]) -> int:
    """Count the augmented rows of the photos with these row numbers."""
    return len(AugmentedViews.find(features, np.sort(numbers)))


def augmented_as_rows(features: Features) -> Features:
    """Augmented rows, all of them, as others are read; what is wrong with one is said of its photo.

    Its labels and what else there is are those of the photos.
    """
    augmented = features.augmented
    assert augmented is not None
    return replace(
        features, features=augmented.features, ids=_Names(features.ids, augmented), augmented=None
    )


def read_with_views(
    features: Features,
    chosen: NDArray[np.int64],
    views: AugmentedViews,
    *,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Read the rows of some photos and then their augmented rows, as `read_blocks` does.

    Yields
    ------
    places : slice
        Places among the n photos and, from n on, their m augmented rows.
    block : float32 array, shape (b, D)
        The rows there, all finite.

    Raises
    ------
    TrainingError
        As `read_blocks` does.
    """
    yield from read_blocks(features, chosen, block_bytes=block_bytes)
    if len(views):
        augmented = augmented_as_rows(features)
        for part, block in read_blocks(augmented, views.numbers, block_bytes=block_bytes):
            yield slice(views.photos + part.start, views.photos + part.stop), block


def read_rows_with_views(
    features: Features, chosen: NDArray[np.int64]
) -> tuple[NDArray[np.float32], AugmentedViews]:
    """Read the rows of some photos, and behind them their augmented rows, into memory.

    Parameters
    ----------
    chosen : int64 array, shape (n,)
        Row numbers of the photos, ascending.

    Returns
    -------
    float32 array, shape (n + m, D)
    AugmentedViews
        Which the last m are.

    Raises
    ------
    TrainingError
        As `read_blocks` does.
    """
    views = AugmentedViews.find(features, chosen)
    rows = np.empty((len(chosen) + len(views), row_length(features)), np.float32)
    count_rows = announcing_late("reading the rows", len(rows))
    for part, block in read_with_views(features, chosen, views):
        rows[part] = block
        count_rows(part.stop)
    return rows, views


def read_part(features: Features, chosen: NDArray[np.int64]) -> Features:
    """Read the rows of some photos, and their augmented rows, into memory.

    Parameters
    ----------
    chosen : int64 array, shape (n,)
        Row numbers of the photos, ascending.

    Returns
    -------
    Features
        With float32 (n, D) rows and their ids; labels and what else there is are those of all rows.

    Raises
    ------
    TrainingError
        As `read_blocks` does.
    """
    rows, views = read_rows_with_views(features, chosen)
    augmented = features.augmented
    if augmented is not None:
        augmented = replace(
            augmented,
            features=rows[len(chosen) :],
            of=views.of,
            view=np.asarray(augmented.view)[views.numbers],
        )
    ids = [str(features.ids[k]) for k in chosen.tolist()]
    return replace(features, features=rows[: len(chosen)], ids=ids, augmented=augmented)


def _require_sound(features: Features, augmented: AugmentedRows) -> None:
    owners, rows = np.asarray(augmented.of), augmented.features
    if rows.shape != (len(owners), *features.features.shape[1:]) or len(augmented.view) != len(
        owners
    ):
        raise UsageError(
            f"augmented rows of {times(rows.shape)} for {count(len(owners), 'photo')} beside rows "
            f"of {times(features.features.shape)}; give one for each of `of` and of `view`, as "
            "long as the photos' rows"
        )
    if len(owners) and not (owners.min() >= 0 and owners.max() < len(features)):
        raise UsageError(
            f"augmented rows of the photos {owners.min()} to {owners.max()}, of "
            f"{count(len(features), 'photo')}; give places counted from 0"
        )


class _Names(Sequence[str]):
    """What an augmented row is called in a message; made when asked for."""

    def __init__(self, ids: Sequence[str], augmented: AugmentedRows) -> None:
        self._ids, self._augmented = ids, augmented

    def __len__(self) -> int:
        return len(self._augmented)

    @overload
    def __getitem__(self, place: int, /) -> str: ...
    @overload
    def __getitem__(self, place: slice, /) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice, /) -> str | Sequence[str]:
        if isinstance(place, slice):
            return [self[k] for k in range(*place.indices(len(self)))]
        photo = self._ids[int(self._augmented.of[place])]
        return f"{photo} (augmented view {int(self._augmented.view[place])})"
