"""The nearest rows of a query, by the index where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pgvector import Vector
from psycopg import sql

from penult.databases.filters import Condition, Filters
from penult.databases.postgresql import statements as q
from penult.databases.postgresql.conditions import where as conditions
from penult.databases.postgresql.index import by_index, candidates, exactly

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.databases.postgresql.connection import Connection
    from penult.databases.postgresql.names import Names
    from penult.records.neighbors import Metric

__all__ = ["Search"]

_LEAST, _MOST = 100, 1000  # of hnsw.ef_search, as pgvector takes it


@dataclass(frozen=True)
class Search:
    """What is the same for all queries.

    Attributes
    ----------
    names : Names
    k : int
    metric : {"cosine", "euclidean"}
    where : sequence of Condition
    """

    names: Names
    k: int
    metric: Metric
    where: Filters

    def candidates(
        self, connection: Connection, query: NDArray[np.float32], without: str | None
    ) -> list[tuple[Any, ...]]:
        """Find the k nearest rows, and some more, in no order; all where there are fewer than k.

        Within a transaction, whose settings it changes.

        Parameters
        ----------
        query : float32 array, shape (D,)
        without : str or None
            The id that it may not find.
        """
        own = [] if without is None else [Condition("id", without, negated=True)]
        left, values = conditions([*self.where])
        if own:
            also, more = conditions(own)
            left, values = sql.SQL("{} AND {}").format(left, also), [*values, *more]
        width = len(query)
        most = candidates(self.k, width)
        _set(connection, "hnsw.iterative_scan", "relaxed_order")
        _set(connection, "hnsw.ef_search", str(min(_MOST, max(_LEAST, 2 * most))))
        parameters = [*values, Vector(np.ascontiguousarray(query, np.float32)), most]

        def nearest(distance: sql.Composable) -> list[tuple[Any, ...]]:
            found: list[tuple[Any, ...]] = self.names.run(
                connection, q.NEAREST, parameters, left=left, distance=distance
            ).fetchall()
            return found

        found = nearest(by_index(width, self.metric))
        if len(found) < self.k and len(found) < self._left(connection, left, values):
            # The scan of the index ended before it had seen all that the conditions leave.
            found = nearest(exactly(self.metric))
        return found

    def _left(self, connection: Connection, left: sql.Composable, values: Sequence[Any]) -> int:
        """How many rows the conditions leave, counted up to k."""
        return self.names.number(connection, q.FEW, [*values, self.k], left=left)


def _set(connection: Connection, name: str, value: str) -> None:
    """Set something until the transaction ends."""
    connection.execute("SELECT set_config(%s, %s, true)", [name, value])
