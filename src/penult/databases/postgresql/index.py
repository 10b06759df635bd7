"""The index of a table, by which its nearest rows are found without reading all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from penult.errors import UsageError
from penult.interface import command
from penult.wording import count

if TYPE_CHECKING:
    from penult.databases.postgresql.catalogue import Catalogue
    from penult.records.neighbors import Metric

__all__ = ["LONGEST", "build", "by_index", "candidates", "exactly", "require_indexable"]

LONGEST = 4_000
"""Numbers of a row at the most, as pgvector's halfvec can be indexed."""

_LONGEST_VECTOR = 2_000  # as vector can be
_OPERATORS = {"cosine": "<=>", "euclidean": "<->"}
_CLASSES = {"cosine": "cosine_ops", "euclidean": "l2_ops"}


def require_indexable(width: int, name: str) -> None:
    """Refuse rows that no index of pgvector takes.

    Parameters
    ----------
    width : int
        Numbers of a row.
    name : str
        What messages call the table.

    Raises
    ------
    UsageError
    """
    if width > LONGEST:
        fewer = command("reduce", "ROWS.h5", pca=512, output="REDUCED.h5")
        raise UsageError(
            f"{name}: rows have {count(width, 'number')}, and an index of pgvector takes "
            f"{LONGEST:,} at the most; make them shorter: {fewer}"
        )


def candidates(k: int, width: int) -> int:
    """How many rows to rank by their own numbers, so that the k nearest are among them."""
    return k + 10 if width <= _LONGEST_VECTOR else 3 * k + 20


def by_index(width: int, metric: Metric) -> sql.Composable:
    """Write a distance that an index can give; of one parameter, the query."""
    operator = sql.SQL(_OPERATORS[metric])
    if width <= _LONGEST_VECTOR:
        return sql.SQL("embedding {} %s::vector").format(operator)
    return sql.SQL("{0} {1} %s::vector::halfvec({2})").format(
        _half(width), operator, sql.Literal(width)
    )


def exactly(metric: Metric) -> sql.Composable:
    """Write a distance that no index gives, so that all rows are read."""
    return sql.SQL("(embedding {} %s::vector) + 0").format(sql.SQL(_OPERATORS[metric]))


def build(catalogue: Catalogue, width: int, metric: Metric) -> bool:
    """Build it within a transaction, unless it is there.

    Returns
    -------
    bool
        Whether it was built.
    """
    kind = "vector" if width <= _LONGEST_VECTOR else "halfvec"
    operators = f"{kind}_{_CLASSES[metric]}"
    catalogue.lock()
    there = catalogue.connection.execute(
        "SELECT 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " JOIN pg_am a ON a.oid = c.relam JOIN pg_opclass o ON o.oid = i.indclass[0]"
        " WHERE i.indrelid = to_regclass(%s) AND i.indisvalid AND i.indpred IS NULL"
        " AND a.amname = 'hnsw' AND o.opcname = %s",
        [catalogue.quoted, operators],
    ).fetchone()
    if there is not None:
        return False
    what = sql.SQL("embedding") if width <= _LONGEST_VECTOR else _half(width)
    catalogue.connection.execute(
        sql.SQL("CREATE INDEX ON {} USING hnsw ({} {})").format(
            catalogue.names.table, what, sql.Identifier(operators)
        )
    )
    return True


def _half(width: int) -> sql.Composable:
    return sql.SQL("(embedding::halfvec({}))").format(sql.Literal(width))
