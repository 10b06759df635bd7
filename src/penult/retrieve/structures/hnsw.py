"""A graph of near rows, hierarchical and navigable (HNSW).

Y. Malkov and D. Yashunin, "Efficient and robust approximate nearest neighbor search using
Hierarchical Navigable Small World graphs", IEEE TPAMI 42(4), 2020.

Its nodes hold short rows in eight bits a number, a quarter of the memory that is read at each step,
which is what such a search spends its time on. A row that is removed leaves its node behind, by
which others are reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.features.column import Refused
from penult.retrieve.structures.base import Effort, Structure, require_finite, require_within
from penult.retrieve.structures.library import fill, opened, selecting, taken
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.retrieve.structures.space import Space

__all__ = ["Hnsw"]

LINKS = 16
"""Neighbours of a node on each level, M; twice as many on the lowest."""

_CONSTRUCTION = 100  # efConstruction
_LEVELS = 32  # more than any graph has: each has a sixteenth of the nodes of that below it


@dataclass(frozen=True, eq=False, repr=False)
class Hnsw(Structure):
    """A graph of near rows.

    Attributes
    ----------
    space : Space
    codes : uint8 array, shape (n, d)
        The nodes' short rows, in eight bits.
    ranges : float32 array, shape (2, d)
        The least of each number, and how far the largest is above it.
    levels : int32 array, shape (n,)
        On how many levels a node is, from 1.
    neighbors : int32 array
        Of each node 2 M on the lowest level, and M on each above; -1 for none.
    entry : int
        The node where a search begins, on the highest level.
    rows : int32 array, shape (n,)
        The place of each node's row; -1 where it was removed.
    """

    kind = "hnsw"
    efforts = tuple(Effort(visits, 4) for visits in (32, 48, 64, 96, 128, 192, 256, 512))

    space: Space
    codes: NDArray[np.uint8]
    ranges: NDArray[np.float32]
    levels: NDArray[np.int32]
    neighbors: NDArray[np.int32]
    entry: int
    rows: NDArray[np.int32]

    @classmethod
    def trained(cls, space: Space, sample: NDArray[np.float32]) -> Hnsw:
        """See `Structure`."""
        with opened() as faiss:
            index = _empty(faiss, space.width)
            index.train(np.ascontiguousarray(sample))
            return cls(space, **_parts(faiss, index), rows=np.empty(0, np.int32))

    def candidates(
        self,
        queries: NDArray[np.float32],
        most: int,
        visits: int,
        allowed: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.int64]:
        """See `Structure`."""
        most = min(most, len(self.rows))
        with opened() as faiss:
            settings: dict[str, Any] = {"efSearch": max(visits, most)}
            live = self.rows >= 0 if self.wasted or allowed is not None else None
            if live is not None:
                if allowed is not None:
                    live[live] = allowed[self.rows[live]]
                settings["sel"] = selecting(faiss, live)
            _, nodes = self._index.search(
                np.ascontiguousarray(queries), most, params=faiss.SearchParametersHNSW(**settings)
            )
        places: NDArray[np.int64] = self.rows[nodes].astype(np.int64)
        places[nodes < 0] = -1
        return places

    def extended(self, blocks: Iterable[NDArray[np.float32]], places: NDArray[np.int64]) -> Hnsw:
        """See `Structure`."""
        with opened() as faiss:
            index = self._made(faiss)
            index.hnsw.efConstruction = _CONSTRUCTION
            for block in blocks:
                index.add(np.ascontiguousarray(block))
            rows = np.concatenate([self.rows, places.astype(np.int32)])
            return Hnsw(self.space, **_parts(faiss, index), rows=rows)

    def without(self, kept: NDArray[np.bool_]) -> Hnsw:
        """See `Structure`."""
        places = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)
        rows = np.full_like(self.rows, -1)
        live = self.rows >= 0
        rows[live] = places[self.rows[live]]
        return replace(self, rows=rows)

    @cached_property
    def wasted(self) -> float:
        """See `Structure`."""
        return float((self.rows < 0).mean()) if len(self.rows) else 0.0

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """See `Structure`."""
        return {
            "codes": self.codes,
            "ranges": self.ranges,
            "levels": self.levels,
            "neighbors": self.neighbors,
            "entry": np.array([self.entry], np.int32),
            "rows": self.rows,
        }

    @classmethod
    def read(cls, space: Space, arrays: Mapping[str, NDArray[Any]], rows: int) -> Hnsw:
        """See `Structure`."""
        nodes = len(arrays["rows"])
        shapes = {"codes": (nodes, space.width), "ranges": (2, space.width), "levels": (nodes,)}
        for name, shape in {**shapes, "entry": (1,)}.items():
            if arrays[name].shape != shape:
                raise Refused(f"is damaged: its {name} are {arrays[name].shape}, not {shape}")
        require_finite("ranges", arrays["ranges"])
        levels, neighbors = arrays["levels"], arrays["neighbors"]
        entry = int(arrays["entry"][0])
        require_within("levels", levels, 1, _LEVELS)
        require_within("neighbors", neighbors, -1, nodes - 1)
        if len(neighbors) != LINKS * (nodes + int(levels.sum(dtype=np.int64))):
            raise Refused(f"is damaged: its graph has {len(neighbors):,} neighbors")
        if not 0 <= entry < nodes or levels[entry] != levels.max():
            raise Refused("is damaged: its graph is entered where it is not")
        # A neighbor on a level that it is not on would be looked up in another's list.
        begins = np.cumsum(levels, dtype=np.int64) - levels + np.arange(nodes)
        for level in range(2, int(levels.max()) + 1):
            on = np.flatnonzero(levels >= level)
            first = LINKS * (begins[on] + level)
            linked = neighbors[first[:, None] + np.arange(LINKS)]
            if (levels[linked[linked >= 0]] < level).any():
                raise Refused("is damaged: its graph leads from a level to a node below it")
        found = np.sort(arrays["rows"][arrays["rows"] >= 0])
        if len(found) != rows or not np.array_equal(found, np.arange(rows)):
            raise Refused(f"is damaged: its graph is not of its {count(rows, 'row')}")
        return cls(
            space,
            codes=arrays["codes"],
            ranges=arrays["ranges"],
            levels=levels,
            neighbors=neighbors,
            entry=entry,
            rows=arrays["rows"],
        )

    @cached_property
    def _index(self) -> Any:
        with opened() as faiss:
            return self._made(faiss)

    def _made(self, faiss: Any) -> Any:
        """Copy the arrays into an index of faiss's."""
        index, nodes = _empty(faiss, self.space.width), len(self.rows)
        storage, graph = faiss.downcast_index(index.storage), index.hnsw
        fill(storage.sq.trained, self.ranges)
        fill(storage.codes, self.codes)
        lists = (self.levels.astype(np.uint64) + 1) * LINKS
        fill(graph.levels, self.levels)
        fill(graph.offsets, np.concatenate([np.zeros(1, np.uint64), np.cumsum(lists)]))
        fill(graph.neighbors, self.neighbors)
        graph.entry_point = self.entry
        graph.max_level = int(self.levels[self.entry]) - 1 if nodes else -1
        storage.ntotal = index.ntotal = nodes
        storage.is_trained = index.is_trained = True
        return index

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_index"}


def _empty(faiss: Any, width: int) -> Any:
    return faiss.IndexHNSWSQ(width, faiss.ScalarQuantizer.QT_8bit, LINKS)


def _parts(faiss: Any, index: Any) -> dict[str, Any]:
    """What faiss built, as arrays."""
    storage, graph = faiss.downcast_index(index.storage), index.hnsw
    return {
        "codes": taken(storage.codes).reshape(index.ntotal, index.d),
        "ranges": taken(storage.sq.trained).reshape(2, -1),
        "levels": taken(graph.levels).astype(np.int32),
        "neighbors": taken(graph.neighbors).astype(np.int32),
        "entry": int(graph.entry_point),
    }
