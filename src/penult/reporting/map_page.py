"""One self-contained HTML page of a row map, with the pictures in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.output import atomic_output, check_output
from penult.progress import announce, shown
from penult.records import Features, RowMap
from penult.web.map.data import map_data, map_json, with_pictures
from penult.web.map.neighbors import map_neighbors
from penult.web.map.order import morton_order
from penult.web.map.pictures import MapPictures, map_pictures
from penult.web.page import render_page
from penult.web.pictures import image_opener
from penult.web.thumbnails import Thumbnails
from penult.wording import count

if TYPE_CHECKING:
    from penult.records import Rows

__all__ = ["write_map_page"]

MOST_POINTS = 100_000
"""Of a page: more are no longer moved smoothly, and a random part of them is shown."""

MOST_BYTES = 30_000_000
"""Of a page, which browsers open at once and people still send each other."""

_SEVERAL = (
    "An image that has several is counted with each, shown while one of them is, and has the "
    "colour of the rarest of those."
)

_FRAME_BYTES = 200_000  # of the page without its data: style sheets, script, header
_IN_MEMORY = 1 << 30  # bytes of rows that are read at once


def write_map_page(
    row_map: RowMap,
    features: Features,
    path: Path,
    *,
    columns: Mapping[str, Sequence[Any]] | None = None,
    color_by: str | None = None,
    images: str | Path | Sequence[str | Path] | None = None,
    offline: bool = False,
    escape_formulas: bool = False,
    overwrite: bool = False,
) -> Path:
    """Write a page on which a map can be explored: zoomed, searched, coloured, selected from.

    Its pictures are inside it, and it asks for nothing over the network. It has at most 100,000
    points and 30 MB: of more points a random part is shown, and pictures that do not fit are left
    out; the page says so. An image that can no longer be read, or is another by now, is a dot.

    The page's data are one block of JSON, ``<script type="application/json" id="map-data">``, as
    `penult.web.map.data.map_data` describes it.

    Parameters
    ----------
    row_map : RowMap
        The points.
    features : Features
        The rows that it is of, among which the neighbours in the full space are looked for, and
        whose images are opened from where they were made.
    path : Path
        Of the page.
    columns : mapping of str to sequence, length N each, optional
        What may colour the map beside its own columns, a value for each of its rows, None where
        there is none. Floats are measured (confidence, an outlier score); texts, True and False and
        integers name (a cluster, a predicted class, a group of duplicates).
    images : path, str or sequence of them, optional
        Where the images are now, if they have moved.
    offline : bool
        Never touch the network for pictures.
    escape_formulas : bool
        In CSV that is saved from the page, put an apostrophe before names that a spreadsheet would
        run.
    overwrite : bool
        Replace the page if it is there.

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    UsageError
        If a column has more or fewer values than the map has rows.
    UnknownNameError
        If a row of the map is none of the features.
    OutputExistsError, PathNotFoundError, OutputError
        If the page is there, or cannot be written.
    """
    check_output(path, overwrite=overwrite)
    every = {**row_map.columns, **(columns or {})}
    part, every = _sampled(row_map, every)
    rows, ids = _rows_of(part, features), [str(one) for one in part.ids]
    file = Path(getattr(features.features, "file_name", ""))
    with shown(None) as tell:
        announce("nearest neighbours")
        neighbors = map_neighbors(rows, row_map.metric, tell)
        data = map_json(
            map_data(
                file.stem or path.stem,
                ids,
                part.xy,
                every,
                neighbors,
                joined=row_map.joined,
                color_by=color_by,
                notes=dict.fromkeys(row_map.joined, _SEVERAL),
                escape_formulas=escape_formulas,
            )
        )
        room = MOST_BYTES - _FRAME_BYTES - len(data)
        open_image = image_opener(features, images, offline=offline, announce=True)
        pictures = map_pictures(ids, morton_order(part.xy), open_image, room, tell)
    with atomic_output(path, overwrite=overwrite) as partial:
        notes = _notes(len(row_map), len(part), pictures)
        html = _rendered(row_map, file.name, len(part), notes, with_pictures(data, pictures))
        partial.write_bytes(html)
    return path


def _rendered(row_map: RowMap, file: str, points: int, notes: Sequence[str], data: str) -> bytes:
    from markupsafe import Markup

    label = f"Map of {count(points, 'image')}. Arrows move, plus and minus zoom, Enter opens."
    return render_page(
        "penult.reporting",
        (),
        None,
        Thumbnails(lambda _: None),
        template="map/page.html",
        script="web/map/map.js",
        file=file,
        points=points,
        method=row_map.method_line,
        quality=row_map.quality_line,
        caution=row_map.caution,
        notes=notes,
        map_label=label,
        data=Markup(data),
    )


def _sampled(
    row_map: RowMap, columns: Mapping[str, Sequence[Any]]
) -> tuple[RowMap, dict[str, Sequence[Any]]]:
    """The map, or a random part of it where it has too many points; and its columns."""
    total = len(row_map)
    if total <= MOST_POINTS:
        return row_map, dict(columns)
    drawn = np.sort(np.random.default_rng(0).permutation(total)[:MOST_POINTS])
    # A column of another length is refused later, in words.
    some = {
        name: [values[k] for k in drawn] if len(values) == total else values
        for name, values in columns.items()
    }
    part = replace(row_map, ids=[row_map.ids[k] for k in drawn], xy=row_map.xy[drawn], columns={})
    return part, some


def _rows_of(row_map: RowMap, features: Features) -> Rows:
    """The features' rows in the order of the map."""
    if list(row_map.ids) != list(features.ids):
        return features.take([str(one) for one in row_map.ids]).features
    rows = features.features
    size = int(np.prod(rows.shape)) * rows.dtype.itemsize
    return np.asarray(rows[:]) if size <= _IN_MEMORY else rows


def _notes(total: int, points: int, pictures: MapPictures) -> list[str]:
    """What the page does not show, in sentences."""
    notes = []
    if points < total:
        notes.append(
            f"{points:,} of {count(total, 'point')} are shown, drawn at random; neighbours are "
            "looked for among them."
        )
    if pictures.left_out:
        notes.append(
            f"{count(pictures.shown, 'image')} have pictures, drawn at random; those of "
            f"{pictures.left_out:,} are left out, for which a page of {MOST_BYTES // 10**6} MB has "
            "no room."
        )
    if pictures.missing:
        notes.append(
            f"{count(pictures.missing, 'image')} could not be read, or have changed since, and "
            "have no picture."
        )
    return notes
