"""Find the images again that a feature file was made from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from penult.errors import PathNotFoundError, PenultError
from penult.images.labels.manifest_rows import ManifestRow
from penult.images.labels.rules import is_table, unlabelled
from penult.images.listing import Listing, as_sources, list_images
from penult.images.record_list import RecordList
from penult.images.sources.arguments import expanded_arguments, source_names
from penult.images.sources.base import SourceArgument
from penult.images.sources.manifest import ManifestSource
from penult.inputs import require_existing
from penult.offline import works_offline
from penult.records import ImageRecord

__all__ = ["Gone", "places_of", "relocate_images"]

Gone = dict[str, PenultError]
"""Places that images were in, and why there are none to be had."""

_FEW = 4


def places_of(origin: Mapping[str, Any]) -> list[str]:
    """Places that an origin names, with braces written out."""
    sources = [str(one) for one in origin.get("sources", ())]
    if not sources or "-" in sources:
        return sources
    return [str(one) for one in expanded_arguments(as_sources(sources))]


def relocate_images(
    origin: Mapping[str, Any],
    ids: Iterable[str],
    images: str | Path | Sequence[str | Path] | None = None,
    *,
    offline: bool = False,
    announce: bool = True,
    gone: Gone | None = None,
) -> Callable[[str], ImageRecord | None]:
    """Look where a feature file's images were, or are now.

    Parameters
    ----------
    origin : mapping
        The file's origin.
    ids : iterable of str
        The file's ids.
    images : path, str or sequence of them, optional
        Where the images are now, if they have moved. Where one of several places has another name
        than it had, it stands for the one that is missing.
    offline : bool
        See `list_images`.
    announce : bool
        See `list_images`.
    gone : dict, optional
        Of several places where the images were, those that cannot be looked through are added to
        it, and the others are looked through; without it, they are refused.

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
        renamed = None
    else:
        sources = as_sources(origin.get("sources", ()) if images is None else images)
        options: dict[str, Any] = {
            "labels": "none",
            # Beside a table of labels, it is that table's.
            "path_column": (
                None if is_table(origin.get("labels", "")) else origin.get("path_column")
            ),
            "offline": offline,
            "announce": announce,
        }
        if images is None and gone is not None and len(sources) > 1:
            listing = _what_is_left(expanded_arguments(sources), gone, options)
        else:
            listing = list_images(sources, **options)
        records = listing.records
        renamed = None if images is None else _renamed(origin, sources)

    def find(image_id: str) -> ImageRecord | None:
        position = records.position(image_id)
        if position is None and renamed is not None and image_id.startswith(renamed[0]):
            position = records.position(renamed[1] + image_id.removeprefix(renamed[0]))
        return None if position is None else records[position]

    return find


def _what_is_left(
    sources: Sequence[SourceArgument], gone: Gone, options: Mapping[str, Any]
) -> Listing:
    """List several sources but for those that are gone, with the ids that they have with these."""
    names, left = source_names(sources, are_there=False), list[int]()
    for place, one in enumerate(sources):
        if not isinstance(one, Path) or os.path.exists(one):  # noqa: PTH110 - False where it may not be looked at
            left.append(place)
            continue
        gone[str(one)] = PathNotFoundError(f"no such file or folder: {one}")
        if len(gone) < _FEW:  # a close name is looked for
            try:
                require_existing(one)
            except PenultError as error:
                gone[str(one)] = error
    if not left:
        raise next(iter(gone.values()))
    try:
        return _listed(sources, names, left, options)
    except PenultError:
        kept = list[int]()
        for place in left:  # an archive that is damaged, say, or an address
            try:
                _listed(sources, names, [place], options)
                kept.append(place)
            except PenultError as error:
                gone[str(sources[place])] = error
        if not kept or kept == left:
            raise
        return _listed(sources, names, kept, options)


def _listed(
    sources: Sequence[SourceArgument],
    names: Sequence[str],
    places: Sequence[int],
    options: Mapping[str, Any],
) -> Listing:
    some = [sources[place] for place in places]
    return list_images(some, names=[names[place] for place in places], **options)


def _renamed(
    origin: Mapping[str, Any], sources: Sequence[SourceArgument]
) -> tuple[str, str] | None:
    """How ids began, and how they begin now, where one of several places has another name."""
    with suppress(PenultError):
        before = source_names(as_sources(places_of(origin)), are_there=False)
        now = source_names(expanded_arguments(sources))
        old, new = set(before) - set(now), set(now) - set(before)
        if len(before) == len(now) > 1 == len(old) == len(new):
            return f"{old.pop()}/", f"{new.pop()}/"
    return None


def _by_ids(ids: Iterable[str], folder: str, offline: bool) -> RecordList:
    # What named them is gone, standard input or a table in memory, but the ids are the paths.
    rows = (ManifestRow(number, image_id) for number, image_id in enumerate(ids, 1))
    source = ManifestSource("what named the images", lambda: rows, base=folder, offline=offline)
    records = RecordList()
    records.add(source, unlabelled)
    records.sort()
    return records
