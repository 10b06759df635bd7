"""Some photos read in one go, and what that took."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter, thread_time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penult.engines.photo_decoder import Decoded
    from penult.records import ImageRecord

    Photos = Sequence[Sequence[ImageRecord]]
    """For each photo what is wanted of it: itself, augmented views of it, or both."""

__all__ = ["Reading", "read_photos"]


@dataclass(frozen=True)
class Reading:
    """What was read.

    Attributes
    ----------
    decoded : list of (Outcome, pixels or None)
        One a record, in their order.
    seconds : float
        That a photo took, on average.
    core_seconds : float
        The same, of a processor core.
    size : int
        Bytes of the pixels of a photo, on average.
    """

    decoded: list[Decoded]
    seconds: float
    core_seconds: float
    size: int


def read_photos(
    decode: Callable[[Sequence[ImageRecord]], list[Decoded]], photos: Photos
) -> Reading:
    """Read photos one after the other, each with its views."""
    began, of_core = perf_counter(), thread_time()
    decoded = [one for records in photos for one in decode(records)]
    seconds, core_seconds = perf_counter() - began, thread_time() - of_core
    size = sum(array.nbytes for _, pixels in decoded if pixels for array in pixels.values())
    count = len(photos)
    return Reading(decoded, seconds / count, core_seconds / count, size // count)
