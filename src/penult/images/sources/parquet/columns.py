"""Parquet files: which of their columns hold images and labels; and manifests in Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from penult.errors import MissingExtraError, SourceError
from penult.images.labels.columns import find_label_column, find_path_column
from penult.images.labels.manifest_rows import (
    ManifestRow,
    labels_of_cell,
    parse_split,
    unique_labels,
)
from penult.images.sources.random_access import RandomAccessFile
from penult.inputs import refuse_unread
from penult.interface import option
from penult.messages import first_line
from penult.parsing import read_json
from penult.texts import composed

__all__ = [
    "_is_named",
    "class_names",
    "holds_images",
    "image_columns",
    "labels_of",
    "open_parquet",
    "opened",
    "parquet_rows",
    "rows_of",
]

_ROWS_AT_ONCE = 4096


@contextmanager
def opened(source: RandomAccessFile) -> Iterator[Any]:
    """Open a file for a while; see `open_parquet`."""
    with ExitStack() as stack:
        yield open_parquet(source, stack)


def open_parquet(source: RandomAccessFile, stack: ExitStack) -> Any:
    """Open a file until the stack is closed."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError(source.name, "parquet") from error
    stream = stack.enter_context(source.open())
    try:
        # Read in small pieces: a row group may be larger than the memory there is.
        file = parquet.ParquetFile(stream, buffer_size=1 << 18, pre_buffer=False)
        _features(file)  # are readable, if there are any
    except (pa.ArrowException, OSError, SourceError) as error:
        refuse_unread(source.name, error)
        raise SourceError(
            f"{source.name} is not a readable Parquet file: {first_line(error)}"
        ) from error
    return stack.enter_context(file)


def _features(file: Any) -> dict[str, Any]:
    """What the Hugging Face library noted about the columns."""
    try:
        noted = read_json(file.schema_arrow.metadata[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError):
        return {}
    except ValueError as error:
        raise SourceError(
            f"what it notes of its columns (huggingface) is no JSON: {error}"
        ) from error
    return noted if isinstance(noted, dict) else {}


def image_columns(file: Any, wanted: str | None = None) -> dict[str, str]:
    """Columns of images, to the path of their bytes.

    Parameters
    ----------
    file : ParquetFile
        An open one.
    wanted : str, optional
        The column that the user named, which is the only one then; in any case.
    """
    from pyarrow import types

    noted, found = _features(file), {}
    for field in file.schema_arrow:
        kind, said = field.type, noted.get(field.name)
        is_said = isinstance(said, dict) and said.get("_type") == "Image"
        if types.is_struct(kind) and _is_binary(_bytes_of(kind)):
            found[field.name] = f"{field.name}.bytes"
        elif _is_binary(kind) and (is_said or wanted or _is_usual(field.name)):
            found[field.name] = field.name
    if wanted is not None:
        return {name: path for name, path in found.items() if _is_named(name, wanted)}
    return found


def _is_usual(name: str) -> bool:
    return name == "bytes" or find_path_column([name.lower()], None, "") is not None


def _is_named(name: str, wanted: str) -> bool:
    """Whether a column is the one that was typed."""
    return composed(name).lower() == composed(wanted).lower()


def _bytes_of(kind: Any) -> Any:
    at = kind.get_field_index("bytes")
    return kind.field(at).type if at >= 0 else None


def _is_binary(kind: Any) -> bool:
    from pyarrow import types

    return kind is not None and (types.is_binary(kind) or types.is_large_binary(kind))


def holds_images(source: RandomAccessFile, wanted: str | None = None) -> bool:
    """Whether a Parquet file has a column of images; if not, it may be a manifest.

    Parameters
    ----------
    source : RandomAccessFile
        The file.
    wanted : str, optional
        The column that the user named.

    Raises
    ------
    MissingExtraError, SourceError
    """
    with opened(source) as file:
        return bool(image_columns(file, wanted))


def class_names(file: Any, column: str) -> list[str]:
    """The names of the classes that a column's numbers stand for."""
    said = _features(file).get(column)
    if isinstance(said, list) and said:
        said = said[0]
    if isinstance(said, dict) and isinstance(said.get("feature"), dict):
        said = said["feature"]
    if isinstance(said, dict) and said.get("_type") == "ClassLabel":
        return [str(name) for name in said.get("names", ())]
    return []


def rows_of(source: RandomAccessFile, file: Any, columns: list[str]) -> Iterator[dict[str, Any]]:
    """Some columns of every row."""
    import pyarrow as pa

    if not columns:
        yield from ({} for _ in range(file.metadata.num_rows))
        return
    try:
        for batch in file.iter_batches(_ROWS_AT_ONCE, columns=columns):
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:  # also text that is not UTF-8
        refuse_unread(source.name, error)
        raise SourceError(f"{source.name} is damaged: {first_line(error)}") from error


def parquet_rows(
    source: RandomAccessFile, label: str | None = "", path: str | None = None
) -> Iterator[ManifestRow]:
    """Read a manifest: columns as `csv_rows` has them; labels may be a list.

    Raises
    ------
    MissingExtraError, SourceError
    """
    with opened(source) as file:
        names = {name.lower(): name for name in file.schema_arrow.names}
        place = find_path_column(list(names), path, source.name)
        found = find_label_column(list(names), label, source.name)
        if place is None:
            raise SourceError(
                f"{source.name} has no column path, nor one of images; its columns are "
                f"{', '.join(names)}; {option('path_column', 'NAME')} says which is meant"
            )
        told = [c for c in (place, "id", "split", "group", found) if c in names]
        classes = class_names(file, names[found]) if found else []
        for number, values in enumerate(rows_of(source, file, [names[c] for c in told]), 1):
            row = {c: values[names[c]] for c in told}
            texts = {c: str(row[c]) for c in told if c != found and row[c] is not None}
            row_name = f"{source.name}, row {number}"
            if not texts.get(place):
                raise SourceError(f"{row_name}: the {place} is empty")
            yield ManifestRow(
                number,
                texts[place],
                texts.get("id", ""),
                None if found is None else labels_of(row[found], classes, row_name),
                parse_split(texts.get("split", ""), row_name),
                texts.get("group"),
            )


def labels_of(value: Any, classes: list[str], place: str) -> tuple[str, ...]:
    """The labels that a cell states: a name or several, or numbers of classes.

    Raises
    ------
    SourceError
        As `labels_of_cell` does.
    """
    several = value if isinstance(value, list) else [value]
    if classes:
        # Hugging Face marks an image without a label, of a hidden test set, with -1.
        return unique_labels(classes[k] for k in several if k is not None and 0 <= k < len(classes))
    return unique_labels(name for one in several for name in labels_of_cell(_text(one), place))


def _text(cell: Any) -> str:
    # A column with gaps may hold whole numbers as floats.
    if cell is None or cell != cell:
        return ""
    return str(int(cell) if isinstance(cell, float) and cell.is_integer() else cell)
