"""Numbers of the places of one photo, as one layer of one network divides it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penult.representation import short_repr

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["HeatMap"]


@short_repr
@dataclass(frozen=True, kw_only=True, eq=False)
class HeatMap:
    """A number for each place of a photo.

    The places divide what the network saw of the photo evenly, not the photo: most networks see a
    square from the middle of it.

    Attributes
    ----------
    network : str
        In words.
    layer : str
        The layer whose places they are.
    values : float32 array, shape (h, w)
        The numbers, row by row from the top left.
    seen : uint8 array, shape (H, W, 3)
        What the network saw, RGB; of several views, what they show together, white where none does.
    detail : str
        What tells it from another map of the same layer of the same photo, such as
        ``"pooling max"``; mostly empty.
    """

    network: str
    layer: str
    values: NDArray[np.float32]
    seen: NDArray[np.uint8]
    detail: str = ""

    @property
    def name(self) -> str:
        """Layer, network and detail, which no other map of the photo has."""
        return f"{self.layer} of {self.network}" + (f", {self.detail}" if self.detail else "")

    @property
    def total(self) -> float:
        """The sum of the numbers."""
        return float(self.values.sum(dtype="f8"))

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            ``network``, ``layer``, ``detail``, ``values`` (rows of numbers) and ``total``; not what
            the network saw. Further keys may come.
        """
        return {
            "network": self.network,
            "layer": self.layer,
            "detail": self.detail,
            "values": self.values.tolist(),
            "total": self.total,
        }
