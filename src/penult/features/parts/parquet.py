"""A part that is a Parquet file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import FeatureFileError
from penult.features.export import require_writable
from penult.features.origin import read_origin
from penult.features.parts.write import PARQUET, column_of
from penult.inputs import unreadable
from penult.machine_faults import machine_fault
from penult.messages import first_line
from penult.parsing import read_json, to_record
from penult.recipe import Recipe
from penult.records import Failure, Features
from penult.texts import Texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import AugmentedRows, Rows

__all__ = ["ParquetPart"]

_PLAIN = {"PLAIN", "RLE", "BIT_PACKED"}


@dataclass(frozen=True)
class _About:
    run: str
    part: int
    recipes: tuple[str, ...]
    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    label_names: tuple[str, ...]
    failures: tuple[tuple[str, str], ...]
    origin: Mapping[str, Any]


class ParquetPart:
    """A part that is a Parquet file; see `OpenPart`.

    Parameters
    ----------
    path : where it is
    named : what messages call it

    Raises
    ------
    FeatureFileError
        If it is damaged, or packed in another way than penult does.
    MissingExtraError
        If pyarrow is not installed.
    """

    def __init__(self, path: Path, named: str) -> None:
        require_writable(".parquet")
        from pyarrow import parquet

        self._named = named
        self._file: Any = None
        try:
            self._file = parquet.ParquetFile(path)
            # Without that key it is no part: a KeyError that names it.
            about = (self._file.schema_arrow.metadata or {})[PARQUET]
            self._about = to_record(_About, read_json(about), ignore_unknown=True)
            self._recipes = tuple(map(Recipe.from_json, self._about.recipes))
            self._require_plain()
        except Exception as error:  # whatever pyarrow makes of damage
            self.close()
            raise self._damaged(error) from error

    def _require_plain(self) -> None:
        """Refuse what claims more than there is: only pages that are not packed are read."""
        found = self._file.metadata
        for group in range(found.num_row_groups):
            for k in range(found.num_columns):
                column = found.row_group(group).column(k)
                if column.compression != "UNCOMPRESSED" or not {*column.encodings} <= _PLAIN:
                    raise ValueError(f"its column {column.path_in_schema} is packed")

    def _damaged(self, error: Exception) -> FeatureFileError:
        if machine_fault(error):
            return unreadable(self._named, error)
        return FeatureFileError(f"{self._named} is damaged: {first_line(error)[:200]}")

    @property
    def mark(self) -> tuple[str, int]:
        """See `OpenPart`."""
        return self._about.run, self._about.part

    @property
    def label_names(self) -> tuple[str, ...]:
        """See `OpenPart`."""
        return self._about.label_names

    @cached_property
    def layers(self) -> Mapping[str, tuple[Recipe, Rows]]:
        """See `OpenPart`."""
        about, count = self._about, self._file.metadata.num_rows
        if not count:
            return {}
        try:
            return {
                name: (recipe, _ParquetRows(self, column_of(name, about.names), (count, *shape)))
                for name, recipe, shape in zip(
                    about.names, self._recipes, about.shapes, strict=True
                )
            }
        except Exception as error:
            raise self._damaged(error) from error

    @property
    def views(self) -> Mapping[str, AugmentedRows]:
        """See `OpenPart`."""
        return {}

    @cached_property
    def failures(self) -> tuple[Failure, ...]:
        """See `OpenPart`."""
        return tuple(Failure(*pair) for pair in self._about.failures)

    def features(self, name: str) -> Features:
        """See `OpenPart`."""
        recipe, rows = self.layers[name]
        try:
            return self._features(name, recipe, rows)
        except Exception as error:
            raise self._damaged(error) from error

    def _features(self, name: str, recipe: Recipe, rows: Rows) -> Features:
        there, trained = {*self._file.schema_arrow.names}, f"trained:{name}"
        beside = ("id", "labels", "content", "split", "group", trained)
        table = self._file.read(columns=[one for one in beside if one in there])
        names = self._about.label_names
        index = {label: k for k, label in enumerate(names)}
        labels = [[index[one] for one in several] for several in table["labels"].to_pylist()]
        targets = None
        # As an HDF5 file has them: where some image of the whole listing has several labels.
        if max(map(len, labels), default=0) > 1:
            targets = np.zeros((len(labels), len(names)), bool)
            for row, several in zip(targets, labels, strict=True):
                row[several] = True
        return Features(
            features=rows,
            ids=_texts(table["id"]),
            labels=np.array([one[0] if len(one) == 1 else -1 for one in labels], np.int64),
            label_names=names,
            recipe=recipe,
            targets=targets,
            splits=_texts(table["split"]) if "split" in there else None,
            groups=_texts(table["group"]) if "group" in there else None,
            content=_texts(table["content"]),
            failures=self.failures,
            layers=self._about.names,
            origin=read_origin(json.dumps(dict(self._about.origin))),
            name=name,
            trained_network=(
                np.array(table[trained].to_pylist(), bool) if trained in there else None
            ),
        )

    def read(self, column: str, width: int, rows: slice) -> NDArray[Any]:
        """Read consecutive rows of a set, flat: (n, width).

        Raises
        ------
        FeatureFileError
        """
        try:
            return self._read(column, width, rows)
        except Exception as error:  # whatever pyarrow makes of damage
            raise self._damaged(error) from error

    def _read(self, column: str, width: int, rows: slice) -> NDArray[Any]:
        found = self._file.metadata
        ends = np.cumsum([found.row_group(k).num_rows for k in range(found.num_row_groups)])
        first = int(np.searchsorted(ends, rows.start, "right"))
        last = int(np.searchsorted(ends, rows.stop - 1, "right"))
        groups = [*range(first, last + 1)]
        taken = self._file.read_row_groups(groups, columns=[column])[column].combine_chunks()
        if taken.null_count or taken.type.list_size != width:
            raise ValueError(f"its {column} is no column of rows of {width}")
        start = rows.start - (int(ends[first - 1]) if first else 0)
        values = taken.slice(start, rows.stop - rows.start).flatten()
        if values.null_count:
            raise ValueError(f"a row of its {column} lacks numbers")
        return np.asarray(values.to_numpy(zero_copy_only=False)).reshape(-1, width)

    def dtype(self, column: str) -> np.dtype[Any]:
        """Of the numbers of a set of rows."""
        kind = self._file.schema_arrow.field(column).type
        return np.dtype({"float": "float32", "halffloat": "float16"}[str(kind.value_type)])

    def close(self) -> None:
        """See `OpenPart`."""
        with suppress(Exception):
            if self._file is not None:
                self._file.close()


class _ParquetRows:
    """The rows of one set; see `Rows`."""

    def __init__(self, part: ParquetPart, column: str, shape: tuple[int, ...]) -> None:
        self._part, self._column, self.shape = part, column, shape
        self.dtype = part.dtype(column)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> NDArray[Any]:
        start, stop, step = rows.indices(len(self))
        block = self._part.read(self._column, prod(self.shape[1:]), slice(start, stop))
        return block.reshape(-1, *self.shape[1:])[::step]

    def __array__(self, *args: Any, **kwargs: Any) -> NDArray[Any]:
        return np.asarray(self[:], *args, **kwargs)


def _texts(column: Any) -> Texts:
    texts = Texts()
    for text in column.to_pylist():
        texts.append(text.encode())
    return texts
