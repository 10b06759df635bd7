"""Which rows belong together, so that no split and no fold may divide them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features

__all__ = ["content_numbers", "find_groups", "index_groups"]


def find_groups(features: Features) -> NDArray[np.str_] | None:
    """Find which rows belong together: those of one group of the file, and identical images.

    Parameters
    ----------
    features : Features
        Its groups and digests are read, not its rows.

    Returns
    -------
    str array, shape (N,), or None
        None where every row stands alone. Rows are in one group if a chain of shared groups and
        shared content leads from one to the other.
    """
    groups = None if features.groups is None else np.asarray(features.groups)
    content = content_numbers(features)
    if len(np.unique(content)) == len(content):
        return groups
    if groups is None:
        return content.astype(str)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    # A graph from each row's group to its content; its components are what belongs together.
    _, named = np.unique(groups, return_inverse=True)
    beyond = int(named.max()) + 1
    nodes = beyond + int(content.max()) + 1
    edges = coo_array((np.ones(len(named)), (named, beyond + content)), shape=(nodes, nodes))
    together: NDArray[np.int32] = connected_components(edges, directed=False)[1]
    return together[named].astype(str)


def content_numbers(features: Features) -> NDArray[np.int64]:
    """Number the images: the same number to those that are the same, byte for byte.

    Returns
    -------
    int64 array, shape (N,)
        Images without a digest have a number of their own.
    """
    if features.content is None:
        return np.arange(len(features))
    content = np.asarray(features.content)
    numbers = np.unique(content, return_inverse=True)[1].astype(np.int64)
    unknown = np.flatnonzero(content == "")
    numbers[unknown] = len(content) + np.arange(len(unknown))
    return numbers


def index_groups(
    groups: NDArray[np.str_] | None, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Index the groups of `count` rows; without groups each row is one.

    Returns
    -------
    first : int64 array, shape (G,)
        The first row of each group.
    group : int64 array, shape (count,)
        Each row's place among the groups.
    """
    if groups is None:
        return np.arange(count), np.arange(count)
    _, first, unit = np.unique(groups, return_index=True, return_inverse=True)
    return first, unit
