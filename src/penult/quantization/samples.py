"""The images to calibrate on, and those to judge by."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from penult.errors import ImageError, SourceError
from penult.images.pixels.transform import Transform
from penult.images.read import read_pixels
from penult.machine import cores
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.backbones.backbone import Backbone
    from penult.records import ImageRecord

__all__ = ["read_samples"]

FEWEST_IMAGES = 10
MOST_HELD_BACK = 500


def read_samples(
    listed: Sequence[ImageRecord], backbone: Backbone, images: int, seed: int
) -> tuple[list[ImageRecord], NDArray[np.uint8], list[str]]:
    """Those of the images that can be read, in a random order, their pixels (N, H, W, 3), digests.

    The digests are of the images' bytes.
    """
    order = np.random.default_rng(seed).permutation(len(listed))
    chosen = [listed[k] for k in order[: images + MOST_HELD_BACK]]
    transform = Transform(backbone.preprocessing)

    def read(record: ImageRecord) -> tuple[NDArray[np.uint8], str] | None:
        try:
            found, digest = read_pixels(record, transform)
        except ImageError:
            return None
        return None if found is None else (found, digest)

    with ThreadPoolExecutor(cores()) as pool:
        found = [
            (record, *image)
            for record, image in zip(chosen, pool.map(read, chosen), strict=True)
            if image is not None
        ]
    if len(found) < FEWEST_IMAGES:
        raise SourceError(
            f"{len(found)} of {count(len(chosen), 'image')} can be read, and "
            f"calibrating and judging takes "
            f"{FEWEST_IMAGES}; give more, like those that it is meant for (300 and more are good)"
        )
    records, pixels, digests = zip(*found, strict=True)
    return list(records), np.stack(pixels), list(digests)
