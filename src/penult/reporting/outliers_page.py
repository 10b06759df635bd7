"""One self-contained HTML page of outliers, with their pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from penult.records import Features, Outliers
from penult.reporting.formatting import feature_file_name
from penult.reporting.outlier_sections import OUTLIER_SECTIONS, OutliersContent
from penult.web.page import write_page
from penult.web.thumbnails import Thumbnails

__all__ = ["write_outliers_page"]


def write_outliers_page(
    outliers: Outliers,
    features: Features,
    path: Path,
    open_image: Callable[[str], bytes | None],
    *,
    overwrite: bool = False,
) -> Path:
    """Write a page that shows unusual images, each with its neighbours, and odd pictures.

    Its pictures are inside it, and it asks for nothing over the network. It shows 60 unusual
    images, and 48 pictures of each kind that is odd; it says how many are left out. A photo that
    can no longer be read, or is another by now, is an empty frame with its id.

    Parameters
    ----------
    outliers : Outliers
        What was found.
    features : Features
        The rows that were compared.
    path : Path
        Of the page.
    open_image : callable
        From an id to the image file's bytes, or None where they cannot be had.
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
    odd = {one for issue in outliers.issues if not issue.common for one in issue.ids}
    return write_page(
        path,
        "penult.reporting",
        OUTLIER_SECTIONS,
        OutliersContent(outliers=outliers, file=file),
        Thumbnails(open_image),
        overwrite=overwrite,
        template="outliers/page.html",
        folder="outliers",
        script="web/photos.js",
        outliers=outliers,
        odd=len(odd),
        title=Path(file).stem,
    )
