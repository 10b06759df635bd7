"""Random numbers that depend on what they are for, and on nothing that was drawn before."""

from __future__ import annotations

import hashlib
import json
import math

__all__ = ["Draws"]

_BITS = 53  # of a float's mantissa


class Draws:
    """Numbers drawn by name.

    Each is made from a BLAKE2b digest of the seed and its name. So neither the order of drawing nor
    the version of a library matters, and what is drawn in addition one day changes nothing else.

    Parameters
    ----------
    *seed : str or int
        What the numbers depend on.
    """

    def __init__(self, *seed: str | int) -> None:
        self._seed = seed

    def uniform(self, name: str, low: float = 0.0, high: float = 1.0) -> float:
        """Draw a number from [low, high)."""
        text = json.dumps([*self._seed, name])
        digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
        return low + (high - low) * (int.from_bytes(digest) >> (64 - _BITS)) / 2.0**_BITS

    def log_uniform(self, name: str, low: float, high: float) -> float:
        """Draw a positive number whose logarithm is uniform."""
        return math.exp(self.uniform(name, math.log(low), math.log(high)))

    def chance(self, name: str, share: float) -> bool:
        """Draw True in that share of all cases."""
        return self.uniform(name) < share

    def order(self, name: str, items: tuple[str, ...]) -> tuple[str, ...]:
        """Draw a permutation."""
        return tuple(sorted(items, key=lambda item: self.uniform(f"{name} {item}")))
