"""What the axes of a network's activations mean: maps, tokens, and which tokens are no patches.

A network is run once on two images of noise. Its maps are told by their proportions, which are the
images'. A class token or a register starts out as a parameter, the same for both images, while
every patch differs: so it is seen which tokens are no patches, at the first layer that has them.
Later layers mix all tokens with each other; what they have is known from their number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from penult.backbones.layer import Layer, Layout

__all__ = ["Axes", "noise", "unmoved"]

# Of the largest difference between two images' tokens. At the first layer that has class tokens
# they differ by rounding alone, the patches by about as much as each other.
_SAME = 1e-3

# More tokens than this are not put in front of patches.
_MOST_TOKENS = 16

_TOKEN = re.compile(r"(?:^|[._])(cls|class|reg|register|dist|distillation)_?(token|embedding)")
_REGISTERS = re.compile(r"(?:^|[._])(reg|register)_?token")


def noise(height: int, width: int) -> NDArray[np.float32]:
    """Two images, (2, 3, height, width), the same each time."""
    return np.random.default_rng(0).standard_normal((2, 3, height, width), dtype=np.float32)


def unmoved(activations: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which tokens of two images, (2, T, D), are the same in both."""
    with np.errstate(invalid="ignore"):  # of a network that overflows
        differences = np.abs(activations[0] - activations[1]).max(axis=1, initial=0.0)
    same: NDArray[np.bool_] = differences <= _SAME * differences.max(initial=0.0)
    return same


class Axes:
    """Told of every activation of a network in the order of execution, says what each is.

    Parameters
    ----------
    input_size : (height, width) of the images
    parameters : their names, which say what a token is for
    """

    def __init__(self, input_size: tuple[int, int], parameters: Iterable[str]) -> None:
        self._input_size = input_size
        tokens = [name for name in parameters if _TOKEN.search(name)]
        self._names_tokens = bool(tokens)
        self._has_class_token = not tokens or any(not _REGISTERS.search(name) for name in tokens)
        # How many patches there may be, and for a number of tokens how many of them are none
        # (-1: some, but not the first ones).
        self._patches: set[int] = set()
        self._prefixes: dict[int, int] = {}
        self._widths: dict[int, set[int]] = {}

    def see_map(self, shape: Sequence[int]) -> None:
        """Note an activation with three axes beside the batch's."""
        a, b, c = shape
        layout = self._map_layout(a, b, c)
        if layout != "other":
            self._patches.add(b * c if layout == "NCHW" else a * b)

    def see_tokens(self, width: int, same: NDArray[np.bool_]) -> None:
        """Note an activation (T, width); `same` is what `unmoved` says of it."""
        tokens, count = len(same), int(same.sum())
        self._widths.setdefault(tokens, set()).add(width)
        if 0 < count < tokens and tokens not in self._prefixes:
            in_front = bool(same[:count].all())
            self._prefixes[tokens] = count if in_front else -1
            if in_front:
                self._patches.add(tokens - count)

    def layer(self, name: str, kind: str, shape: tuple[int, ...], calls: int = 1) -> Layer:
        """The layer, after all activations were seen."""
        if len(shape) == 3:
            return Layer(name, kind, shape, self._map_layout(*shape), calls)
        if len(shape) != 2:
            return Layer(name, kind, shape, "vector", calls)
        prefix = self._prefix(shape[0])
        if prefix is None:
            return Layer(name, kind, shape, "other", calls)
        return Layer(name, kind, shape, "NTD", calls, prefix, prefix > 0 and self._has_class_token)

    def _map_layout(self, a: int, b: int, c: int) -> Layout:
        # A map of as many channels as its side is told apart by neither rule and is rare.
        if self._is_like_images(b, c):
            return "NCHW"
        return "NHWC" if self._is_like_images(a, b) else "other"

    def _is_like_images(self, height: int, width: int) -> bool:
        """Whether a map of the images may have this size, up to rounding and what edges lose."""
        h, w = self._input_size
        return abs(height * w - width * h) <= (0 if h == w else 2 * max(h, w))

    def _prefix(self, tokens: int) -> int | None:
        if tokens in self._prefixes:
            found = self._prefixes[tokens]
            return found if found >= 0 else None
        known = {count for count in self._prefixes.values() if count > 0}
        if tokens in known and tokens == 1:
            return 1  # what is left of a network's tokens in its last blocks (CaiT, XCiT)
        if known:
            options = {
                count for count in (0, *known) if tokens - count in self._patches or tokens == count
            }
            return options.pop() if len(options) == 1 else None
        if tokens in self._patches:
            return 0
        nearly = any(
            patches > _MOST_TOKENS and 0 < tokens - patches <= _MOST_TOKENS
            for patches in self._patches
        )
        # The patches may lie in the other axis, and the channels in this one.
        turned = self._widths[tokens] <= self._patches or any(
            tokens in self._widths.get(patches, ()) for patches in self._patches
        )
        return None if self._names_tokens or nearly or turned else 0
