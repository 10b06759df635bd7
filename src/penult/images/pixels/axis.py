"""One edge of an image that is resized and cropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd
from typing import Literal

__all__ = ["Axis", "End", "is_across_first"]

End = Literal["start", "center", "end"]

# Of Pillow's filters (Lanczos), in source pixels for each resized one.
_WIDEST_SUPPORT = 3


@dataclass(frozen=True)
class Axis:
    """One edge of the image: `size` pixels are resampled to `resized`, of which some are kept.

    Attributes
    ----------
    first, count : int
        The resized pixels that the crop keeps.
    before, after : int
        The black ones that it adds.
    """

    size: int
    resized: int
    first: int
    count: int
    before: int
    after: int

    @classmethod
    def of(
        cls,
        size: int,
        resized: int,
        crop: int,
        margin: Literal["even", "down"],
        end: End = "center",
    ) -> Axis:
        """Lay a crop over an edge.

        `end` says where the crop lies; one that is larger than the edge is centred.
        """
        missing = max(crop - resized, 0)
        # Down means towards minus infinity: what is padded has a negative margin.
        before = (missing + 1) // 2 if margin == "down" else missing // 2
        spare = max(resized - crop, 0)
        if end == "center":
            first = spare // 2 if margin == "down" else round(spare / 2.0)
        else:
            first = 0 if end == "start" else spare
        return cls(size, resized, first, min(crop, resized), before, missing - before)

    @classmethod
    def around(cls, axes: Sequence[Axis]) -> Axis:
        """The smallest part of an edge that holds what each of `axes` keeps of it."""
        if len(axes) == 1:
            return axes[0]
        first = min(axis.first for axis in axes)
        stop = max(axis.first + axis.count for axis in axes)
        return replace(axes[0], first=first, count=stop - first)

    @property
    def is_padded(self) -> bool:
        """Whether the crop is larger than the resized edge."""
        return self.before + self.after > 0

    @property
    def kept(self) -> slice:
        """Where in the crop the image is."""
        return slice(self.before, self.before + self.count)

    def within(self, around: Axis) -> slice:
        """Where the kept pixels are in those that `around` keeps of the same edge."""
        start = self.first - around.first
        return slice(start, start + self.count)

    @property
    def source(self) -> tuple[float, float]:
        """(start, stop) of what the kept pixels are resampled from, within the image."""
        scale = self.size / self.resized
        return self.first * scale, min((self.first + self.count) * scale, self.size)

    @property
    def seen(self) -> tuple[int, int]:
        """(start, stop) of what any filter looks at for the kept pixels."""
        scale = self.size / self.resized
        reach = _WIDEST_SUPPORT * max(scale, 1) + 1
        start, stop = self.first * scale - reach, (self.first + self.count) * scale + reach
        return max(int(start), 0), min(int(stop) + 1, self.size)

    @property
    def is_exact_in_part(self) -> bool:
        """Whether resampling only the kept pixels takes exactly the weights of resampling all.

        Pillow takes the part's bounds in float32 and derives the weights from them in float64. If
        size / resized is a fraction of a power of two with few enough digits, nothing is rounded on
        either way; otherwise a weight may differ in its last bit, and then a pixel by one.
        """
        common = gcd(self.size, self.resized)
        denominator = self.resized // common
        return denominator & (denominator - 1) == 0 and self.size // common * self.resized < 2**24

    @property
    def part(self) -> tuple[float, float, int, int]:
        """(start, stop) to resample, how many pixels to, and the first one kept of those."""
        if not self.is_exact_in_part:
            return 0, self.size, self.resized, self.first
        scale = self.size / self.resized
        return self.first * scale, (self.first + self.count) * scale, self.count, 0


def is_across_first(size: tuple[int, int], resized: tuple[int, int]) -> bool:
    """Whether every Pillow resizes across before down; each pass rounds, so the order shows.

    Up to 12.1 all did; 12.2 makes an exception of images 100 times as high as wide, and 13 of those
    that lose more than twice as many rows as columns.
    """
    columns_lost, rows_lost = size[0] - resized[0], size[1] - resized[1]
    return rows_lost <= 0 or (rows_lost <= 2 * columns_lost and size[1] <= 100 * size[0])
