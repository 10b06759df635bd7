"""How large the images of a feature file are, as far as they are still where they were."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from penult.errors import SourceError, UsageError
from penult.features.origin import where_to_look
from penult.images.relocate import relocate_images
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
    instead = f"say where they are with {option('images')}"
    try:
        finders = [
            relocate_images(one, features.ids, way, offline=offline, announce=False)
            for one, way in where_to_look(features.origin, images)
        ]
    except (UsageError, SourceError) as error:
        if images is not None:
            raise
        if not quiet:
            log.warning(
                "penult: the images cannot be found, so the first of each group is kept, however "
                "large the others are: %s; %s",
                *(error, instead),
            )
        return {}

    def measure(place: int) -> ImageSize | None:
        image_id = str(features.ids[place])
        record = next(filter(None, (find(image_id) for find in finders)), None)
        return None if record is None else image_size(record)

    asked = [int(place) for place in places]
    with ThreadPoolExecutor(_THREADS) as pool:
        measured = dict(zip(asked, pool.map(measure, asked), strict=True))
    found = {place: size for place, size in measured.items() if size is not None}
    if (missing := len(asked) - len(found)) and not quiet:
        log.warning(
            "penult: %s of %s images in groups cannot be read, so their sizes are not known; %s, "
            "and %s makes the rows of what is there now",
            *(f"{missing:,}", f"{len(asked):,}", instead, command("extract", update=True)),
        )
    return found
