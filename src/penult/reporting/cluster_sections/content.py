"""What the page of clusters is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from penult.partition.row_groups import content_numbers
from penult.records import Clustering

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features

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
    contents : int64 array, shape (N,)
        The same number to images that are the same, byte for byte.
    file : str
        The feature file, as it is typed in a command.
    """

    clustering: Clustering
    labels: NDArray[np.int64]
    label_names: tuple[str, ...]
    contents: NDArray[np.int64]
    file: str

    @classmethod
    def of(cls, clustering: Clustering, features: Features, file: str) -> ClustersContent:
        """Take what else a page shows from the features, whose rows are those of the clusters."""
        return cls(
            clustering=clustering,
            labels=np.asarray(features.labels),
            label_names=features.label_names,
            contents=content_numbers(features),
            file=file,
        )
