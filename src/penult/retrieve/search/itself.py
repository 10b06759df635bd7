"""Which row of the gallery a query is itself: that row is none of its neighbours."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from penult.features.origin import every_origin
from penult.texts import without_loss

if TYPE_CHECKING:
    from penult.records import Features, ImageRecord
    from penult.retrieve.search.searched import KnownRow, Searched

__all__ = ["rows_of_features", "rows_of_photos"]


def rows_of_photos(
    gallery: Searched, photos: Sequence[tuple[ImageRecord, str]]
) -> list[KnownRow | None]:
    """Find the rows of the gallery that photos are themselves; None of those that it does not have.

    It is the row whose image has the same bytes, and whose id is the photo's or the end of its
    path: ``daisy/1.jpg`` for ``/data/flowers/daisy/1.jpg``. So it is known from wherever it is
    typed, and after the whole folder has moved; a copy under another name is another photo. Of
    several such ids, the longest is meant.

    Parameters
    ----------
    gallery : Searched
    photos : sequence of (ImageRecord, str)
        Each with the digest of its bytes; "" where there is no file, and so no row of its own.
    """
    names = [[record.id, *_endings(record)] if digest else [] for record, digest in photos]
    known = gallery.known({name for own in names for name in own})
    return [
        next((row for one in own if (row := _same(known.get(one), digest)) is not None), None)
        for own, (_, digest) in zip(names, photos, strict=True)
    ]


def _same(row: KnownRow | None, digest: str) -> KnownRow | None:
    return row if row is not None and row.content in ("", digest) else None


def _endings(record: ImageRecord) -> Iterator[str]:
    """The ends of a file's path, the longest first: as it was given, and where links lead."""
    if record.path is None:
        return
    given = os.path.abspath(record.path)  # noqa: PTH100 - leaves links as they are
    for path in dict.fromkeys((given, os.path.realpath(given))):
        text = without_loss(os.fsencode(path)).replace(os.sep, "/")
        yield text
        while "/" in text:
            text = text.partition("/")[2]
            if text:
                yield text


def rows_of_features(
    gallery: Searched, queries: Features, places: Sequence[int]
) -> list[KnownRow | None]:
    """Find the rows of the gallery that rows of a feature file are; None where there are none.

    It is the row of the same id, if both images have the same bytes; where their digests are not
    known, if both files were made of the same sources.

    Parameters
    ----------
    gallery : Searched
    queries : Features
        The file.
    places : sequence of int
        Which of its rows.
    """
    ids = [str(queries.ids[place]) for place in places]
    known = gallery.known(ids)
    sources = [one["sources"] for one in every_origin(gallery.origin) if "sources" in one]
    is_itself = gallery.features_of(ids) is queries
    same = queries.origin.get("sources") in sources
    found: list[KnownRow | None] = []
    for place, one in zip(places, ids, strict=True):
        row = known.get(one)
        if row is not None and not is_itself:
            theirs = "" if queries.content is None else str(queries.content[place])
            if not (theirs == row.content if theirs and row.content else same):
                row = None
        found.append(row)
    return found
