"""The images in a Parquet file, in the layout that Hugging Face writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, BinaryIO

from penult.errors import SourceError, UsageError
from penult.images.labels.annotations import ImageEntry, split_of_name
from penult.images.labels.columns import find_label_column
from penult.images.labels.manifest_rows import parse_split
from penult.images.sources.base import (
    ImageSource,
    SourceKind,
    SourceLocation,
    SourceOptions,
    extension_of,
)
from penult.images.sources.manifest import ManifestSource
from penult.images.sources.parquet.columns import (
    class_names,
    holds_images,
    image_columns,
    labels_of,
    opened,
    parquet_rows,
    rows_of,
)
from penult.images.sources.parquet.reader import RowReader
from penult.images.sources.per_process import PerProcess
from penult.images.sources.random_access import RandomAccessFile, random_access
from penult.interface import option

__all__ = ["PARQUET", "ParquetSource"]


class ParquetSource(ImageSource):
    """The images in a column of a Parquet file, read row after row.

    The id of an image is the number of its row, in eight digits, counted from 0.

    Parameters
    ----------
    file : RandomAccessFile
        The file.
    location : SourceLocation
        Where it is, and what is around it.
    label : str or None
        The column of the labels; None leaves them unread, and "" takes ``label``, ``labels``, or
        the only column of classes.
    column : str, optional
        The column of the images; by default ``image``, or the only one.
    """

    is_sequential = True

    def __init__(
        self,
        file: RandomAccessFile,
        location: SourceLocation,
        label: str | None,
        column: str | None = None,
    ) -> None:
        super().__init__()
        self.is_remote = file.is_remote
        self._file, self._location, self._label = file, location, label
        self._column = column
        self._prefix = f"{location.prefix}/" if location.prefix else ""
        stem = file.name.replace("\\", "/").rpartition("/")[2].rpartition(".")[0]
        self._split = split_of_name(stem)
        self._reader: PerProcess[RowReader] | None = None
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def scan(self) -> Iterator[ImageEntry]:
        """Read the labels, and no image."""
        with opened(self._file) as file:
            columns = image_columns(file, self._column)
            if len(columns) > 1 and "image" not in columns:
                raise SourceError(
                    f"{self._file.name} has several columns of images: {', '.join(columns)}; "
                    f"choose one with {option('path_column', next(iter(columns)))}"
                )
            name = "image" if "image" in columns else next(iter(columns))
            self._reader = PerProcess(RowReader, self._file, columns[name])
            label = self._label_column(file, columns)
            classes = class_names(file, label) if label else []
            names = file.schema_arrow.names
            told = [c for c in (label, "split") if c is not None and c in names]
            for row, values in enumerate(rows_of(self._file, file, told)):
                self._count += 1
                place = f"{self._file.name}, row {row}"
                split = values.get("split")
                split = parse_split(split, place) if isinstance(split, str) else None
                labels = labels_of(values[label], classes, place) if label else None
                yield ImageEntry(
                    self.id(row),
                    None,
                    self._location.folders,
                    self._location.candidates,
                    labels,
                    own_split=split,
                    container_split=self._split,
                )

    def _label_column(self, file: Any, images: dict[str, str]) -> str | None:
        """The column that holds the labels, or None."""
        if self._label is None:
            return None
        names: list[str] = [x for x in file.schema_arrow.names if x not in images]
        if self._label:
            if self._label not in names:
                raise UsageError(
                    f"{self._file.name} has no column {self._label}; its columns are "
                    f"{', '.join(names)}"
                )
            return self._label
        classes = [name for name in names if class_names(file, name)]
        if "label" in names or "labels" in names:
            return "label" if "label" in names else "labels"
        if len(classes) > 1:
            raise UsageError(
                f"{self._file.name} has several columns of labels: {', '.join(classes)}; choose "
                f"one with {option('labels', f'column:{classes[0]}')}, or give "
                f"{option('labels', 'none')}"
            )
        if classes:
            return classes[0]
        lower = {name.lower(): name for name in names}
        found = find_label_column(list(lower), "", self._file.name)
        return None if found is None else lower[found]

    def id(self, index: int) -> str:
        """The number of its row."""
        return f"{self._prefix}{index:08}"

    def opener(self, index: int) -> Callable[[], BinaryIO]:
        """Read its row."""
        if self._reader is None:
            raise RuntimeError("a source is scanned before it is read")
        return partial(_open_row, self._reader, index)

    def stamp(self, index: int) -> Any:
        """What tells that the file is the same."""
        return self._file.stamp

    def place(self, index: int) -> str:
        """The file, and its row."""
        return f"{self._file.name}, row {index}"


def _open_row(reader: PerProcess[RowReader], row: int) -> BinaryIO:
    return reader().open(row)


def _open(location: SourceLocation, options: SourceOptions) -> Iterator[ImageSource]:
    file = random_access(location.argument)
    if holds_images(file, options.path_column):
        yield ParquetSource(file, location, options.label_column, options.path_column)
    elif not location.in_folder:
        rows = partial(parquet_rows, file, options.label_column, options.path_column)
        yield ManifestSource.of_file(file, rows, location, options, unit="row")


PARQUET = SourceKind(
    lambda argument: extension_of(argument) == ".parquet",
    _open,
    archive_extension=".parquet",
    has_label_column=True,
)
