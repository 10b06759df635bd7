"""The labels of a gallery as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penult.images.labels.label_table import label_table
from penult.tabular import text_columns

if TYPE_CHECKING:
    from penult.retrieve.search.gallery import Gallery
    from penult.serving.labels.corrected import LabelsNow

__all__ = ["gallery_table"]


def gallery_table(gallery: Gallery, now: LabelsNow) -> bytes:
    """Write the labels of all images as the table that ``labels`` of `penult.extract` takes.

    Parameters
    ----------
    gallery : Gallery
    now : LabelsNow
        The labels of its rows.

    Returns
    -------
    bytes
        CSV in UTF-8.

    Raises
    ------
    UsageError
        If an image cannot be named in a table, or its label cannot stand there.
    """
    features = gallery.features
    known = {"id": [*gallery.places]} if features is None else text_columns(features)
    columns: dict[str, list[str | None]] = {name: list(column) for name, column in known.items()}
    return label_table({**columns, "label": list(now.labels)}, "the table of labels")
