"""How large a folder of rows would be, by its parts."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.features.estimate import estimate_bytes
from penult.features.parts.header import PartsHeader
from penult.features.parts.write import write_parquet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import ImageRecord

__all__ = ["estimate_parts"]

_MEASURED_PARTS = 8
_MEASURED_RECORDS = 10_000
_ENTRY_BYTES = 200  # of a part, in the manifest


def estimate_parts(
    header: PartsHeader,
    records: Sequence[ImageRecord],
    places: NDArray[np.int64],
    shapes: Sequence[tuple[int, ...]],
) -> int:
    """Estimate the bytes of all parts, each of which has its own header, texts and whole chunks.

    Some of the parts are measured, the last one among them, which may have fewer images.

    Parameters
    ----------
    header : PartsHeader
        Of the run.
    records : sequence of ImageRecord
        In the order of the run, with the augmented views.
    places : array
        Where each part begins, and behind the last one the end.
    shapes : sequence of tuple of int
        Of one row, one a set of rows.
    """
    parts, photos = len(places) - 1, len(records) - header.columns.augmented

    def measured(k: int) -> int:
        some = records[int(places[k]) : int(places[k + 1])]
        own = min(header.part_images, photos - k * header.part_images)
        return _part_bytes(header, some, shapes, augmented=len(some) - own)

    most = min(_MEASURED_PARTS, max(1, _MEASURED_RECORDS // int(np.diff(places).max())))
    sizes = [measured(k) for k in np.linspace(0, parts - 2, min(most, parts - 1)).astype(int)]
    of_all = (parts - 1) * float(np.mean(sizes)) if sizes else 0.0
    return round(of_all) + measured(parts - 1) + parts * _ENTRY_BYTES


def _part_bytes(
    header: PartsHeader,
    records: Sequence[ImageRecord],
    shapes: Sequence[tuple[int, ...]],
    *,
    augmented: int,
) -> int:
    if header.format == "h5":
        return estimate_bytes(
            records,
            [*header.recipes.values()],
            shapes,
            replace(header.columns, augmented=augmented),
            header.names,
            dtype=header.dtype,
            origin=header.origin,
        )
    some = [*records[:_MEASURED_RECORDS]]
    # Rows are as large as their numbers: one of each stands in for all.
    stand_in: list[NDArray[Any]] = [np.zeros((len(some), 1), header.dtype) for _ in shapes]
    buffer = io.BytesIO()
    write_parquet(buffer, header, 1, some, ["0" * 32] * len(some), stand_in, ())
    row = np.dtype(header.dtype).itemsize
    beside = buffer.tell() - len(some) * len(shapes) * row
    return round(len(records) * (row * sum(map(prod, shapes)) + beside / len(some)))
