"""How well rows fall into so many clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["ClusterCount"]


@dataclass(frozen=True)
class ClusterCount:
    """A number of clusters that was tried.

    Attributes
    ----------
    k : int
        How many clusters.
    silhouette : float or None
        Their mean silhouette, in [-1, 1]; None where there is none, as of fewer than two.
    """

    k: int
    silhouette: float | None

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            ``k`` and ``silhouette``.
        """
        return {"k": self.k, "silhouette": self.silhouette}
