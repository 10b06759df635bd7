"""Find the images again that a feature file was made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from penult.images.labels.manifest_rows import ManifestRow
from penult.images.labels.rules import is_table, unlabelled
from penult.images.listing import as_sources, list_images
from penult.images.record_list import RecordList
from penult.images.sources.manifest import ManifestSource
from penult.offline import works_offline
from penult.records import ImageRecord

__all__ = ["relocate_images"]


def relocate_images(
    origin: Mapping[str, Any],
    ids: Iterable[str],
    images: str | Path | Sequence[str | Path] | None = None,
    *,
    offline: bool = False,
    announce: bool = True,
) -> Callable[[str], ImageRecord | None]:
    """Look where a feature file's images were, or are now.

    Parameters
    ----------
    origin : mapping
        The file's origin.
    ids : iterable of str
        The file's ids.
    images : path, str or sequence of them, optional
        Where the images are now, if they have moved.
    offline : bool
        See `list_images`.
    announce : bool
        See `list_images`.

    Returns
    -------
    callable
        From an id to its image, or None where it is not there.

    Raises
    ------
    UsageError, SourceError
    """
    if "folder" in origin and images is None:
        records = _by_ids(ids, str(origin.get("folder", ".")), works_offline(offline))
    else:
        listing = list_images(
            as_sources(origin.get("sources", ()) if images is None else images),
            labels="none",
            # Beside a table of labels, it is that table's.
            path_column=None if is_table(origin.get("labels", "")) else origin.get("path_column"),
            offline=offline,
            announce=announce,
        )
        records = listing.records

    def find(image_id: str) -> ImageRecord | None:
        position = records.position(image_id)
        return None if position is None else records[position]

    return find


def _by_ids(ids: Iterable[str], folder: str, offline: bool) -> RecordList:
    # What named them is gone, standard input or a table in memory, but the ids are the paths.
    rows = (ManifestRow(number, image_id) for number, image_id in enumerate(ids, 1))
    source = ManifestSource("what named the images", lambda: rows, base=folder, offline=offline)
    records = RecordList()
    records.add(source, unlabelled)
    records.sort()
    return records
