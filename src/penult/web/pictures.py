"""The image files of a page, found where its rows were made."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from penult.errors import PenultError
from penult.images.read import digest_of, read_bytes
from penult.images.relocate import relocate_images
from penult.records import Features, ImageRecord

__all__ = ["image_opener"]


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
    features : Features
        Whose images are to be opened.
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
        From an id to the file's bytes; None where it is gone, or is another by now.
    """

    @cache
    def find() -> Callable[[str], ImageRecord | None]:
        try:
            return relocate_images(
                features.origin, features.ids, images, offline=offline, announce=announce
            )
        except PenultError as error:  # they have moved, say
            logging.getLogger("penult").warning("penult: %s has no pictures: %s", page, error)
            return lambda _: None

    @cache
    def digests() -> Mapping[str, str]:
        content = features.content
        return {} if content is None else dict(zip(features.ids, content, strict=True))

    def open_image(image_id: str) -> bytes | None:
        record = find()(image_id)
        if record is None:
            return None
        data = read_bytes(record)
        return data if digests().get(image_id, "") in ("", digest_of(data)) else None

    return open_image
