"""Row maps written as PNG and SVG, and for a notebook."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult.errors import PenultError
from penult.output import atomic_output
from penult.reporting.figures.row_map.draw import Photo, draw_map
from penult.web.pictures import image_opener
from penult.web.thumbnails import square_picture
from penult.written import SIGNED, note_written

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
    with atomic_output(path, overwrite=overwrite) as temporary:
        if path.suffix.lower() == ".svg":
            _save_svg(figure, temporary)
        else:
            figure.savefig(
                temporary, format="png", bbox_inches="tight", pad_inches=0.15, metadata=SIGNED
            )
    if path.suffix.lower() == ".png":
        note_written(path.parent, path)
    if message := named.message(path.name):
        logging.getLogger("penult").warning("penult: %s", message)


def map_as_html(row_map: RowMap) -> str:
    """Draw a small picture of a map, as an HTML element for a notebook."""
    color_by = "label" if any(row_map.columns.get("label", ())) else None
    figure, _ = draw_map(row_map, color_by=color_by, small=True)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=90, bbox_inches="tight", pad_inches=0.05)
    data = base64.b64encode(out.getvalue()).decode("ascii")
    return f'<img alt="row map" style="max-width:100%" src="data:image/png;base64,{data}">'


def _save_svg(figure: Any, path: Path) -> None:
    import matplotlib

    # Text stays text; without the salt the names of its parts would be others each time.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "penult"}):
        figure.savefig(
            path,
            format="svg",
            bbox_inches="tight",
            pad_inches=0.15,
            metadata={"Date": None, "Creator": "penult"},
        )


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
