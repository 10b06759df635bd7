"""Parquet files: images in a column of bytes, as Hugging Face writes them, and manifests."""

from __future__ import annotations

import io
import json
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock
from typing import Any, BinaryIO
from weakref import finalize

from penult.errors import ImageError, MissingExtraError, SourceError, UsageError
from penult.images.blob import Blob
from penult.images.labels import Found, split_of_name
from penult.images.shelf import Shelf
from penult.images.table import Row, label_column, split_named, unique

__all__ = ["ParquetShelf", "holds_images", "parquet_rows"]

_BATCH_BYTES = 4 << 20
_WAITING_BYTES = 32 << 20
_MANIFEST_ROWS = 4096


@contextmanager
def _opened(blob: Blob) -> Iterator[Any]:
    with ExitStack() as stack:
        yield _open(blob, stack)


def _open(blob: Blob, stack: ExitStack) -> Any:
    """Open a file until the stack is closed."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError(blob.name, "parquet") from error
    source = stack.enter_context(blob.file())
    try:
        # Read in small pieces: a row group may be larger than the memory there is.
        file = parquet.ParquetFile(source, buffer_size=1 << 18, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{blob.name} is not a readable Parquet file: {_first(error)}") from error
    return stack.enter_context(file)


def _first(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _features(file: Any) -> dict[str, Any]:
    """What the Hugging Face library noted about the columns."""
    try:
        noted = json.loads(file.schema_arrow.metadata[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _image_columns(file: Any) -> dict[str, str]:
    """Columns of images, to the path of their bytes."""
    from pyarrow import types

    noted, found = _features(file), {}
    for field in file.schema_arrow:
        kind, said = field.type, noted.get(field.name)
        is_said = isinstance(said, dict) and said.get("_type") == "Image"
        if types.is_struct(kind) and _is_binary(_bytes_of(kind)):
            found[field.name] = f"{field.name}.bytes"
        elif _is_binary(kind) and (is_said or field.name in ("image", "img", "bytes")):
            found[field.name] = field.name
    return found


def _bytes_of(kind: Any) -> Any:
    at = kind.get_field_index("bytes")
    return kind.field(at).type if at >= 0 else None


def _is_binary(kind: Any) -> bool:
    from pyarrow import types

    return kind is not None and (types.is_binary(kind) or types.is_large_binary(kind))


def holds_images(blob: Blob) -> bool:
    """Whether a Parquet file has a column of images; if not, it may be a manifest.

    Raises
    ------
    MissingExtraError, SourceError
    """
    with _opened(blob) as file:
        return bool(_image_columns(file))


class ParquetShelf(Shelf):
    """The images in a column of a Parquet file, read row after row.

    The id of an image is the number of its row, in eight digits, counted from 0.

    Parameters
    ----------
    blob : the file
    prefix : begins the ids, and is None for an only source
    folders : the names of the folders around the file
    split : that the file lies in; else, what its name says
    label : the column of the labels; None leaves them unread, and "" takes ``label``, ``labels``,
        or the only column of classes
    """

    is_sequential = True

    def __init__(
        self,
        blob: Blob,
        prefix: str | None,
        *,
        folders: tuple[str, ...] = (),
        split: str | None = None,
        label: str | None = "",
    ) -> None:
        super().__init__()
        self.is_remote = blob.is_remote
        self._blob, self._prefix = blob, f"{prefix}/" if prefix else ""
        self._folders, self._label = folders, label
        stem = blob.name.replace("\\", "/").rpartition("/")[2].rpartition(".")[0]
        self._split = split or split_of_name(stem)
        self._reader: _Reader | None = None
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def scan(self) -> Iterator[Found]:
        """Read the labels, and no image."""
        with _opened(self._blob) as file:
            columns = _image_columns(file)
            if not columns:
                raise SourceError(
                    f"{self._blob.name} has no column of images, nor a column path; its columns "
                    f"are {', '.join(file.schema_arrow.names)}"
                )
            if len(columns) > 1 and "image" not in columns:
                raise SourceError(
                    f"{self._blob.name} has several columns of images: {', '.join(columns)}; "
                    f"call the one to be taken image"
                )
            name = "image" if "image" in columns else next(iter(columns))
            self._reader = _Reader(self._blob, columns[name])
            label = self._label_column(file, columns)
            classes = _class_names(file, label) if label else []
            names = file.schema_arrow.names
            told = [c for c in (label, "split") if c is not None and c in names]
            for row, values in enumerate(_rows(self._blob, file, told)):
                self._count += 1
                place = f"{self._blob.name}, row {row}"
                split = values.get("split")
                split = split_named(split, place) if isinstance(split, str) else None
                labels = _labels(values[label], classes) if label else None
                yield Found(self.id(row), None, self._folders, split or self._split, labels)

    def _label_column(self, file: Any, images: dict[str, str]) -> str | None:
        """The column that holds the labels, or None."""
        if self._label is None:
            return None
        names = [name for name in file.schema_arrow.names if name not in images]
        if self._label:
            if self._label not in names:
                raise UsageError(
                    f"{self._blob.name} has no column {self._label}; its columns are "
                    f"{', '.join(names)}"
                )
            return self._label
        found = label_column(names, None)
        classes = [name for name in names if _class_names(file, name)]
        if found is None and len(classes) > 1:
            raise UsageError(
                f"{self._blob.name} has several columns of labels: {', '.join(classes)}; choose "
                f"one with --labels column:{classes[0]}, or give --labels none"
            )
        return found or next(iter(classes), None)

    def id(self, index: int) -> str:
        """The number of its row."""
        return f"{self._prefix}{index:08}"

    def open(self, index: int) -> BinaryIO:
        """Read its row."""
        if self._reader is None:
            raise RuntimeError("a shelf is scanned before it is read")
        return self._reader.take(index)

    def stamp(self, index: int) -> Any:
        """What tells that the file is the same."""
        return self._blob.stamp

    def place(self, index: int) -> str:
        """The file, and its row."""
        return f"{self._blob.name}, row {index}"


def _class_names(file: Any, column: str) -> list[str]:
    """The names of the classes that a column's numbers stand for."""
    said = _features(file).get(column)
    if isinstance(said, list) and said:
        said = said[0]
    if isinstance(said, dict) and isinstance(said.get("feature"), dict):
        said = said["feature"]
    if isinstance(said, dict) and said.get("_type") == "ClassLabel":
        return [str(name) for name in said.get("names", ())]
    return []


