"""Which row of the gallery a query is itself: that row is none of its neighbours."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from penult.features.origin import every_origin
from penult.texts import without_loss

if TYPE_CHECKING:
    from penult.records import Features, ImageRecord
    from penult.retrieve.search.gallery import Gallery

__all__ = ["place_of_photo", "place_of_row"]


def place_of_photo(gallery: Gallery, record: ImageRecord, digest: str) -> int:
    """Where in the gallery a photo's own row is; -1 where it has none.

    It is the row whose image has the same bytes, and whose id is the photo's or the end of its
    path: ``daisy/1.jpg`` for ``/data/flowers/daisy/1.jpg``. So it is known from wherever it is
    typed, and after the whole folder has moved; a copy under another name is another photo. Of
    several such ids, the longest is meant.

    Parameters
    ----------
    gallery : Gallery
    record : ImageRecord
        The photo.
    digest : str
        Of its bytes; "" where there is no file, and so no row of its own.
    """
    if not digest:
        return -1
    content = None if gallery.features is None else gallery.features.content
    for name in (record.id, *_endings(record)):
        place = gallery.places.get(name, -1)
        if place >= 0 and (content is None or content[place] in ("", digest)):
            return place
    return -1


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


def place_of_row(gallery: Gallery, queries: Features, number: int) -> int:
    """Where in the gallery the row of another feature file is; -1 where it is not.

    It is the row of the same id, if both images have the same bytes; where their digests are not
    known, if both files were made of the same sources.

    Parameters
    ----------
    gallery : Gallery
    queries : Features
        The other file.
    number : int
        Which of its rows.
    """
    place = gallery.places.get(str(queries.ids[number]), -1)
    ours = gallery.features
    if place < 0 or ours is None or ours is queries:
        return place
    digests = [
        "" if content is None else str(content[at])
        for content, at in ((ours.content, place), (queries.content, number))
    ]
    if all(digests):
        return place if digests[0] == digests[1] else -1
    known = [one["sources"] for one in every_origin(ours.origin) if "sources" in one]
    return place if queries.origin.get("sources") in known else -1
