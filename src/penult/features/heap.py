"""Where HDF5 keeps texts: in heaps, and one that is damaged would keep it reading for ever."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["has_endless_heap"]

_SIGNATURE = b"GCOL\x01\0\0\0"  # with the version, and three bytes of nothing
_HEAD = 16  # bytes that begin a heap (the signature, its size) and an entry (its number, its size)

_SCANNED = 16 << 20  # what HDF5 reads on opening a file lies at its beginning
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
    if os.stat(path).st_size < _HEAD:  # noqa: PTH116 - a path may be text
        return False
    data = np.asarray(np.memmap(path, np.uint8, "r"))
    if places is None:
        found = re.finditer(re.escape(_SIGNATURE), data[: min(within, sys.maxsize)].data)
        places = [heap.start() for heap in found]
    starts = places if isinstance(places, np.ndarray) else np.array([*places], np.uint64)
    starts = starts[starts <= len(data) - _HEAD].astype(np.int64)
    for shift in np.unique(starts % 8).tolist():
        # A heap and all that is in it are whole words of eight bytes.
        words = data[shift : shift + (len(data) - shift) // 8 * 8].view("<u8")
        heaps = starts[starts % 8 == shift] // 8
        heaps = heaps[words[heaps] == int.from_bytes(_SIGNATURE, "little")]
        for k in range(0, len(heaps), _AT_ONCE):
            if _some_is_endless(words, len(data) - shift, heaps[k : k + _AT_ONCE]):
                return True
    return False


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
