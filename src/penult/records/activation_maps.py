"""The activation of one layer for one photo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penult.records.heat_map import HeatMap
from penult.representation import short_repr

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ActivationMaps"]


@short_repr
@dataclass(frozen=True, kw_only=True, eq=False)
class ActivationMaps:
    """What a layer gives at each place of a photo: a map for each of its channels.

    Attributes
    ----------
    id : str
        The photo.
    network : str
        In words.
    layer : str
        The layer.
    maps : float32 array, shape (C, h, w)
        The activation, in the order of the network's channels; of tokens, those of patches.
    order : int64 array, shape (C,)
        The channels, strongest first: by the mean of the absolute values over the places.
    seen : uint8 array, shape (H, W, 3)
        What the network saw, RGB; the places divide it evenly.
    """

    id: str
    network: str
    layer: str
    maps: NDArray[np.float32]
    order: NDArray[np.int64]
    seen: NDArray[np.uint8]

    @property
    def mean(self) -> HeatMap:
        """The mean over all channels at each place."""
        values = self.maps.mean(axis=0, dtype="f8").astype("f4")
        return HeatMap(network=self.network, layer=self.layer, values=values, seen=self.seen)

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            ``id``, ``network``, ``layer``, ``channels``, ``size`` ([h, w]), ``strongest`` (the ten
            strongest channels), ``least`` and ``largest`` (activation) and ``mean`` (rows of
            numbers); further keys may come.
        """
        return {
            "id": self.id,
            "network": self.network,
            "layer": self.layer,
            "channels": len(self.maps),
            "size": list(self.maps.shape[1:]),
            "strongest": self.order[:10].tolist(),
            "least": float(self.maps.min()),
            "largest": float(self.maps.max()),
            "mean": self.mean.values.tolist(),
        }
