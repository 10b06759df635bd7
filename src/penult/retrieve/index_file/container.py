"""A file of arrays that lie in one piece each, to be mapped into memory or read into it.

    0    8 bytes   MAGIC
    8    uint32    format
    12   uint32    0
    16   uint64    where the description begins; the file ends with it
    24   uint64    its length in bytes
    32   16 bytes  its BLAKE2b-128 digest
    48   16 bytes  zeros
    64   arrays, each at a multiple of 64: little-endian, in C order
         the description: JSON, with the dtype, shape and offset of each array

The last array, ``digests``, has the BLAKE2b-128 digests of the bytes of those before it.

HDF5 has contiguous datasets, too. But a file from a stranger is then parsed by a large library
before anything can be checked; here it is JSON and a few numbers, and an array is where they say,
or the file is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Iterable, Mapping
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.features.column import Refused
from penult.file_kinds import INDEX
from penult.inputs import begins_with
from penult.machine import free_memory
from penult.parsing import read_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FORMAT", "MAGIC", "ContainerWriter", "is_index_file", "read_container"]

MAGIC = INDEX
FORMAT = 1

_HEAD = struct.Struct("<8sIIQQ16s16x")
_ALIGNED = 64
_DIGESTS, _DIGEST_BYTES = "digests", 16
_DTYPES = ("<f2", "<f4", "<f8", "<i4", "<i8", "|u1")
_MOST_AXES = 4
_SHARE = 4  # of free memory, that a file may take which is read as a whole
_COMPARED = 1 << 26  # bytes of an array of which the digest is compared, though it is mapped: 0.1 s
_LONGEST = 1 << 30  # of a description: label names, and what is said of a recipe

assert _HEAD.size == _ALIGNED


def is_index_file(path: Path) -> bool:
    """Whether a file begins as an index does."""
    return begins_with(path, MAGIC)


class ContainerWriter:
    """Writes one; each array in blocks, so that it may be larger than the memory.

    Parameters
    ----------
    path : of a file that is overwritten

    Raises
    ------
    OSError
        By any method.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._file.write(bytes(_HEAD.size))
        self._arrays: dict[str, dict[str, Any]] = {}
        self._digests: list[bytes] = []

    def __enter__(self) -> ContainerWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def put(self, name: str, array: NDArray[Any]) -> None:
        """Write an array."""
        self.stream(name, array.dtype, array.shape, [array])

    def stream(
        self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...], blocks: Iterable[Any]
    ) -> None:
        """Write an array that comes in blocks.

        Parameters
        ----------
        name : by which it is read
        shape : of all blocks together, one after the other
        """
        stored = np.dtype(dtype).newbyteorder("<")
        self._file.write(bytes(-self._file.tell() % _ALIGNED))
        offset, rows = self._file.tell(), 0
        digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
        for block in blocks:
            rows += len(block)
            data = np.ascontiguousarray(block, stored).reshape(-1).view(np.uint8).data
            digest.update(data)
            self._file.write(data)
        if rows != shape[0]:
            raise ValueError(f"{rows} of {shape[0]} rows of {name} came")
        self._arrays[name] = {"dtype": stored.str, "shape": list(shape), "offset": offset}
        self._digests.append(digest.digest())

    def finish(self, description: Mapping[str, Any]) -> None:
        """Write what else there is to say; the file is whole then."""
        digests = np.frombuffer(b"".join(self._digests), np.uint8)
        self.put(_DIGESTS, digests.reshape(-1, _DIGEST_BYTES))
        text = json.dumps({**description, "arrays": self._arrays}, ensure_ascii=True).encode()
        offset = self._file.tell()
        self._file.write(text)
        self._file.seek(0)
        digest = hashlib.blake2b(text, digest_size=_DIGEST_BYTES).digest()
        self._file.write(_HEAD.pack(MAGIC, FORMAT, 0, offset, len(text), digest))
        self._file.flush()


