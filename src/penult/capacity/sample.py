"""The photos that rates are measured with: some of a folder, or made-up ones."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from penult.errors import ImageError, PenultError
from penult.images.listing_options import ListingOptions
from penult.images.read import read_bytes
from penult.messages import first_line
from penult.records import ImageRecord
from penult.wording import count

if TYPE_CHECKING:
    from penult.images.listing import Images

__all__ = ["SYNTHETIC_SIZE", "Photos", "open_photos"]

SYNTHETIC_SIZE = (500, 375)
"""(width, height) in pixels of made-up photos: what most of ImageNet's have."""

_SYNTHETIC = 32
_MOST = 2_000
_MOST_BYTES = 256_000_000
_ENOUGH = 32
"""After so many photos, of which hardly one was any good, no more are tried once the time is up."""


@dataclass(frozen=True)
class Photos:
    """Photos in an order that is as good as random, of which the first few are a sample.

    Attributes
    ----------
    name : str
        Where they are from.
    records : sequence of ImageRecord
        Not more than 2,000.
    synthetic : bool
        Whether they were made up.
    """

    name: str
    records: Sequence[ImageRecord]
    synthetic: bool = False

    def at_hand(
        self, seconds: float, why_not: Callable[[ImageRecord], str | None]
    ) -> tuple[list[ImageRecord], list[int], list[str]]:
        """Read photos for so long, so that no storage is waited for when they are measured.

        Parameters
        ----------
        seconds : float
            After which no more are read. Two are in any case, the first of which can be decoded,
            if there are such among the first 32.
        why_not : callable
            Decodes a photo; says why it cannot be, or None.

        Returns
        -------
        records : list of ImageRecord
            Whose bytes are in memory.
        sizes : list of int
            Bytes of each.
        errors : list of str
            Why others could not be read.
        """
        records: list[ImageRecord] = []
        sizes: list[int] = []
        errors: list[str] = []
        until = time.perf_counter() + seconds
        for tried, record in enumerate(self.records):
            if time.perf_counter() > until or sum(sizes) > _MOST_BYTES:
                if len(records) > 1:
                    while records and (why := why_not(records[0])):
                        errors.append(why)
                        del records[0], sizes[0]
                if len(records) > 1 or tried >= _ENOUGH:
                    break
            try:
                data = read_bytes(record)
            except (ImageError, PenultError) as error:
                errors.append(f"{record.id}: {first_line(error)}")
                continue
            records.append(replace(record, open=partial(io.BytesIO, data), path=None))
            sizes.append(len(data))
        return records, sizes, errors


def open_photos(sample: Images | None, *, offline: bool = False) -> Photos:
    """List a sample, or make photos up.

    Parameters
    ----------
    sample : path, address, list of them, or DataFrame, or None
        As `penult.extract` takes images.
    offline : bool
        Never touch the network.

    Raises
    ------
    SourceError, UsageError
        If there is no image in it.
    """
    if sample is None:
        width, height = SYNTHETIC_SIZE
        name = f"{_SYNTHETIC} made-up photos of {width} × {height} pixels"
        return Photos(name, list(_made_up()), synthetic=True)
    options = ListingOptions(splits="auto")
    sources = options.sources(sample)
    records = options.list(sources, offline=offline).records
    chosen = np.random.default_rng(0).permutation(len(records))[:_MOST]
    name = str(sources[0]) if len(sources) == 1 else count(len(sources), "source")
    return Photos(name, [records[int(k)] for k in chosen])


def _made_up() -> Iterator[ImageRecord]:
    """JPEGs of smooth shapes and grain, some 60 kB each, in class folders with long names."""
    from PIL import Image

    rng = np.random.default_rng(0)
    width, height = SYNTHETIC_SIZE
    for k in range(_SYNTHETIC):
        shapes = Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8))
        smooth = np.asarray(shapes.resize((width, height), Image.Resampling.BICUBIC), np.float64)
        pixels = smooth + rng.normal(0, 8, smooth.shape)
        file = io.BytesIO()
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
        yield ImageRecord(
            f"class_{k % 8:04}/image_{k:012}.jpg",
            partial(io.BytesIO, file.getvalue()),
            labels=(f"class_{k % 8:04}",),
        )
