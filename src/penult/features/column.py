"""A dataset of a file that anybody may have written: looked at from outside before it is read.

HDF5 lets a file refer to other files, claim a size that it does not have, and name a decoder to be
loaded. All of that is in the metadata, and what is not as penult writes it is refused there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from math import ceil, prod
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from penult.features.heap import has_endless_heap
from penult.texts import Texts

__all__ = [
    "FLAG",
    "FLAGS",
    "MATRIX",
    "NUMBERS",
    "PAIRS",
    "ROWS",
    "TEXTS",
    "VECTOR",
    "Kind",
    "Refused",
    "dataset_at",
    "find",
    "group_at",
    "has",
    "read_number",
    "read_pairs",
    "read_text",
    "read_texts",
]

# Those of HDF5 itself, which h5repack may have applied; any other is a plugin to be loaded.
_FILTERS = {
    h5py.h5z.FILTER_DEFLATE,
    h5py.h5z.FILTER_SHUFFLE,
    h5py.h5z.FILTER_FLETCHER32,
    h5py.h5z.FILTER_LZF,
}
_EXPANSION = 1032  # what a byte can become at most, by deflate
_TEXTS_AT_ONCE, _DOUBTFUL_AT_ONCE = 4096, 16
# How a text stands in a dataset: its length, and where in the file's heap it is.
_REFERENCE = np.dtype([("length", "<u4"), ("heap", "<u8"), ("entry", "<u4")])


class Refused(Exception):  # noqa: N818 - not the user's error yet: it lacks the file's name
    """What is wrong with a file, to be said after its name."""


@dataclass(frozen=True)
class Kind:
    """What a dataset may hold.

    Attributes
    ----------
    name : for messages
    ranks : how many axes it may have
    suits : whether a dtype is of that kind
    """

    name: str
    ranks: tuple[int, ...]
    suits: Callable[[np.dtype[Any]], bool]


def _is_text(dtype: np.dtype[Any]) -> bool:
    found = h5py.check_string_dtype(dtype)
    return found is not None and found.length is None


def _is_pair(dtype: np.dtype[Any]) -> bool:
    return dtype.names == ("id", "reason") and all(_is_text(dtype[k]) for k in range(2))


TEXTS = Kind("a column of texts", (1,), _is_text)
PAIRS = Kind("a column of pairs of id and reason", (1,), _is_pair)
NUMBERS = Kind("a column of int64", (1,), lambda dtype: dtype.kind == "i" and dtype.itemsize == 8)
FLAGS = Kind("a table of bool", (2,), lambda dtype: dtype == np.bool_)
FLAG = Kind("a column of bool", (1,), lambda dtype: dtype == np.bool_)
ROWS = Kind(
    "rows of float32 or float16",
    (2, 3, 4),
    lambda dtype: dtype.kind == "f" and dtype.itemsize in (2, 4),
)


def _is_float32(dtype: np.dtype[Any]) -> bool:
    return dtype.kind == "f" and dtype.itemsize == 4


VECTOR = Kind("a vector of float32", (1,), _is_float32)
MATRIX = Kind("a matrix of float32", (2,), _is_float32)


def find(group: Any, name: str) -> Any:
    """Open what lies in a group under a name.

    Raises
    ------
    Refused
        If the name stands for something elsewhere: in another place, or another file.
    KeyError
        If there is no such name.
    """
    # h5py's own `in` and `get` follow a link to see whether it leads anywhere.
    if not has(group, name):
        raise KeyError(f"it has no {name}")
    links, key = group.id.links, name.encode("utf-8", "surrogateescape")
    if links.get_info(key).type != h5py.h5l.TYPE_HARD:
        raise Refused(
            f"is refused: its {name} is only a link to another place, {_target(links, key)}"
        )
    return group[name]


def has(group: Any, name: str) -> bool:
    """Whether a group has something under a name, or a link that may lead nowhere."""
    return bool(group.id.links.exists(name.encode("utf-8", "surrogateescape")))


def _target(links: Any, key: bytes) -> str:
    found = links.get_val(key)
    return os.fsdecode(found[0] if isinstance(found, tuple) else found)


def dataset_at(group: Any, name: str, kind: Kind) -> Any:
    """Open a dataset, having made sure that it is of a kind, and lies in this file, whole.

    Raises
    ------
    Refused, KeyError
    """
    dataset = find(group, name)
    if not isinstance(dataset, h5py.Dataset) or dataset.shape is None:
        raise Refused(f"is damaged: its {name} is no dataset")
    if len(dataset.shape) not in kind.ranks or not kind.suits(dataset.dtype):
        found = f"{dataset.dtype} of shape {dataset.shape}"
        raise Refused(f"is damaged: its {name} is {found}, not {kind.name}")
    _require_stored(dataset, name)
    return dataset


def group_at(group: Any, name: str) -> Any:
    """Open a group that lies in this file.

    Raises
    ------
    Refused, KeyError
    """
    found = find(group, name)
    if not isinstance(found, h5py.Group):
        raise Refused(f"is damaged: its {name} is no group")
    return found


def _require_stored(dataset: Any, name: str) -> None:
    properties = dataset.id.get_create_plist()
    layout = properties.get_layout()
    if properties.get_external_count():
        place = os.fsdecode(properties.get_external(0)[0])
        raise Refused(f"is refused: its {name} lies in another file, {place}")
    if layout == h5py.h5d.VIRTUAL:
        raise Refused(f"is refused: its {name} is virtual, and lies in other datasets")
    filters = {properties.get_filter(k)[0] for k in range(properties.get_nfilters())}
    if not filters <= _FILTERS:
        unknown = min(filters - _FILTERS)
        raise Refused(f"is refused: its {name} is packed by filter {unknown}, unknown here")
    itemsize = _bytes_in_file(dataset.dtype)
    claimed, stored = prod(dataset.shape) * itemsize, dataset.id.get_storage_size()
    most = stored * _EXPANSION if filters else stored
    whole = claimed <= most and stored <= dataset.file.id.get_filesize()
    if layout == h5py.h5d.CHUNKED and claimed and whole:
        chunks = prod(ceil(n / c) for n, c in zip(dataset.shape, dataset.chunks, strict=True))
        whole = dataset.id.get_num_chunks() == chunks and prod(dataset.chunks) * itemsize <= most
    if not whole:
        raise Refused(
            f"is damaged: its {name} claims {claimed:,} bytes, and {stored:,} are in the file"
        )


def _bytes_in_file(dtype: np.dtype[Any]) -> int:
    # A text is a pointer in memory, and twice as long in a file.
    return dtype.itemsize * 2 if dtype.hasobject else dtype.itemsize


def read_text(item: Any, name: str) -> str:
    """Read an attribute that is one text.

    Raises
    ------
    Refused, KeyError
    """
    found = item.attrs.get_id(name)
    if found.shape != () or not _is_text(found.dtype):
        raise Refused(f"is damaged: its attribute {name} is no text")
    return str(item.attrs[name])


def read_number(item: Any, name: str) -> float:
    """Read an attribute that is one number, or a bool.

    Raises
    ------
    Refused, KeyError
    """
    found = item.attrs.get_id(name)
    if found.shape != () or found.dtype.kind not in "biuf":
        raise Refused(f"is damaged: its attribute {name} is no number")
    return float(item.attrs[name])


def read_texts(dataset: Any, lengths: Collection[int] | None = None) -> Texts:
    """Read a column of texts, of these lengths in bytes.

    Raises
    ------
    Refused
    """
    texts = Texts()
    for block in _blocks(dataset):
        if lengths is not None and not {len(text) for text in block} <= set(lengths):
            raise Refused(
                f"is damaged: a text of {dataset.name} is longer or shorter than it may be"
            )
        texts.extend(Texts.of(b"".join(block), map(len, block)))
    return texts


def read_pairs(dataset: Any) -> Iterator[tuple[str, ...]]:
    """Read a column of two texts each.

    Raises
    ------
    Refused
    """
    for block in _blocks(dataset):
        for pair in block:
            yield tuple(text.decode("utf-8", "backslashreplace") for text in pair)


def _blocks(dataset: Any) -> Iterator[list[Any]]:
    # A thousand references to one long text take little room in a file, and a thousand times that
    # text in memory. So what they claim is added up first, where the references can be seen.
    size, claimed = dataset.file.id.get_filesize(), _claimed(dataset)
    step, read = _DOUBTFUL_AT_ONCE if claimed is None else _TEXTS_AT_ONCE, claimed or 0
    for start in range(0, len(dataset), step):
        block = [] if read > size else dataset[start : start + step].tolist()
        if claimed is None:
            read += sum(1 + (len(e) if isinstance(e, bytes) else sum(map(len, e))) for e in block)
        if read > size:
            raise Refused(f"is damaged: the texts of {dataset.name} are longer than the file")
        yield block


def _claimed(dataset: Any) -> int | None:
    """How many bytes all texts of a column have together, from the references to them.

    Raises
    ------
    Refused
        If HDF5 would read one of them for ever.
    """
    file, claimed, places = dataset.file.filename, 0, list[NDArray[np.uint64]]()
    for references in _references(dataset):
        claimed += int(references["length"].sum(dtype=np.uint64))
        places.append(np.unique(references["heap"]))
    heaps = np.unique(np.concatenate(places)) if places else np.empty(0, np.uint64)
    are_seen = bool(len(heaps)) or not len(dataset)
    if _is_on_disk(dataset) and (
        has_endless_heap(file, heaps) if are_seen else has_endless_heap(file, within=sys.maxsize)
    ):
        raise Refused(f"is damaged: a text of {dataset.name} has no end")
    return claimed if are_seen else None


def _references(dataset: Any) -> Iterator[Any]:
    """The references of a column's texts, some at a time; none where they cannot be seen."""
    properties = dataset.id.get_create_plist()
    layout, fields = properties.get_layout(), len(dataset.dtype.names or "1")
    if properties.get_nfilters() or layout == h5py.h5d.COMPACT or not len(dataset):
        return
    if layout == h5py.h5d.CHUNKED:
        step = dataset.chunks[0]
        for start in range(0, len(dataset), step):
            raw = dataset.id.read_direct_chunk((start,))[1]
            yield np.frombuffer(raw, _REFERENCE)[: (len(dataset) - start) * fields]
    elif _is_on_disk(dataset):
        place, count = dataset.id.get_offset(), len(dataset) * fields
        yield np.fromfile(dataset.file.filename, _REFERENCE, count, offset=place)


def _is_on_disk(dataset: Any) -> bool:
    return dataset.file.driver not in ("core", "fileobj")  # in memory is what penult put there
