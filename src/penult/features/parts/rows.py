"""Rows that lie in several files, read where they are taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.features.parts.files import PartFiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.features.parts.open_part import OpenPart
    from penult.recipe import Recipe
    from penult.records import Rows

__all__ = ["RowsInParts"]

_DENSE = 8  # where one row in so many is taken, all between them are read


class RowsInParts:
    """The rows of one set, one part after the other; to be sliced as an array or an h5py dataset.

    Parameters
    ----------
    files : PartFiles
    name : str
        Of the set.
    counts : sequence of int
        How many rows each part has.
    shape : tuple of int
        Of one row.
    dtype : of their numbers
    recipe : Recipe
        How they were made.
    augmented : bool
        Whether they are those of augmented views.
    """

    def __init__(
        self,
        files: PartFiles,
        name: str,
        counts: Sequence[int],
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        recipe: Recipe,
        *,
        augmented: bool = False,
    ) -> None:
        self._files, self._name, self._augmented = files, name, augmented
        self._starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        self.shape = (int(self._starts[-1]), *shape)
        self.dtype, self.recipe = dtype, recipe
        self.named = files.address

    @property
    def file_name(self) -> str:
        """Of the folder, without where it lies, which is nobody's business."""
        return PurePosixPath(self.named.replace("\\", "/")).name

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return (self[k] for k in range(len(self)))

    def __repr__(self) -> str:
        parts = len(self._starts) - 1
        return f"<rows of {self.file_name}: shape {self.shape}, {self.dtype}, {parts} parts>"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        rows: NDArray[Any] = self[:]
        return rows if dtype is None else rows.astype(dtype, copy=False)

    def read_direct(self, dest: Any, source_sel: Any = None, dest_sel: Any = None) -> None:
        """Read into an array; see `h5py.Dataset.read_direct`."""
        source = slice(None) if source_sel is None else source_sel
        dest[... if dest_sel is None else dest_sel] = self[source]

    def __getitem__(self, args: Any) -> Any:
        """Take rows, by anything that NumPy takes along the first axis.

        Raises
        ------
        FeatureFileError
            If a part of them is missing or damaged; names it.
        IndexError
        """
        several = args if isinstance(args, tuple) else (args,)
        first, *others = several or (Ellipsis,)
        if first is Ellipsis:
            return self._range(0, len(self))[args]
        if isinstance(first, slice):
            start, stop, step = first.indices(len(self))
            if step == 1:
                rows = self._range(start, max(start, stop))
            else:
                rows = self._places(np.arange(start, stop, step))
        elif isinstance(first, int | np.integer) and not isinstance(first, bool):
            place = range(len(self))[first]
            rows = self._range(place, place + 1)[0]
            return rows[tuple(others)] if others else rows
        else:
            places = np.asarray(first)
            if places.size == 0 and places.dtype != bool:
                places = places.astype(np.intp)
            rows = self._places(np.arange(len(self))[places])
        return rows[(slice(None), *others)] if others else rows

    def _range(self, start: int, stop: int) -> NDArray[Any]:
        """Consecutive rows."""
        result = np.empty((stop - start, *self.shape[1:]), self.dtype)
        part = int(np.searchsorted(self._starts, start, "right")) - 1
        at = start
        while at < stop:
            first, end = int(self._starts[part]), int(self._starts[part + 1])
            until = min(stop, end)
            if until > at:
                with self._files.opened(part + 1) as opened:
                    rows = self._of(opened, end - first)
                    result[at - start : until - start] = rows[at - first : until - first]
            at, part = max(at, until), part + 1
        return result

    def _places(self, places: NDArray[np.intp]) -> NDArray[Any]:
        """Rows in any order, each part opened once."""
        result = np.empty((len(places), *self.shape[1:]), self.dtype)
        order = np.argsort(places, kind="stable")
        ordered = places[order]
        parts = np.searchsorted(self._starts, ordered, "right") - 1
        for part in np.unique(parts).tolist():
            first, end = int(self._starts[part]), int(self._starts[part + 1])
            these = slice(*np.searchsorted(parts, [part, part + 1]).tolist())
            with self._files.opened(part + 1) as opened:
                rows = self._of(opened, end - first)
                result[order[these]] = _gathered(rows, ordered[these] - first)
        return result

    def _of(self, part: OpenPart, count: int) -> Rows:
        name = self._name
        rows: Rows = part.views[name].features if self._augmented else part.layers[name][1]
        if rows.shape != (count, *self.shape[1:]):
            raise ValueError(f"it has rows of shape {rows.shape}")
        return rows


def _gathered(rows: Rows, places: NDArray[np.intp]) -> NDArray[Any]:
    """Rows at places in ascending order, each stretch of them read at once."""
    low, high = int(places[0]), int(places[-1]) + 1
    if len(places) * _DENSE >= high - low:
        return rows[low:high][places - low]
    unique, back = np.unique(places, return_inverse=True)
    stretches = np.split(unique, np.flatnonzero(np.diff(unique) > _DENSE) + 1)
    return np.concatenate([rows[int(s[0]) : int(s[-1]) + 1][s - s[0]] for s in stretches])[back]
