"""Row maps whose points, neighbours and pictures can be worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from feature_files import recipe

from penult.records import Features, RowMap

CLASSES = ("aster", "daisy", "iris", "rose", "tulip")


def turned(size: int) -> np.ndarray:
    """Rows on a circle, a degree apart: the nearest are those beside a row in the file."""
    angles = np.deg2rad(np.arange(size))
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def grid_ids(size: int) -> list[str]:
    return [f"{CLASSES[k % 5]}/{k:03}.jpg" for k in range(size)]


def features_of(ids: list[str]) -> Features:
    return Features(
        features=turned(len(ids)),
        ids=ids,
        labels=np.full(len(ids), -1),
        label_names=(),
        recipe=recipe(),
    )


def grid_map(size: int = 60, across: int = 10, ids: list[str] | None = None, **changes) -> RowMap:
    """Points on a grid, of which the first is at the lower left and the second right of it."""
    ids = ids or grid_ids(size)
    places = np.arange(size)
    given = {
        "ids": ids,
        "xy": np.stack([places % across, places // across], axis=1).astype(np.float32),
        "columns": {"label": [one.split("/")[0] for one in ids]},
        "method": "tsne",
        "params": {"perplexity": 30, "seed": 0},
        "layer": "penultimate",
        "total": size,
    }
    return RowMap(**(given | changes))


def write_grid_page(path: Path, row_map: RowMap | None = None, **options) -> Path:
    from penult.reporting.map_page import write_map_page

    row_map = row_map or grid_map()
    return write_map_page(row_map, features_of(list(row_map.ids)), path, **options)
