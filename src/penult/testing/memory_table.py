"""A table in memory: what a real one is compared with, and a stand-in for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from penult.databases.base import Filters, Nearest, Stored, StoredRows, TableInfo
from penult.databases.filters import is_left
from penult.databases.ranking import ranked
from penult.errors import DatabaseError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records.neighbors import Metric

__all__ = ["MemoryTable"]


class MemoryTable:
    """The plainest `penult.databases.base.VectorTable`: exact, and gone with its process.

    Parameters
    ----------
    address : str
        For messages.
    """

    def __init__(self, address: str = "memory:rows") -> None:
        self.address = address
        self._info: TableInfo | None = None
        self._rows: dict[str, tuple[StoredRows, str]] = {}
        self._indexes = set[str]()

    def info(self) -> TableInfo | None:
        """See `VectorTable.info`."""
        return None if self._info is None else replace(self._info, rows=len(self._rows))

    def create(self, info: TableInfo) -> None:
        """See `VectorTable.create`."""
        if self._info is None:
            self._info = info

    def describe(self, change: Callable[[TableInfo], TableInfo]) -> TableInfo:
        """See `VectorTable.describe`."""
        info = self.info()
        if info is None:
            raise DatabaseError(f"there is no table at {self.address}")
        self._info = change(info)
        return self._info

    def known(self, ids: Sequence[str]) -> dict[str, Stored]:
        """See `VectorTable.known`."""
        return {
            one: Stored(digest, int(row.positions[0]))
            for one in ids
            if one in self._rows
            for row, digest in (self._rows[one],)
        }

    def upsert(self, rows: StoredRows, digests: Sequence[str]) -> None:
        """See `VectorTable.upsert`."""
        for k, one in enumerate(rows.ids):
            self._rows[one] = rows.take([k]), digests[k]

    def move(self, positions: Mapping[str, int]) -> None:
        """See `VectorTable.move`."""
        for one in positions.keys() & self._rows.keys():
            row, digest = self._rows[one]
            self._rows[one] = replace(row, positions=[positions[one]]), digest

    def remove_others(self, ids: Iterable[str]) -> int:
        """See `VectorTable.remove_others`."""
        others = self._rows.keys() - set(ids)
        for one in others:
            del self._rows[one]
        return len(others)

    def count(self, where: Filters = ()) -> int:
        """See `VectorTable.count`."""
        return len(self._left(where))

    def scan(self, batch: int) -> Iterator[StoredRows]:
        """See `VectorTable.scan`."""
        rows = self._left(())
        for start in range(0, len(rows), batch):
            yield rows.take(range(start, min(start + batch, len(rows))))

    def take(self, ids: Sequence[str]) -> StoredRows:
        """See `VectorTable.take`."""
        return self._glued([self._rows[one][0] for one in ids if one in self._rows])

    def nearest(
        self,
        queries: NDArray[np.float32],
        k: int,
        *,
        metric: Metric = "cosine",
        where: Filters = (),
        without: Sequence[str | None] = (),
    ) -> list[Nearest]:
        """See `VectorTable.nearest`."""
        left, found = self._left(where), []
        for query, own in zip(queries, without or [None] * len(queries), strict=True):
            others = left.take([k for k, one in enumerate(left.ids) if one != own])
            found.append(ranked(others, query, k, metric=metric))
        return found

    def build_index(self, metric: Metric = "cosine") -> bool:
        """See `VectorTable.build_index`."""
        built = metric not in self._indexes
        self._indexes.add(metric)
        return built

    def close(self) -> None:
        """See `VectorTable.close`."""

    def _left(self, where: Filters) -> StoredRows:
        rows = sorted(
            (row for row, _ in self._rows.values()), key=lambda row: (row.positions[0], row.ids[0])
        )
        return self._glued(
            [
                row
                for row in rows
                if is_left(where, row.ids[0], row.labels[0], row.splits[0], row.groups[0])
            ]
        )

    def _glued(self, rows: Sequence[StoredRows]) -> StoredRows:
        width = 0 if self._info is None else self._info.width
        return StoredRows(
            ids=[row.ids[0] for row in rows],
            rows=np.concatenate([np.zeros((0, width), np.float32), *(row.rows for row in rows)]),
            labels=[row.labels[0] for row in rows],
            splits=[row.splits[0] for row in rows],
            groups=[row.groups[0] for row in rows],
            content=[row.content[0] for row in rows],
            positions=[row.positions[0] for row in rows],
        )
