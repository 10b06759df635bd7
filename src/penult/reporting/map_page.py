"""One self-contained HTML page of a row map, with the pictures in it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from penult.output import check_output
from penult.progress import shown
from penult.records import Features, RowMap
from penult.reporting.map_block import MapBlock, map_block
from penult.web.page import write_page
from penult.web.pictures import image_opener, missing_images
from penult.web.thumbnails import Thumbnails

__all__ = ["write_map_page"]

MOST_POINTS = 100_000
"""Of a page: more are no longer moved smoothly, and a random part of them is shown."""

MOST_BYTES = 30_000_000
"""Of a page, which browsers open at once and people still send each other."""

_FRAME_BYTES = 200_000  # of the page without its data: style sheets, script, header


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
    file = Path(getattr(features.features, "file_name", ""))
    open_image = image_opener(features, images, offline=offline, announce=True)
    with shown(None) as tell:
        block = map_block(
            row_map,
            features,
            file.stem or path.stem,
            open_image,
            tell,
            columns={**row_map.columns, **(columns or {})},
            most_points=MOST_POINTS,
            most_bytes=MOST_BYTES - _FRAME_BYTES,
            page=f"a page of {MOST_BYTES // 10**6} MB",
            joined=row_map.joined,
            color_by=color_by,
            escape_formulas=escape_formulas,
        )
    written = _write(path, block, file.name, overwrite=overwrite)
    if block.missing and not open_image.lacks_places:
        gone = missing_images(block.missing, may_have_moved=images is None)
        logging.getLogger("penult").warning("penult: %s has no pictures of %s", path, gone)
    return written


def _write(path: Path, block: MapBlock, file: str, *, overwrite: bool) -> Path:
    from markupsafe import Markup

    return write_page(
        path,
        "penult.reporting",
        (),
        None,
        Thumbnails(lambda _: None),
        overwrite=overwrite,
        template="map/page.html",
        script="web/map/map.js",
        file=file,
        points=block.points,
        method=block.row_map.method_line,
        quality=block.row_map.quality_line,
        caution=block.row_map.caution,
        notes=block.notes,
        map_label=block.label,
        data=Markup(block.data),
    )
