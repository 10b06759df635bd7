"""One way to make the rows: the network's precision, and how photos are decoded and resized."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from penult.interface import option
from penult.recipe import Precision

__all__ = ["DEFAULT_WAY", "Way"]


@dataclass(frozen=True)
class Way:
    """Options of an extraction that change its speed, and its rows a little.

    Attributes
    ----------
    precision : {"float32", "float16", "bfloat16"}
        What the network computes in.
    resize : {"exact", "fast"}
        How photos are resized.
    decode : {"exact", "scaled"}
        Whether the decoder may scale large JPEGs down.
    """

    precision: Precision = "float32"
    resize: Literal["exact", "fast"] = "exact"
    decode: Literal["exact", "scaled"] = "exact"

    @property
    def reading(self) -> tuple[str, str]:
        """What the time before the network depends on: (resize, decode)."""
        return self.resize, self.decode

    @property
    def options(self) -> dict[str, str]:
        """What has to be given to ``extract``: the options that are not the default."""
        return {name: value for name, value in vars(self).items() if value not in _DEFAULTS}

    @property
    def described(self) -> str:
        """Its options as its reader types them."""
        return " ".join(option(*one) for one in self.options.items()) or "the default"

    @property
    def short(self) -> str:
        """Its options in a few words, for a table."""
        words = {"fast": "fast resize", "scaled": "scaled decode"}
        return ", ".join(words.get(one, one) for one in self.options.values()) or "float32"


_DEFAULTS = frozenset({"float32", "exact"})
DEFAULT_WAY = Way()
