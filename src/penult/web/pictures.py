"""The image files of a page, found where its rows were made."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from penult.errors import PenultError
from penult.features.origin import where_to_look
from penult.images.read import digest_of, read_bytes
from penult.images.relocate import relocate_images
from penult.interface import command, option
from penult.records import Features, ImageRecord
from penult.representation import short_text
from penult.wording import count

__all__ = ["image_finder", "image_opener", "missing_images"]


def missing_images(
    number: int, images: str | Path | Sequence[str | Path] | None, *, first: str | None = None
) -> str:
    """Say how many images are gone or changed, and what to type.

    Parameters
    ----------
    number : int
        How many.
    images : path, str or sequence of them, optional
        Where they were said to be, which need not be advised again.
    first : str, optional
        The id of one of them, to be named.
    """
    named = "" if first is None else f": {short_text(first)}{', …' * (number > 1)}"
    moved = f"{option('images', 'FOLDER')} says where they are, and " * (images is None)
    return (
        f"{count(number, 'image')} that cannot be found any more, or changed since{named}; "
        f"{moved}{command('extract', update=True)} makes the rows of what is there now"
    )


def image_opener(
    features: Features,
    images: str | Path | Sequence[str | Path] | None = None,
    *,
    offline: bool,
    announce: bool,
    page: str = "the page",
) -> Callable[[str], bytes | None]:
    """Give an image's bytes for its id, from where the rows were made, if they are still the same.

    A stranger's file may name any folder; it cannot know the digests of what lies there.

    Parameters
    ----------
    features, images, offline, announce, page
        As for `image_finder`.

    Returns
    -------
    callable
        From an id to the file's bytes; None where it is gone, or is another by now.

    Raises
    ------
    UsageError, SourceError
        If there is nothing at `images`; what is gone of other places is logged.
    """
    find = image_finder(features, images, offline=offline, announce=announce, page=page)

    @cache
    def digests() -> Mapping[str, str]:
        content = features.content
        return {} if content is None else dict(zip(features.ids, content, strict=True))

    def open_image(image_id: str) -> bytes | None:
        for record in find(image_id):
            data = read_bytes(record)
            if digests().get(image_id, "") in ("", digest_of(data)):
                return data
        return None

    return open_image


def image_finder(
    features: Features,
    images: str | Path | Sequence[str | Path] | None = None,
    *,
    offline: bool,
    announce: bool,
    page: str = "the page",
) -> Callable[[str], Iterator[ImageRecord]]:
    """Find an image by its id where the rows were made, or where the images are now.

    Parameters
    ----------
    features : Features
        Whose images are to be found.
    images : path, str or sequence of them, optional
        Where they are now, if they have moved.
    offline : bool
        Never touch the network.
    announce : bool
        Whether what is looked through is said.
    page : str
        What messages call that which the pictures are for.

    Returns
    -------
    callable
        From an id to the images that may be meant: one for each place that has one of that name.
        Where the rows were made is looked through at the first call.

    Raises
    ------
    UsageError, SourceError
        If there is nothing at `images`; what is gone of other places is logged.
    """
    places = where_to_look(features.origin, images)
    looking: dict[str, Any] = {"offline": offline, "announce": announce}

    def finder(origin: Mapping[str, Any]) -> Callable[[str], ImageRecord | None]:
        lacks = "has no pictures" if len(places) == 1 else "lacks pictures"
        try:
            if origin.get("sources") or "folder" in origin:
                return relocate_images(origin, features.ids, **looking)
            error = "its rows do not say where their images are"
        except PenultError as refused:  # they have moved, say
            error = str(refused)
        logging.getLogger("penult").warning("penult: %s %s: %s", page, lacks, error)
        return lambda _: None

    given = (
        [relocate_images(one, features.ids, way, **looking) for one, way in places]
        if images is not None
        else []
    )

    @cache
    def finders() -> list[Callable[[str], ImageRecord | None]]:
        return given or [finder(one) for one, _ in places]

    def find(image_id: str) -> Iterator[ImageRecord]:
        return (record for one in finders() if (record := one(image_id)) is not None)

    return find
