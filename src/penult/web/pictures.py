"""The image files of a report, found where its rows were made."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cache

from penult.errors import PenultError
from penult.images.read import digest_of, read_bytes
from penult.images.relocate import relocate_images
from penult.records import Features, ImageRecord

__all__ = ["image_opener"]


def image_opener(
    features: Features, *, offline: bool, announce: bool, page: str = "the page"
) -> Callable[[str], bytes | None]:
    """Give an image's bytes for its id, from where the rows were made, if they are still the same.

    A stranger's file may name any folder; it cannot know the digests of what lies there. `page` is
    what messages call that which the pictures are for.
    """

    @cache
    def find() -> Callable[[str], ImageRecord | None]:
        try:
            return relocate_images(
                features.origin, features.ids, offline=offline, announce=announce
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
