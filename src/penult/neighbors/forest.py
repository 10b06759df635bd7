"""Which rows belong together, and by how weak a link: a maximum spanning forest of near pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penult.neighbors.pairs import Pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Forest", "number_groups"]

_PENDING = 1 << 18


class Forest:
    """A maximum spanning forest of rows, fed with near pairs a block at a time.

    Of all pairs it keeps those that join two groups of rows which nothing nearer joins: at most one
    less than there are rows, however many pairs were added. Where pairs are equally near, those of
    smaller places are kept; so neither the order of the blocks nor their size changes it.

    Parameters
    ----------
    rows : int
        How many rows there are.
    """

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self._links = Pairs.joined([])
        self._pending: list[Pairs] = []

    def add(self, pairs: Pairs) -> None:
        """Take more pairs into account; it does not matter whether they are known already."""
        self._pending.append(pairs)
        if sum(map(len, self._pending)) >= max(_PENDING, self.rows):
            self._settle()

    def links(self) -> Pairs:
        """The pairs that hold the groups together, nearest first, then by place."""
        self._settle()
        return self._links

    def groups(self) -> NDArray[np.int64]:
        """Number the groups in the order of their first rows.

        Returns
        -------
        int64 array, shape (N,)
            The number of each row's group; a row that is near to none is a group of its own.
        """
        return number_groups(self.rows, self.links())

    def weakest(self) -> NDArray[np.float64]:
        """Say of each group how near its rows come at the weakest link.

        Returns
        -------
        float64 array, shape (G,)
            The least cosine that a chain of rows has to take to lead from any of the group to any
            other; NaN of a group of one row.
        """
        groups, links = self.groups(), self.links()
        result = np.full(int(groups.max(initial=-1)) + 1, np.nan)
        np.fmin.at(result, groups[links.first], links.cosine)
        return result

    def _settle(self) -> None:
        if not self._pending:
            return
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import minimum_spanning_tree

        every = Pairs.joined([self._links, *self._pending])
        self._pending = []
        every = every.at(np.lexsort((every.second, every.first, -every.cosine)))
        new = np.ones(len(every), bool)
        new[1:] = (np.diff(every.first) != 0) | (np.diff(every.second) != 0)
        every = every.at(new)
        # Ranks for weights: none is zero, which scipy takes for no edge, and no two are equal, of
        # which it would take any.
        ranks = np.arange(1.0, len(every) + 1)
        # Before 1.17.1, scipy takes no places but int32 here.
        ends = every.first.astype(np.int32), every.second.astype(np.int32)
        graph = coo_array((ranks, ends), shape=(self.rows, self.rows))
        kept = np.sort(minimum_spanning_tree(graph).data).astype(np.int64) - 1
        self._links = every.at(kept)


def number_groups(rows: int, links: Pairs) -> NDArray[np.int64]:
    """Number the groups that pairs connect, in the order of their first rows.

    Parameters
    ----------
    rows : int
        How many rows there are.
    links : Pairs
        Of rows that are in one group each.

    Returns
    -------
    int64 array, shape (N,)
        The number of each row's group; a row that is in no pair is a group of its own.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = coo_array((np.ones(len(links), bool), (links.first, links.second)), shape=(rows, rows))
    _, found = connected_components(edges, directed=False)
    _, first, number = np.unique(found, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[number].astype(np.int64)
