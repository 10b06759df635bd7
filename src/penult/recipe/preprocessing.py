"""How pixels become what a network sees."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from penult.errors import FileFormatError
from penult.parsing import require_keys
from penult.representation import short_repr

__all__ = ["Interpolation", "Preprocessing"]

Interpolation = Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How RGB pixels become what the network was trained to see.

    Attributes
    ----------
    resize : int, (int, int) or None
        An int: the shorter edge becomes that many pixels, the longer keeps the proportions (rounded
        down, as torchvision does). A pair (height, width): squashed to exactly that.
    crop : (int, int) or None
        (height, width) of the centre crop taken after the resize.
    interpolation : {"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"}
        Pillow's filter of that name; always antialiased, as Pillow's are (nearest excepted).
    mean, std : tuple of float, one per channel
        The network sees ``(pixel / 255 - mean) / std``, in the order of `channels`.
    channels : {"RGB", "BGR"}
        The order in which the network expects them.
    margin : {"even", "down"}
        How the crop's offset is rounded where the margin is odd: half of it to the even neighbour,
        as torchvision does, or down, as transformers does.
    decode : {"exact", "scaled"}
        Whether a JPEG decoder may scale large photos down while decoding.
    resampling : {"exact", "fast"}
        ``"exact"`` is Pillow's, to the last bit; ``"fast"`` is cykooz.resizer's.
    """

    resize: int | tuple[int, int] | None
    crop: tuple[int, int] | None
    interpolation: Interpolation
    mean: tuple[float, ...]
    std: tuple[float, ...]
    channels: Literal["RGB", "BGR"] = "RGB"
    margin: Literal["even", "down"] = "even"
    decode: Literal["exact", "scaled"] = "exact"
    resampling: Literal["exact", "fast"] = "exact"

    @property
    def input_size(self) -> tuple[int, int]:
        """(height, width) of what the network sees, in pixels."""
        if self.crop is not None:
            return self.crop
        if isinstance(self.resize, tuple):
            return self.resize
        raise FileFormatError("a preprocessing without a crop needs a resize to (height, width)")

    def to_dict(self) -> dict[str, Any]:
        """Give the settings by name, as they are stored.

        Returns
        -------
        dict
            Without `resampling` where it is ``"exact"``: versions of penult that did not know it
            read the rest.
        """
        settings = dataclasses.asdict(self)
        if self.resampling == "exact":
            del settings["resampling"]
        return settings

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Preprocessing:
        """Read what `to_dict` gives, with JSON's lists turned back into tuples.

        Parameters
        ----------
        data : mapping
            Setting to value.

        Returns
        -------
        Preprocessing
            An equal one.

        Raises
        ------
        FileFormatError
            If settings are missing or unknown; names them.
        """
        require_keys(cls, data)
        fields: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in data.items()
        }
        return cls(**fields)
