"""Where HDF5 keeps texts: in heaps, and one that is damaged would keep it reading for ever."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["has_endless_heap"]

_SIGNATURE = b"GCOL\x01\0\0\0"  # with the version, and three bytes of nothing
_HEAD = 16  # bytes that begin a heap (the signature, its size) and an entry (its number, its size)

_SCANNED = 16 << 20  # what HDF5 reads on opening a file lies at its beginning
_MAPPED = 64 << 20  # bytes of the file at a time
_AT_ONCE, _STEPS = 4096, 64  # heaps, and entries of each
_FEW = 16  # where there are fewer, NumPy is slower than Python
_LARGE = 1 << 11  # words of a heap that is looked at by itself first


def has_endless_heap(
    path: str | Path,
    places: Collection[int] | NDArray[np.uint64] | None = None,
    *,
    within: int = _SCANNED,
) -> bool:
    """Whether the entries of a heap do not add up to its size.

    HDF5 goes from entry to entry, without asking whether that brings it any further.

    Parameters
    ----------
    places : where in the file the heaps are; by default they are looked for
    within : this many bytes from its beginning

    Raises
    ------
    OSError
    """
    size = os.stat(path).st_size  # noqa: PTH116 - a path may be text
    if size < _HEAD:
        return False
    if places is None:
        places = [*_found(path, min(within, size))]
    starts = places if isinstance(places, np.ndarray) else np.array([*places], np.uint64)
    starts = np.sort(starts[starts <= size - _HEAD]).astype(np.int64)
    for shift in np.unique(starts % 8).tolist():
        # A heap and all that is in it are whole words of eight bytes.
        left = starts[starts % 8 == shift]
        while len(left):
            near, left = np.split(left, np.searchsorted(left, [left[0] + _MAPPED]))
            if _some_near_is_endless(path, near, size):
                return True
    return False


def _found(path: str | Path, end: int) -> Iterator[int]:
    """Look for heaps that begin before a place in the file."""
    for first in range(0, end, _MAPPED):
        data = _mapped(path, first, min(first + _MAPPED + len(_SIGNATURE) - 1, end))
        yield from (first + heap.start() for heap in re.finditer(re.escape(_SIGNATURE), data.data))


def _mapped(path: str | Path, first: int, end: int) -> NDArray[np.uint8]:
    """Map a part of a file: all of a large one may take more address space than there is."""
    return np.asarray(np.memmap(path, np.uint8, "r", first, (end - first,)))


def _some_near_is_endless(path: str | Path, starts: NDArray[np.int64], size: int) -> bool:
    """Look at heaps that begin near to each other, in a file of this size, in order."""
    first, mapped = int(starts[0]), int(starts[-1]) + _HEAD
    words = _mapped(path, first, mapped).view("<u8")
    heaps = (starts - first) // 8
    heaps = heaps[words[heaps] == int.from_bytes(_SIGNATURE, "little")]
    if not len(heaps):
        return False
    whole = first + (size - first) // 8 * 8
    # As far as they say that they go, or the file does.
    end = min(first + 8 * int((heaps.astype(np.uint64) + words[heaps + 1] // 8).max()) + 8, whole)
    words = _mapped(path, first, max(mapped, end)).view("<u8")
    return any(
        _some_is_endless(words, size - first, heaps[k : k + _AT_ONCE])
        for k in range(0, len(heaps), _AT_ONCE)
    )


def _some_is_endless(words: NDArray[np.uint64], nbytes: int, heaps: NDArray[np.int64]) -> bool:
    """Go from entry to entry of all heaps at once, as long as there are many."""
    sizes, rooms = words[heaps + 1], (nbytes - 8 * heaps).astype(np.uint64)
    # The last place in words at which an entry of the heap, or of the file, may begin.
    last = heaps + (np.minimum(sizes, rooms).astype(np.int64) - _HEAD) // 8
    at, end, most = heaps + 2, len(words) - 2, np.uint64(nbytes)
    for k in np.flatnonzero(last - heaps >= _LARGE):
        at[k] = _behind_alike(words, int(at[k]), int(last[k]))
    while len(heaps) >= _FEW:
        steps = np.empty((_STEPS, len(heaps)), np.int64)
        for step in steps:
            step[:] = at
            # A length that is larger than the file leads out of it as well, and does not overflow.
            lengths = np.minimum(words[np.minimum(at, end) + 1], most).astype(np.int64)
            at += 2 + (lengths + 7) // 8
        is_over = steps > last
        is_free = words[np.minimum(steps, end)] % 2**16 == 0  # up to the heap's end
        is_last = is_over | is_free
        ended = np.flatnonzero(is_last.any(0))
        first = is_last.argmax(0)[ended]
        place = steps[first, ended]
        done = 8 * (place - heaps[ended]).astype(np.uint64)
        size = sizes[ended]
        misses = np.where(
            is_over[first, ended],
            (done > size) & (size <= rooms[ended]),
            words[np.minimum(place, end) + 1] != size - done,
        )
        if misses.any():
            return True
        left = ~is_last.any(0)
        heaps, sizes, rooms, last, at = (x[left] for x in (heaps, sizes, rooms, last, at))
    view = words.data.cast("B")
    each = zip(*(x.tolist() for x in (8 * heaps, sizes, rooms, 8 * at)), strict=True)
    return not all(_adds_up(view, *one) for one in each)


def _behind_alike(words: NDArray[np.uint64], at: int, last: int) -> int:
    """Where the first entry is that takes another room than the first of all, or is free.

    Digests are all as long, and so are many names: what follows each other is read fastest.
    """
    room = 8 * (-(-int(words[at + 1]) // 8))
    step = 2 + room // 8
    numbers, lengths = words[at : last + 1 : step] % 2**16, words[at + 1 : last + 2 : step]
    if room > 8 * len(words):
        return at
    is_alike = (numbers > 0) & (lengths <= room) & (lengths + 8 > room)
    alike = len(is_alike) if is_alike.all() else int(is_alike.argmin())
    return at + step * alike


def _adds_up(view: memoryview, start: int, size: int, room: int, at: int) -> bool:
    end = start + size
    while at + _HEAD <= start + min(size, room):
        length = int.from_bytes(view[at + 8 : at + 16], "little")
        if not view[at] and not view[at + 1]:
            return length == end - at
        at += _HEAD + (length + 7) // 8 * 8
    return at <= end or size > room
