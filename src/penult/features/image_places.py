"""The places that the images of rows are in, and which of them are gone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from penult.errors import PenultError, SourceError
from penult.features.origin import where_to_look
from penult.images.relocate import Gone, places_of, relocate_images
from penult.interface import at_command_line, option
from penult.records import Features, ImageRecord
from penult.wording import count

__all__ = ["ImagePlaces", "look_for_images"]

_FEW = 3


@dataclass(frozen=True)
class ImagePlaces:
    """Where images were, or are now, looked through.

    Attributes
    ----------
    finders : tuple of callable
        From an id to its image, or None: one for each run that made the rows.
    gone : mapping of str to PenultError
        The places that there are no images to be had of, and why.
    sources : tuple of str
        All places that images were in, but for what was no folder, file or address.
    """

    finders: tuple[Callable[[str], ImageRecord | None], ...]
    gone: Gone
    sources: tuple[str, ...] = ()

    def of(self, image_id: str) -> Iterator[ImageRecord]:
        """The images that may be meant by an id: one for each place that has one of that name."""
        return (found for find in self.finders if (found := find(image_id)) is not None)

    def find(self, image_id: str) -> ImageRecord | None:
        """The first of them."""
        return next(self.of(image_id), None)

    def why(self, *, has_option: bool = True) -> str:
        """Say which places are gone, and what to type where there is an option for it."""
        reasons = list(dict.fromkeys(map(str, self.gone.values())))
        more = len(reasons) - _FEW
        said = "; ".join(reasons[:_FEW]) + (f"; and of {more:,} more places" if more > 0 else "")
        return f"{said}; {where_they_are(self.sources, self.gone)}" if has_option else said


def where_they_are(sources: Sequence[str], gone: Collection[str]) -> str:
    """What to type where images have moved, of which some places are gone.

    Parameters
    ----------
    sources : sequence of str
        All places that the images were in.
    gone : collection of str
        Those that are gone.

    Returns
    -------
    str
        ``images=FOLDER says where they are``
    """
    left = [one for one in sources if one not in gone]
    if not left:
        return f"{option('images', 'FOLDER')} says where they are"
    if len(sources) - len(left) > 1 or len(left) > _FEW:
        return (
            f"{option('images')} says where they are, if it is given all "
            f"{count(len(sources), 'place')} of these rows, each under its own name"
        )
    if at_command_line():
        every = " ".join(option("images", one) for one in ["FOLDER", *left])
    else:
        every = f"{option('images')}=[FOLDER, {', '.join(map(repr, left))}]"
    return f"{every} says where they are"


def look_for_images(
    features: Features,
    images: str | Path | Sequence[str | Path] | None = None,
    *,
    offline: bool,
    announce: bool = True,
) -> ImagePlaces:
    """Look through the places where the images of rows were, or are now.

    Parameters
    ----------
    features : Features
    images : path, str or sequence of them, optional
        Where they are now, if they have moved.
    offline : bool
        Never touch the network.
    announce : bool
        Whether what is looked through is said.

    Returns
    -------
    ImagePlaces

    Raises
    ------
    UsageError, SourceError
        If there is nothing at `images`.
    """
    finders, gone, sources = list[Callable[[str], ImageRecord | None]](), Gone(), list[str]()
    for origin, way in where_to_look(features.origin, images):
        missed = Gone()
        here: list[str] = []
        try:
            if way is None:
                # What was listed in another way, by standard input say, is in a folder.
                here = [str(origin["folder"])] if "folder" in origin else places_of(origin)
                sources += here
                if not here:
                    raise SourceError("the rows do not say where their images are")
            finders.append(
                relocate_images(
                    origin, features.ids, way, offline=offline, announce=announce, gone=missed
                )
            )
        except PenultError as error:
            if way is not None:
                raise
            if not missed:
                missed = dict.fromkeys(here or [""], error)
        gone |= missed
    return ImagePlaces(tuple(finders), gone, tuple(dict.fromkeys(sources)))
