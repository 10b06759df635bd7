"""The labels that a gallery's images have at present: its own, as they were changed since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penult.images.labels.label_table import label_table
from penult.tabular import text_columns

if TYPE_CHECKING:
    from penult.retrieve.search.gallery import Gallery
    from penult.serving.labels.log import LabelLog

__all__ = ["current_label", "current_table", "stored_label"]


def stored_label(gallery: Gallery, image_id: str) -> str | None:
    """The label that an image came with; several are separated by ``|``, and None is none."""
    return "|".join(sorted(gallery.labels(gallery.place(image_id)))) or None


def current_label(gallery: Gallery, log: LabelLog | None, image_id: str) -> str | None:
    """The label that an image has at present."""
    entry = None if log is None else log.state().get(image_id)
    return stored_label(gallery, image_id) if entry is None else entry.new


def current_table(gallery: Gallery, log: LabelLog | None) -> bytes:
    """Write the labels of all images as the table that ``labels`` of `penult.extract` takes.

    Raises
    ------
    UsageError
        If an image cannot be named in a table, or its label cannot stand there.
    """
    changed = {} if log is None else log.state()
    features = gallery.features
    columns: dict[str, list[str | None]]
    if features is None:
        columns = {"id": [*gallery.places], "label": [None] * len(gallery.places)}
    else:
        columns = {name: list(column) for name, column in text_columns(features).items()}
    columns["label"] = [
        changed[str(one)].new if str(one) in changed else label
        for one, label in zip(columns["id"], columns["label"], strict=True)
    ]
    return label_table(columns, "the table of labels")
