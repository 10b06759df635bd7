"""The image files of a page, found where its rows were made."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path

from penult.features.image_places import ImagePlaces, look_for_images
from penult.images.read import digest_of, read_bytes
from penult.interface import command, option
from penult.records import Features, ImageRecord
from penult.representation import short_text
from penult.wording import count

__all__ = ["ImageOpener", "image_finder", "image_opener", "missing_images"]


def missing_images(number: int, *, may_have_moved: bool = True, first: str | None = None) -> str:
    """Say how many images are gone or changed, and what to type.

    Parameters
    ----------
    number : int
        How many.
    may_have_moved : bool, default=True
        Whether to advise to say where they are, which was neither done nor advised yet.
    first : str, optional
        The id of one of them, to be named.
    """
    named = "" if first is None else f": {short_text(first)}{', …' * (number > 1)}"
    moved = f"{option('images', 'FOLDER')} says where they are, and " * may_have_moved
    return (
        f"{count(number, 'image')} that cannot be found any more, or changed since{named}; "
        f"{moved}{command('extract', update=True)} makes the rows of what is there now"
    )


class ImageOpener:
    """Gives an image's bytes for its id, from where the rows were made, if they are still the same.

    A stranger's file may name any folder; it cannot know the digests of what lies there.

    Parameters
    ----------
    features : Features
        Whose images they are.
    places : callable
        Looks for the places of the images, once.
    """

    def __init__(self, features: Features, places: Callable[[], ImagePlaces]) -> None:
        self._features, self._places = features, places
        self._digests = cache(self._read_digests)

    def __call__(self, image_id: str) -> bytes | None:
        """Return the file's bytes; None where it is gone, or is another by now."""
        for record in self._places().of(image_id):
            data = read_bytes(record)
            if self._digests().get(image_id, "") in ("", digest_of(data)):
                return data
        return None

    @property
    def lacks_places(self) -> bool:
        """Whether places of the images are gone, which has been said."""
        return bool(self._places().gone)

    def _read_digests(self) -> Mapping[str, str]:
        content = self._features.content
        return {} if content is None else dict(zip(self._features.ids, content, strict=True))


def image_opener(
    features: Features,
    images: str | Path | Sequence[str | Path] | None = None,
    *,
    offline: bool,
    announce: bool,
    page: str = "the page",
    has_option: bool = True,
) -> ImageOpener:
    """Make what gives an image's bytes for its id.

    Parameters
    ----------
    features, images, offline, announce, page, has_option
        As for `image_finder`.

    Returns
    -------
    ImageOpener

    Raises
    ------
    UsageError, SourceError
        If there is nothing at `images`; what is gone of other places is logged.
    """
    looked = _looked_once(features, images, offline, announce, page, has_option=has_option)
    return ImageOpener(features, looked)


def image_finder(
    features: Features,
    images: str | Path | Sequence[str | Path] | None = None,
    *,
    offline: bool,
    announce: bool,
    page: str = "the page",
    has_option: bool = True,
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
    has_option : bool
        Whether there is an option by which the reader can say where they are.

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
    looked = _looked_once(features, images, offline, announce, page, has_option=has_option)
    return lambda image_id: looked().of(image_id)


def _looked_once(
    features: Features,
    images: str | Path | Sequence[str | Path] | None,
    offline: bool,
    announce: bool,
    page: str,
    *,
    has_option: bool,
) -> Callable[[], ImagePlaces]:
    """Look through what was given now, and where the rows were made when it is asked for."""
    look = partial(look_for_images, features, images, offline=offline, announce=announce)
    given = None if images is None else look()

    @cache
    def places() -> ImagePlaces:
        found = look() if given is None else given
        if found.gone:
            lacks = "lacks pictures" if found.finders else "has no pictures"
            why = found.why(has_option=has_option)
            logging.getLogger("penult").warning("penult: %s %s: %s", page, lacks, why)
        return found

    return places
