"""What `penult.Index` is given, checked before it is used."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import SearchError, UsageError
from penult.machine import free_memory
from penult.neighbors.blocks import BLOCK_BYTES, row_length
from penult.progress import announcing_late
from penult.representation import what_given
from penult.texts import composed
from penult.wording import count, listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Rows

__all__ = [
    "as_rows",
    "column",
    "held",
    "ids_like",
    "is_glob",
    "numbers",
    "required_ids",
    "tails",
    "whole",
]

_SHARE = 4  # of the free memory: a part of which rows of a file take one, at most


def numbers(values: Any, name: str) -> NDArray[Any]:
    """Make an array of numbers of what is none.

    Raises
    ------
    UsageError
    """
    try:
        array = np.asarray(values, np.float32)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name} is {what_given(values)}; give an array of numbers") from error
    return array


def as_rows(values: Any, name: str = "rows", *, none: bool = False) -> Rows:
    """Take rows as they are, or as float32 where they are of another type.

    Parameters
    ----------
    name : str
        For messages.
    none : bool
        Whether there may be none.

    Raises
    ------
    UsageError, SearchError
    """
    if not hasattr(values, "shape") or not hasattr(values, "dtype"):
        values = numbers(values, name)
    if values.dtype.kind not in "fiu" or len(values.shape) < 2 or 0 in values.shape[1:]:
        raise UsageError(f"{name} is {what_given(values)}; give an array of numbers, shape (N, D)")
    if not none and not len(values):
        raise SearchError("there are no rows to search")
    if values.dtype in (np.float16, np.float32) and values.dtype.isnative:
        return values  # type: ignore[no-any-return]
    with np.errstate(over="ignore"):
        return np.asarray(values[:], np.float16 if values.dtype == np.float16 else np.float32)


def held(rows: Rows) -> Rows:
    """Read rows of a file into memory where they are little of it, to be read but once.

    They are measured, then searched, again and again; from a file each time takes several times as
    long.

    Parameters
    ----------
    rows : array or h5py dataset, shape (N, …)
    """
    size = rows.dtype.itemsize * len(rows) * row_length(rows)
    if isinstance(rows, np.ndarray):
        return rows
    # So much is read at a time anyway, and to ask what is free takes longer than to read it.
    little = size <= BLOCK_BYTES or size <= free_memory() // _SHARE
    if not little:
        return rows
    if size <= BLOCK_BYTES:
        return np.asarray(rows[:])
    found = np.empty(rows.shape, rows.dtype)
    step = max(1, BLOCK_BYTES * len(rows) // size)
    count_rows = announcing_late("reading the rows", len(rows))
    for start in range(0, len(rows), step):
        block = rows[start : start + step]
        found[start : start + len(block)] = block
        count_rows(start + len(block))
    return found


def required_ids(ids: Any, rows: int) -> tuple[str, ...]:
    """Refuse ids that are not as many as the rows, or there twice.

    Raises
    ------
    UsageError
    """
    if ids is None or isinstance(ids, str) or not hasattr(ids, "__len__") or len(ids) != rows:
        raise UsageError(
            f"ids are {what_given(ids)}; give a list of one for each of {count(rows, 'row')}"
        )
    names = tuple(map(str, ids))
    if len(set(names)) < rows:
        seen = set[str]()
        twice = [one for one in names if one in seen or seen.add(one)]  # type: ignore[func-returns-value]
        raise UsageError(f"ids are to be there once each; twice: {listed(twice, 5)}")
    return names


def whole(k: Any) -> int:
    """Refuse a k that is no whole number above 0.

    Raises
    ------
    UsageError
    """
    if isinstance(k, bool | np.bool_) or not isinstance(k, int | np.integer) or k < 1:
        raise UsageError(f"k is {what_given(k)}; give a whole number, 1 or more")
    return int(k)


def column(
    name: str, values: Any, length: int, dtype: type[np.generic], what: str
) -> NDArray[Any] | None:
    """Take an argument that has a value for each of something; None where it was not given.

    Raises
    ------
    UsageError
    """
    if values is None:
        return None
    array = np.asarray(values)
    if array.shape != (length,) or not (
        array.dtype.kind in ("b" if dtype is np.bool_ else "iu") or not length
    ):
        raise UsageError(f"{name} is {what_given(values)}; give {what}, {count(length)} in all")
    return array.astype(np.bool_ if dtype is np.bool_ else np.int64)


def is_glob(pattern: str) -> bool:
    """Whether a text has characters that stand for others."""
    return any(sign in pattern for sign in "*?[")


def ids_like(pattern: str, ids: Sequence[str], named: str) -> NDArray[np.bool_]:
    """Which ids a glob matches, in whatever Unicode form they are.

    Parameters
    ----------
    pattern : str
        As ``daisy/*``; case counts.
    ids : sequence of str, length N
    named : str
        What they are of, for messages.

    Returns
    -------
    bool array, shape (N,)

    Raises
    ------
    UsageError
        If it matches none.
    """
    wanted = composed(pattern)
    mask = np.fromiter((fnmatchcase(composed(str(one)), wanted) for one in ids), bool, len(ids))
    if not mask.any():
        raise UsageError(
            f"none of {count(len(mask), 'id')} of {named} is like {pattern}; they are "
            f"{listed(map(str, ids[:3]))}{', …' * (len(ids) > 3)}"
        )
    return mask


def tails(path: str) -> list[str]:
    """Return what a path is below each of its folders, the longest first.

    An id is a path in the folder that was extracted, and is easily given with the folder before it.

    Examples
    --------
    >>> tails("photos/rose/1.jpg")
    ['rose/1.jpg', '1.jpg']
    """
    parts = path.split("/")
    return ["/".join(parts[k:]) for k in range(1, len(parts))]
