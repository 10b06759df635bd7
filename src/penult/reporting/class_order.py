"""The order in which a large confusion matrix is read best: classes that are confused, together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["LABEL_ORDER_UP_TO", "by_similarity"]

LABEL_ORDER_UP_TO = 30
"""Classes; a matrix of so few is read by its names, and stays in their order."""

OPTIMAL_UP_TO = 1000  # classes, which take 2.4 s; the time grows with their cube


def by_similarity(confusion: Sequence[Sequence[int]]) -> list[int]:
    """Order classes so that those that are taken for each other stand side by side.

    Of two classes, the similarity is the mean of the two shares of images that are called by the
    other's name. The order is that of the leaves of a tree of average linkage, turned so that
    neighbours are as similar as they can be (Bar-Joseph, Gifford & Jaakkola, Bioinformatics 17,
    2001; `scipy.cluster.hierarchy.linkage` with ``optimal_ordering``); of more than 1,000 classes,
    as the tree comes.

    Parameters
    ----------
    confusion : sequence of sequence of int, (K, K)
        True classes down, predicted ones across.

    Returns
    -------
    list of int
        The K classes' places in `confusion`, in the order to be shown.
    """
    if len(confusion) < 3:
        return [*range(len(confusion))]
    import numpy as np
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    counts = np.asarray(confusion, dtype=float)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    distance: Any = 1 - (shares + shares.T) / 2
    np.fill_diagonal(distance, 0)
    tree = linkage(
        squareform(distance, checks=False),
        "average",
        optimal_ordering=len(counts) <= OPTIMAL_UP_TO,
    )
    return [int(one) for one in leaves_list(tree)]
