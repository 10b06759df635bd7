"""Row maps written as PNG and SVG, and for a notebook."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from penult.errors import PenultError
from penult.reporting.figures.export import to_file, to_html_picture
from penult.reporting.figures.row_map.draw import Photo, draw_map
from penult.web.pictures import image_opener
from penult.web.thumbnails import square_picture

if TYPE_CHECKING:
    from PIL import Image

    from penult.records import Features, RowMap

__all__ = ["map_as_html", "write_map_figure"]

_PHOTO_PIXELS = 108  # twice as large as it is drawn at 150 dots an inch


def write_map_figure(
    row_map: RowMap,
    path: Path,
    *,
    color_by: str | None,
    features: Features | None = None,
    images: str | Path | Sequence[str | Path] | None = None,
    offline: bool = False,
    overwrite: bool = False,
) -> None:
    """Write a map as a picture, by its suffix PNG or SVG, whole or not at all.

    Parameters
    ----------
    row_map : RowMap
    path : path
    color_by : str or None
        The column of `RowMap.columns` that colours stand for.
    features : Features, optional
        Whose photos are drawn in place of dots; None for dots.
    images, offline
        As for `penult.web.pictures.image_opener`.
    overwrite : bool, default=False
        Replace `path` if it exists.

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
    UsageError, SourceError
        If there is nothing at `images`.
    """
    photo = None
    if features is not None:
        photo = _photos(features, images, offline=offline, named=path.name)
    figure, named = draw_map(row_map, color_by=color_by, photo=photo)
    to_file(figure, path, overwrite=overwrite)
    if message := named.message(path.name):
        logging.getLogger("penult").warning("penult: %s", message)


def map_as_html(row_map: RowMap, color_by: str | None) -> str:
    """Draw a small picture of a map, as an HTML element for a notebook."""
    figure, _ = draw_map(row_map, color_by=color_by, small=True)
    return to_html_picture(figure, "row map")


def _photos(
    features: Features,
    images: str | Path | Sequence[str | Path] | None,
    *,
    offline: bool,
    named: str,
) -> Photo:
    open_image = image_opener(features, images, offline=offline, announce=True, page=named)

    def photo(image_id: str) -> Image.Image | None:
        # One that is gone or broken since its row was made costs its picture, not the map.
        try:
            data = open_image(image_id)
            return None if data is None else square_picture(data, _PHOTO_PIXELS)
        except (OSError, PenultError):
            return None

    return photo
