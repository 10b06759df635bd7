"""What the page of clusters is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from penult.records import Clustering

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ClustersContent"]


@dataclass(frozen=True, kw_only=True)
class ClustersContent:
    """What the page of clusters is made from.

    Attributes
    ----------
    clustering : Clustering
        What was found.
    labels : int64 array, shape (N,)
        Of its rows, -1 where there is not one.
    label_names : tuple of str
    file : str
        The feature file, as it is typed in a command.
    """

    clustering: Clustering
    labels: NDArray[np.int64]
    label_names: tuple[str, ...]
    file: str
