"""How large the images of a feature file are, as far as they are still where they were."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from penult.features.image_places import look_for_images
from penult.images.size import ImageSize, image_size
from penult.interface import command, option
from penult.progress import announce

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features

__all__ = ["find_sizes"]

_THREADS = 8  # they wait for disks and networks


def find_sizes(
    features: Features,
    places: NDArray,  # type: ignore[type-arg]
    images: str | Path | Sequence[str | Path] | None = None,
    *,
    offline: bool = False,
    quiet: bool = False,
) -> dict[int, ImageSize]:
    """Measure some images of a feature file.

    Parameters
    ----------
    features : Features
        Its origin says where the images were.
    places : int array, shape (n,)
        Which rows.
    images : path, str or sequence of them, optional
        Where they are now, if they have moved.
    offline : bool
        Never touch the network.
    quiet : bool
        Say nothing of images that are not there.

    Returns
    -------
    dict
        Place to size, of those that are there; of the others it is said, once, how many there are.

    Raises
    ------
    UsageError, SourceError
        If `images` is given and is not there.
    """
    if not len(places):
        return {}
    announce("looking for the images", brief=True)
    log = logging.getLogger("penult")
    places_of_images = look_for_images(features, images, offline=offline, announce=False)
    if places_of_images.gone and not quiet:
        are_all = not places_of_images.finders
        log.warning(
            "penult: %s cannot be found, so %s: %s",
            "the images" if are_all else "some of the images",
            "the first of each group is kept, however large the others are"
            if are_all
            else "their sizes do not count",
            places_of_images.why(),
        )
    if not places_of_images.finders:
        return {}

    def measure(place: int) -> ImageSize | None:
        image_id = str(features.ids[place])
        record = places_of_images.find(image_id)
        return None if record is None else image_size(record)

    asked = [int(place) for place in places]
    with ThreadPoolExecutor(_THREADS) as pool:
        measured = dict(zip(asked, pool.map(measure, asked), strict=True))
    found = {place: size for place, size in measured.items() if size is not None}
    if (missing := len(asked) - len(found)) and not (quiet or places_of_images.gone):
        log.warning(
            "penult: %s of %s images in groups cannot be read, so their sizes are not known; %s, "
            "and %s makes the rows of what is there now",
            *(f"{missing:,}", f"{len(asked):,}"),
            f"say where they are with {option('images')}",
            command("extract", update=True),
        )
    return found
