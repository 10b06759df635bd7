"""One self-contained HTML page of a dataset's copies and near-duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from penult.records import Duplicates, Features
from penult.reporting.duplicate_sections import DUPLICATE_SECTIONS, DuplicatesContent
from penult.reporting.formatting import feature_file_name, file_size
from penult.web.page import write_page
from penult.web.pictures import image_opener
from penult.web.thumbnails import Thumbnails

__all__ = ["write_duplicates_page"]


def write_duplicates_page(
    duplicates: Duplicates,
    features: Features,
    path: Path,
    *,
    images: str | Path | Sequence[str | Path] | None = None,
    offline: bool = False,
    overwrite: bool = False,
) -> Path:
    """Write a page that shows duplicates side by side.

    Its pictures are inside it, and it asks for nothing over the network. However many duplicates
    there are, it has a bounded number of pictures, and says how many were left out. A photo that
    can no longer be read, or is another by now, is an empty frame with its id.

    Parameters
    ----------
    duplicates : Duplicates
        What was found.
    features : Features
        The rows that were compared, whose images are opened from where they were made.
    path : Path
        Of the page.
    images : path, str or sequence of them, optional
        Where the images are now, if they have moved.
    offline : bool
        Never touch the network for pictures.
    overwrite : bool
        Replace the page if it is there.

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
        If it is there, or cannot be written.
    """
    file = feature_file_name(features)
    shown = DuplicatesContent(
        duplicates=duplicates, title=Path(file).stem, file=file, page=str(path)
    )
    return write_page(
        path,
        "penult.reporting",
        DUPLICATE_SECTIONS,
        shown,
        Thumbnails(image_opener(features, images, offline=offline, announce=True)),
        overwrite=overwrite,
        template="duplicates/page.html",
        folder="duplicates",
        script="web/photos.js",
        filters={"file_size": file_size},
        duplicates=duplicates,
        title=shown.title,
        contested=sum(group.contested for group in duplicates.groups),
    )
