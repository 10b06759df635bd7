"""What is known of the rows whose labels are judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.serving.gallery.neighbour_votes import NeighbourVotes

__all__ = ["Judged"]


@dataclass(frozen=True, eq=False)
class Judged:
    """What is known of the rows that are judged, (n,) or (n, K) each."""

    places: NDArray[np.int64]
    names: Sequence[str]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    by_classifier: NDArray[np.bool_]
    votes: NeighbourVotes
