"""A part of a photo, turned and mirrored."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

__all__ = ["TurnedCrop", "shortened"]

# A picture more elongated is first cut to this, around its centre: turned, it would not fit a sane
# memory, and most of it would be mirrored.
_LONGEST = 10

_REACH = 2  # pixels that the filter looks at, either way, and one for what is rounded

# The bilinear filter makes one pixel of four, so that it averages all of what it reduces to a half.
_UNFILTERED = 0.5


@dataclass(frozen=True, kw_only=True)
class TurnedCrop:
    """A box in a photo, turned about its centre.

    Attributes
    ----------
    center : (float, float)
        Of the box, as shares of the photo's width and height.
    width, height : float
        Of the box, as shares of the photo's, at most 1.
    angle : float
        By which the box is turned, in degrees, clockwise on the screen; what it shows turns the
        other way. Where it reaches beyond the photo, it sees the photo mirrored at its edge: no
        corner is black.
    flipped : bool
        Whether what it shows is mirrored, left to right.
    """

    center: tuple[float, float] = (0.5, 0.5)
    width: float = 1.0
    height: float = 1.0
    angle: float = 0.0
    flipped: bool = False

    def __call__(self, image: Image.Image, edge: int) -> Image.Image:
        """Cut it out.

        Parameters
        ----------
        image : Pillow image
            Of mode RGB, and any size.
        edge : int
            The box is reduced until its shorter edge has at most that many pixels; it is never
            enlarged.

        Returns
        -------
        Pillow image
            With as many pixels as the (reduced) box, in the photo's proportions: a box of other
            proportions is squashed to those, as torchvision's ``RandomResizedCrop`` squashes to a
            square.
        """
        image = shortened(image)
        width, height = self.width * image.width, self.height * image.height
        scale = min(1.0, edge / min(width, height))
        columns, rows = self.size(image, edge)
        return self._cut(image, (columns, rows), (0, 0, columns, rows), scale)

    def size(self, image: Image.Image, edge: int) -> tuple[int, int]:
        """How large what is cut out will be, (width, height); as for `__call__`."""
        width, height = self.width * image.width, self.height * image.height
        scale = min(1.0, edge / min(width, height)) * math.sqrt(self.width * self.height)
        return max(1, round(image.width * scale)), max(1, round(image.height * scale))

    def window(
        self, image: Image.Image, size: tuple[int, int], window: tuple[int, int, int, int]
    ) -> Image.Image:
        """Cut a part of it out, in one step, which is cheap.

        Parameters
        ----------
        image : Pillow image
            Of mode RGB, and `shortened`.
        size : (int, int)
            Width and height to which the whole box is squashed, reduced or enlarged.
        window : (int, int, int, int)
            Left, top, right and bottom of the part, in pixels of that.

        Returns
        -------
        Pillow image
            As large as the window.
        """
        scale = max(size[0] / (self.width * image.width), size[1] / (self.height * image.height))
        return self._cut(image, size, window, scale if scale < _UNFILTERED else 1.0)

    def _cut(
        self,
        image: Image.Image,
        size: tuple[int, int],
        window: tuple[int, int, int, int],
        scale: float,
    ) -> Image.Image:
        """Make the window, of the photo reduced to that scale."""
        columns, rows = window[2] - window[0], window[3] - window[1]
        # From a pixel of the result to one of the photo, both seen from the middle of the box.
        cos, sin = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        right = self.width * image.width / size[0] * (-1 if self.flipped else 1)
        down = self.height * image.height / size[1]
        a, b = cos * right, -sin * down
        d, e = sin * right, cos * down
        # The middle of the window, seen from that of the box.
        x, y = (window[0] + window[2] - size[0]) / 2, (window[1] + window[3] - size[1]) / 2
        across = _Stretch.of(
            image.width,
            self.center[0] * image.width + (a * x + b * y),
            (abs(a) * columns + abs(b) * rows) / 2,
            scale,
        )
        along = _Stretch.of(
            image.height,
            self.center[1] * image.height + (d * x + e * y),
            (abs(d) * columns + abs(e) * rows) / 2,
            scale,
        )
        part = _part(image, across, along)
        a, b = a * across.scale, b * across.scale
        d, e = d * along.scale, e * along.scale
        c = across.middle - (a * columns + b * rows) / 2
        f = along.middle - (d * columns + e * rows) / 2
        return part.transform(
            (columns, rows), Image.Transform.AFFINE, (a, b, c, d, e, f), Image.Resampling.BILINEAR
        )


@dataclass(frozen=True)
class _Stretch:
    """What of one edge is looked at, reduced, and mirrored beyond its ends.

    `start` and `stop` bound it in the photo; it becomes `count` pixels, with `before` and `after`
    mirrored ones added; `middle` is where the box's middle is then.
    """

    start: int
    stop: int
    count: int
    before: int
    after: int
    middle: float

    @classmethod
    def of(cls, size: int, middle: float, half: float, scale: float) -> _Stretch:
        first = middle - half - _REACH / scale
        last = middle + half + _REACH / scale
        start, stop = max(math.floor(first), 0), min(math.ceil(last), size)
        count = max(1, round((stop - start) * scale))
        scale = count / (stop - start)
        before = max(0, math.ceil((start - first) * scale))
        after = max(0, math.ceil((last - stop) * scale))
        return cls(start, stop, count, before, after, (middle - start) * scale + before)

    @property
    def scale(self) -> float:
        """Reduced pixels for each of the photo."""
        return self.count / (self.stop - self.start)


def shortened(image: Image.Image) -> Image.Image:
    """Cut a very elongated picture around its centre, to ten times as long as wide."""
    width, height = image.size
    columns, rows = min(width, _LONGEST * height), min(height, _LONGEST * width)
    if (columns, rows) == (width, height):
        return image
    left, top = (width - columns) // 2, (height - rows) // 2
    return image.crop((left, top, left + columns, top + rows))


def _part(image: Image.Image, across: _Stretch, along: _Stretch) -> Image.Image:
    box = (across.start, along.start, across.stop, along.stop)
    size = (across.count, along.count)
    if size == (across.stop - across.start, along.stop - along.start):
        part = image.crop(box)
    else:
        part = image.resize(size, Image.Resampling.BILINEAR, box, reducing_gap=2.0)
    beyond = ((along.before, along.after), (across.before, across.after), (0, 0))
    if beyond == ((0, 0), (0, 0), (0, 0)):
        return part
    return Image.fromarray(np.pad(np.asarray(part), beyond, mode="symmetric"))
