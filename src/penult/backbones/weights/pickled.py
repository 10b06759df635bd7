"""Weights in the file format of torch before 1.6, read without torch, and executing nothing.

Such a file is four pickles (a magic number, a protocol, facts of the machine, and the state dict,
which refers to its storages by key), then the list of these keys as a fifth, then for each key the
number of its elements, eight bytes, and the elements: `torch.serialization._legacy_save`.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.lib.stride_tricks import as_strided

from penult.errors import WeightsError
from penult.inputs import refuse_unread
from penult.messages import first_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["read_pickled"]

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


@dataclass(frozen=True)
class _Elements:
    """A type of storage."""

    dtype: np.dtype[Any]


@dataclass(frozen=True)
class _Storage:
    key: str
    dtype: np.dtype[Any]
    elements: int


@dataclass(frozen=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: object) -> _Tensor:
    numbers = (offset, *shape, *strides)
    if not isinstance(storage, _Storage) or not all(type(n) is int and n >= 0 for n in numbers):
        raise pickle.UnpicklingError("a tensor that is none")
    if len(shape) != len(strides):
        raise pickle.UnpicklingError("a tensor that is none")
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    # A stride of 0 would make much of little.
    if 0 in shape or last >= storage.elements or prod(shape) > storage.elements:
        raise pickle.UnpicklingError("a tensor that does not fit its storage")
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


# All that a state dict needs, and no more: none of these does anything but hold what it is given.
_KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch", "FloatStorage"): _Elements(np.dtype("<f4")),
    ("torch", "LongStorage"): _Elements(np.dtype("<i8")),
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            raise pickle.UnpicklingError(f"more than tensors ({module}.{name})")
        found = _KNOWN[module, name]
        # A pickle can set attributes of what it was given.
        return _Elements(found.dtype) if isinstance(found, _Elements) else found

    def persistent_load(self, pid: Any) -> _Storage:
        kind, elements, key, _place, count, view = pid
        if kind != "storage" or not isinstance(elements, _Elements) or view is not None:
            raise pickle.UnpicklingError("a storage that is none")
        if type(key) is not str or type(count) is not int or count < 0:
            raise pickle.UnpicklingError("a storage that is none")
        return _Storage(key, elements.dtype, count)


def read_pickled(path: Path) -> dict[str, NDArray[Any]]:
    """Read the arrays of a state dict.

    Parameters
    ----------
    path : Path
        A file as `torch.save` wrote it before torch 1.6, of a dict of float32 and int64 tensors.

    Returns
    -------
    dict of str to array
        In the order of the file.

    Raises
    ------
    WeightsError
        If it is anything else, or not whole. Nothing in it is executed.
    """
    try:
        with path.open("rb") as file:
            return _read(file, path.stat().st_size)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from error
    # A pickle that is none makes the unpickler raise whatever comes up first.
    except Exception as error:
        refuse_unread(path, error)
        raise WeightsError(
            f"{path} was refused: it is not the file of weights that it should be "
            f"({first_line(error)})"
        ) from error


def _read(file: BinaryIO, size: int) -> dict[str, NDArray[Any]]:
    if [_load(file), _load(file)] != [_MAGIC, _PROTOCOL]:
        raise pickle.UnpicklingError("another format")
    _load(file)  # sizes of numbers on the machine that wrote it
    state, keys = _load(file), _load(file)
    if not isinstance(state, dict) or not isinstance(keys, list):
        raise pickle.UnpicklingError("no dict of tensors")
    tensors = {name: value for name, value in state.items() if isinstance(value, _Tensor)}
    storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    contents = {key: _elements(file, storages[key], size) for key in keys}
    if file.read(1):
        raise pickle.UnpicklingError("more than its storages")
    return {name: _array(tensor, contents) for name, tensor in tensors.items()}


def _load(file: BinaryIO) -> Any:
    return _Unpickler(file).load()


def _elements(file: BinaryIO, storage: _Storage, size: int) -> NDArray[Any]:
    count = int.from_bytes(file.read(8), "little")
    length = count * storage.dtype.itemsize
    if count != storage.elements or length > size - file.tell():
        raise pickle.UnpicklingError("a storage of another size than it says")
    return np.frombuffer(file.read(length), storage.dtype)


def _array(tensor: _Tensor, contents: dict[str, NDArray[Any]]) -> NDArray[Any]:
    flat = contents[tensor.storage.key][tensor.offset :]
    strides = [step * flat.itemsize for step in tensor.strides]
    # Within the storage, as `_tensor` made sure.
    return np.ascontiguousarray(as_strided(flat, tensor.shape, strides)).reshape(tensor.shape)
