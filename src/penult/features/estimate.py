"""How large a feature file will be, before there is a row of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil, prod
from typing import Any, Literal

import numpy as np

from penult.features import schema
from penult.features.write import Columns, FeatureWriter
from penult.recipe import Recipe
from penult.records import Failure, ImageRecord

__all__ = ["estimate_bytes"]

_MEASURED = 10_000


def estimate_bytes(
    records: Sequence[ImageRecord],
    recipes: Sequence[Recipe],
    shapes: Sequence[tuple[int, ...]],
    columns: Columns | None = None,
    *,
    dtype: Literal["float32", "float16"] = "float32",
    failures: Sequence[Failure] = (),
    origin: Mapping[str, Any] | None = None,
) -> int:
    """Estimate the size of a feature file.

    Chunks of rows are counted; all that is beside them is written, into memory, by the writer
    itself. Where there are more than 10,000 images, it is extrapolated from so many.

    Parameters
    ----------
    shapes : of one row, one a recipe
    columns : where it is known already what these records need
    """
    itemsize = np.dtype(dtype).itemsize
    measured = records[:_MEASURED]
    writer = FeatureWriter(
        None, recipes, columns or Columns.of(records), dtype=dtype, origin=origin
    )
    # In blocks as an extraction writes them: a first row alone, then as many as there may be.
    for batch in (measured[:1], *_blocks(measured[1:])):
        stand_in = np.zeros((len(batch), 1), np.float32)
        writer.append(batch, ["0" * 32] * len(batch), [stand_in] * len(recipes))
    writer.finish(failures)
    with writer.in_memory() as file:
        size = int(file.id.get_filesize())
    beside = size - len(recipes) * _chunked(len(measured), (1,), itemsize)
    rows = sum(_chunked(len(records), shape, itemsize) for shape in shapes)
    return rows + ceil(beside * len(records) / len(measured))


def _blocks(records: Sequence[ImageRecord]) -> Iterator[Sequence[ImageRecord]]:
    for start in range(0, len(records), 1024):
        yield records[start : start + 1024]


def _chunked(count: int, shape: tuple[int, ...], itemsize: int) -> int:
    """Bytes of `count` rows in whole chunks."""
    row_bytes = prod(shape) * itemsize
    chunk = schema.rows_a_chunk(row_bytes)
    return ceil(count / chunk) * chunk * row_bytes