def _rows(blob: Blob, file: Any, columns: list[str]) -> Iterator[dict[str, Any]]:
    """Some columns of every row."""
    import pyarrow as pa

    if not columns:
        yield from ({} for _ in range(file.metadata.num_rows))
        return
    try:
        for batch in file.iter_batches(_MANIFEST_ROWS, columns=columns):
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{blob.name} is damaged: {_first(error)}") from error


class _Reader:
    """Gives the bytes of rows that are asked for about in order, each once.

    It goes through a row group in small batches. What it passes is kept, up to some megabytes, for
    threads that ask a little out of order; who asks for a row further back makes it begin its row
    group again.
    """

    def __init__(self, blob: Blob, column: str) -> None:
        self._blob, self._column = blob, column
        self._lock = Lock()
        self._file: Any = None
        self._starts = array("q")
        self._batches: Iterator[Any] = iter(())
        self._group, self._next = -1, 0
        self._waiting: dict[int, bytes | None] = {}
        self._waiting_bytes = 0

    def take(self, row: int) -> BinaryIO:
        """The bytes of a row.

        Raises
        ------
        ImageError
        """
        import pyarrow as pa

        with self._lock:
            try:
                data = self._read(row)
            except (pa.ArrowException, OSError, SourceError) as error:
                self._group, self._waiting, self._waiting_bytes = -1, {}, 0
                raise ImageError(f"cannot be read from its file ({_first(error)})") from error
        if data is None:
            raise ImageError("has no bytes in its row")
        return io.BytesIO(data)

    def _read(self, row: int) -> bytes | None:
        if self._file is None:
            stack = ExitStack()
            self._file = _open(self._blob, stack)
            finalize(self, stack.close)
            at = 0
            for k in range(self._file.num_row_groups):
                self._starts.append(at)
                at += self._file.metadata.row_group(k).num_rows
        while row not in self._waiting:
            group = bisect_right(self._starts, row) - 1
            if group != self._group or row < self._next:
                self._begin(group)
            batch = next(self._batches, None)
            if batch is None:
                raise SourceError("a row group ends too early")
            self._keep(batch)
        data = self._waiting.pop(row)
        self._waiting_bytes -= len(data or b"")
        return data

    def _begin(self, group: int) -> None:
        about = self._file.metadata.row_group(group)
        rows = max(1, min(256, _BATCH_BYTES * about.num_rows // max(1, about.total_byte_size)))
        self._batches = self._file.iter_batches(
            rows, row_groups=[group], columns=[self._column], use_threads=False
        )
        self._group, self._next = group, self._starts[group]

    def _keep(self, batch: Any) -> None:
        for value in batch.column(0):
            data = value.as_py()
            if isinstance(data, dict):  # of the struct, its bytes alone were read
                data = data["bytes"]
            self._waiting[self._next] = data
            self._waiting_bytes += len(data or b"")
            self._next += 1
        # Rows that nobody came for, oldest first, but none of this batch.
        while self._waiting_bytes > _WAITING_BYTES and len(self._waiting) > len(batch):
            oldest = next(iter(self._waiting))
            self._waiting_bytes -= len(self._waiting.pop(oldest) or b"")


def parquet_rows(blob: Blob, label: str | None = None) -> Iterator[Row]:
    """Read a manifest: columns as `csv_rows` has them; labels may be a list.

    Raises
    ------
    MissingExtraError, SourceError
    """
    with _opened(blob) as file:
        names = {name.lower(): name for name in file.schema_arrow.names}
        found = label_column(list(names), label)
        missing = [c for c in ("path", label) if c and c.lower() not in names]
        if missing:
            raise SourceError(
                f"{blob.name} has no column {' and no column '.join(missing)}, nor one of images; "
                f"its columns are {', '.join(names)}"
            )
        told = [c for c in ("path", "id", "split", "group", found) if c in names]
        classes = _class_names(file, names[found]) if found else []
        for number, values in enumerate(_rows(blob, file, [names[c] for c in told]), 1):
            row = {c: values[names[c]] for c in told}
            texts = {c: str(row[c]) for c in told if c != found and row[c] is not None}
            place = f"{blob.name}, row {number}"
            if not texts.get("path"):
                raise SourceError(f"{place}: the path is empty")
            yield Row(
                number,
                texts["path"],
                texts.get("id", ""),
                None if found is None else _labels(row[found], classes),
                split_named(texts.get("split", ""), place),
                texts.get("group"),
            )


def _labels(value: Any, classes: list[str]) -> tuple[str, ...]:
    """The labels that a cell states: a name or several, or numbers of classes."""
    several = value if isinstance(value, list) else [value]
    if classes:
        # Hugging Face marks an image without a label, of a hidden test set, with -1.
        return unique(classes[k] for k in several if k is not None and 0 <= k < len(classes))
    return unique(name for one in several if one is not None for name in str(one).split("|"))
