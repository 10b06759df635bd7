"""Rows as points of Qdrant, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import numpy as np

from penult.databases.rows import StoredRows

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from qdrant_client import models

__all__ = ["DIRECTIONS", "ROWS", "of_table", "point_id", "to_points", "to_rows"]

ROWS, DIRECTIONS = "rows", "directions"
"""The vectors of a point: the row itself, and the row at length one."""

# Of penult's points; never changed, for points are known by it.
_NAMESPACE = UUID("5f3f7a0e-7d0b-5d0c-9c57-1c2b8a5f0d19")


def point_id(row_id: str) -> str:
    """The id of a row's point: a UUID of version 5, as Qdrant takes UUIDs and numbers alone."""
    return str(uuid5(_NAMESPACE, row_id))


def to_points(rows: StoredRows, digests: Sequence[str], table: str) -> list[models.PointStruct]:
    """Make points of rows.

    A row of zeros has no direction, and so is not found by the cosine.

    Parameters
    ----------
    rows : StoredRows
    digests : sequence of str
    table : str
        Of which table they are; see `of_table`.
    """
    from qdrant_client import models

    points = []
    for k, row in enumerate(np.asarray(rows.rows, np.float32)):
        vectors: dict[str, Any] = {ROWS: row.tolist()}
        length = np.linalg.norm(row.astype(np.float64))
        if length > 0:
            vectors[DIRECTIONS] = (row / length).astype(np.float32).tolist()
        payload = {
            "id": rows.ids[k],
            "folders": _folders(rows.ids[k]),
            "labels": list(rows.labels[k]),
            "split": rows.splits[k],
            "group": rows.groups[k],
            "content": rows.content[k],
            "position": int(rows.positions[k]),
            "digest": digests[k],
            "table": table,
        }
        points.append(models.PointStruct(id=point_id(rows.ids[k]), vector=vectors, payload=payload))
    return points


def to_rows(points: Sequence[Any], width: int) -> StoredRows:
    """Make rows of points, or of what a search found, with payload and rows."""
    payloads: list[Any] = [one.payload for one in points]
    rows: NDArray[np.float32] = np.array([one.vector[ROWS] for one in points], np.float32)
    return StoredRows(
        ids=[one["id"] for one in payloads],
        rows=rows.reshape(len(points), width),
        labels=[tuple(one["labels"]) for one in payloads],
        splits=[one["split"] for one in payloads],
        groups=[one["group"] for one in payloads],
        content=[one["content"] for one in payloads],
        positions=[one["position"] for one in payloads],
    )


def of_table(point: Any) -> str:
    """Of which table a point's row is, whatever has the table's name by now."""
    return str((point.payload or {}).get("table", ""))


def _folders(row_id: str) -> list[str]:
    """All folders that it lies in: of ``a/b/1.jpg``, ``a`` and ``a/b``."""
    parts = row_id.split("/")[:-1]
    return ["/".join(parts[: k + 1]) for k in range(len(parts))]
