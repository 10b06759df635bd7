"""How large a feature file will be, before there is a row of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from math import ceil, prod
from typing import Any, Literal

import numpy as np

from penult.features import schema
from penult.features.projections import projections_of
from penult.features.write import Columns, FeatureWriter
from penult.recipe import Projection, Recipe
from penult.records import AugmentedRecord, Failure, ImageRecord

__all__ = ["estimate_bytes"]

_MEASURED = 10_000
_VIEW_BYTES = 16  # of an augmented row: which row it belongs to, which view it is


def estimate_bytes(
    records: Sequence[ImageRecord],
    recipes: Sequence[Recipe],
    shapes: Sequence[tuple[int, ...]],
    columns: Columns | None = None,
    names: Sequence[str] | None = None,
    *,
    dtype: Literal["float32", "float16"] = "float32",
    failures: Sequence[Failure] = (),
    origin: Mapping[str, Any] | None = None,
) -> int:
    """Estimate the size of a feature file.

    Chunks of rows are counted; all that is beside them is written, into memory, by the writer
    itself. Where there are more than 10,000 images, it is extrapolated from so many. Augmented
    views are counted as their rows and 16 bytes each.

    Parameters
    ----------
    shapes : of one row, one a recipe
    columns : where it is known already what these records need
    names : of the sets of rows, as for `FeatureWriter`
    """
    itemsize = np.dtype(dtype).itemsize
    columns = columns or Columns.of(records)
    photos = len(records) - columns.augmented
    # Of a listing, each record is made anew when it is looked at.
    measured: Sequence[ImageRecord] = [*records[:_MEASURED]]
    if columns.augmented:  # they may stand anywhere among the photos
        only_photos = (one for one in records if not isinstance(one, AugmentedRecord))
        measured = list(islice(only_photos, _MEASURED))
    writer = FeatureWriter(None, recipes, columns, names, dtype=dtype, origin=origin)
    # In blocks as an extraction writes them: a first row alone, then as many as there may be.
    for batch in (measured[:1], *_blocks(measured[1:])):
        stand_in = np.zeros((len(batch), 1), np.float32)
        writer.append(batch, ["0" * 32] * len(batch), [stand_in] * len(recipes))
    writer.finish(failures)
    with writer.in_memory() as file:
        size = int(file.id.get_filesize())
    arrays = sum(_nbytes(one) for one in projections_of(recipes).values())
    beside = size - arrays - len(recipes) * _chunked(len(measured), (1,), itemsize)
    rows = sum(
        _chunked(count, shape, itemsize)
        for count in (photos, columns.augmented)
        for shape in shapes
    )
    views = columns.augmented * _VIEW_BYTES
    return rows + views + arrays + ceil(beside * photos / len(measured))


def _nbytes(projection: Projection) -> int:
    arrays = projection.mean, projection.components, projection.explained_variance
    return sum(array.nbytes for array in arrays)


def _blocks(records: Sequence[ImageRecord]) -> Iterator[Sequence[ImageRecord]]:
    for start in range(0, len(records), 1024):
        yield records[start : start + 1024]


def _chunked(count: int, shape: tuple[int, ...], itemsize: int) -> int:
    """Bytes of `count` rows in whole chunks."""
    row_bytes = prod(shape) * itemsize
    chunk = schema.rows_a_chunk(row_bytes)
    return ceil(count / chunk) * chunk * row_bytes