def read_container(
    path: Path, *, in_memory: bool = False
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Map a file into memory, having made sure that all arrays lie in it.

    Parameters
    ----------
    path : Path
    in_memory : bool
        Read it instead, where a quarter of the free memory holds it. Whoever touches a page of a
        mapped file that was cut off since is killed (SIGBUS). The digests of all arrays are
        compared then; of a mapped file, those of arrays of up to 64 MB, for that reads them.

    Returns
    -------
    description : dict
        As it was given, from whoever wrote the file.
    arrays : dict of str to array
        Read-only views of the file, or of what was read.

    Raises
    ------
    Refused, OSError
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(_HEAD.size)
        if not size:
            raise Refused("is empty (0 bytes)")
        if not head.startswith(MAGIC):
            raise Refused("is not an index file")
        if len(head) < _HEAD.size:
            raise Refused("is truncated")
        _, number, _, offset, length, digest = _HEAD.unpack(head)
        if number > FORMAT:
            raise Refused(f"has format {number}; this penult reads up to {FORMAT}")
        if offset + length > size or not length:
            raise Refused("is truncated: the end of it is missing")
        if offset + length < size or offset < _HEAD.size or length > _LONGEST:
            raise Refused("is damaged: its description is not at its end")
        file.seek(offset)
        text = file.read(length)
        if hashlib.blake2b(text, digest_size=_DIGEST_BYTES).digest() != digest:
            raise Refused("is damaged: its description is not what was written")
        description = _described(text)
        if in_memory and size <= free_memory() // _SHARE:
            file.seek(0)
            whole = np.fromfile(file, np.uint8, size)
            whole.flags.writeable = False
            if len(whole) < size:
                raise Refused("is truncated: it became shorter while it was read")
        else:
            whole = np.memmap(file, np.uint8, mode="r")
    places = description.pop("arrays", None)
    if not isinstance(places, dict):
        raise Refused("is damaged: it has no arrays")
    arrays = {name: _array(whole, name, one, offset) for name, one in places.items()}
    digests = arrays.pop(_DIGESTS, None)
    if digests is not None:  # older files have none
        _compare(arrays, digests)
    return description, arrays


def _compare(arrays: Mapping[str, NDArray[Any]], digests: NDArray[Any]) -> None:
    if digests.shape != (len(arrays), _DIGEST_BYTES):
        raise Refused(f"is damaged: its {_DIGESTS} are not of its arrays")
    for (name, array), expected in zip(arrays.items(), digests, strict=True):
        if array.nbytes > _COMPARED and isinstance(array, np.memmap):
            continue
        found = hashlib.blake2b(array.reshape(-1).view(np.uint8).data, digest_size=_DIGEST_BYTES)
        if found.digest() != expected.tobytes():
            raise Refused(f"is damaged: the bytes of its {name[:40]!r} are not those written")


def _described(text: bytes) -> dict[str, Any]:
    try:
        description = read_json(text)
    except ValueError as error:
        raise Refused("is damaged: its description cannot be read") from error
    if not isinstance(description, dict):
        raise Refused("is damaged: its description is none")
    return description


def _array(whole: NDArray[np.uint8], name: str, place: object, end: int) -> NDArray[Any]:
    wrong = Refused(f"is damaged: its {name[:40]!r} does not lie in it")
    if not isinstance(place, dict) or set(place) != {"dtype", "shape", "offset"}:
        raise wrong
    dtype, shape, offset = place["dtype"], place["shape"], place["offset"]
    numbers = [offset, *shape] if isinstance(shape, list) else [None]
    if dtype not in _DTYPES or not all(type(one) is int and one >= 0 for one in numbers):
        raise wrong
    length = prod(shape) * np.dtype(dtype).itemsize
    if not 1 <= len(shape) <= _MOST_AXES or offset % _ALIGNED or offset < _HEAD.size:
        raise wrong
    if offset + length > end or (not length and max(shape) > end):
        raise wrong
    return whole[offset : offset + length].view(dtype).reshape(shape)
