"""The SQL of a table, with names to be filled in by `psycopg.sql`."""

from __future__ import annotations

__all__ = [
    "ANALYZE_KEPT",
    "COLUMNS",
    "COPY_INCOMING",
    "COPY_KEPT",
    "COUNT",
    "CREATE",
    "CREATE_INCOMING",
    "CREATE_KEPT",
    "CREATE_ORDER",
    "DELETE_OTHERS",
    "FEW",
    "INCOMING",
    "INCOMING_PLACES",
    "KNOWN",
    "LAST",
    "MOVED_PLACES",
    "NEAREST",
    "PLACE",
    "SCAN",
    "TAKE",
    "TAKE_OVER",
    "TYPES",
]

LAST = (1 << 63) - 1
"""The position of a row that another program put there."""

INCOMING = "penult_incoming"
TYPES = ("text", "text[]", "text", "text", "text", "text", "int8", "vector")
"""Of the columns of what comes in."""

COLUMNS = "id, labels, split, group_name, content, coalesce(position, {last}), embedding"
CREATE = (
    """
    CREATE TABLE {table} (
        id text COLLATE "C" PRIMARY KEY,
        labels text[] NOT NULL,
        split text NOT NULL,
        group_name text NOT NULL,
        content text NOT NULL,
        digest text NOT NULL,
        embedding vector({width}) NOT NULL
    )""",
    "CREATE INDEX ON {table} USING gin (labels)",
    "CREATE INDEX ON {table} USING hash (group_name)",
    "COMMENT ON TABLE {table} IS 'rows of penult, whose recipe is in penult_tables'",
)
CREATE_ORDER = (
    'CREATE TABLE {order} (id text COLLATE "C" PRIMARY KEY, position bigint NOT NULL)',
    "CREATE INDEX ON {order} (position, id)",
    "COMMENT ON TABLE {order} IS 'the order of the rows of the table without _order'",
)
CREATE_INCOMING = """
    CREATE TEMPORARY TABLE IF NOT EXISTS {incoming} (
        id text COLLATE "C", labels text[], split text, group_name text, content text,
        digest text, position bigint, embedding vector
    ) ON COMMIT DELETE ROWS"""
COPY_INCOMING = "COPY pg_temp.{incoming} FROM STDIN (FORMAT BINARY)"
# Two that write the same rows at the same time lock them in the same order, that of their ids.
TAKE_OVER = """
    INSERT INTO {table} AS old (id, labels, split, group_name, content, digest, embedding)
        SELECT id, labels, split, group_name, content, digest, embedding
        FROM pg_temp.{incoming} ORDER BY id
    ON CONFLICT (id) DO UPDATE SET
        labels = excluded.labels, split = excluded.split, group_name = excluded.group_name,
        content = excluded.content, digest = excluded.digest, embedding = excluded.embedding
        WHERE old.digest <> excluded.digest"""
PLACE = """
    INSERT INTO {order} AS old (id, position) {rows} ORDER BY id
    ON CONFLICT (id) DO UPDATE SET position = excluded.position
        WHERE old.position <> excluded.position"""
INCOMING_PLACES = "SELECT id, position FROM pg_temp.{incoming}"
# Of rows that are there: what was removed meanwhile gets no place.
MOVED_PLACES = """
    SELECT id, moved.position FROM unnest(%s::text[], %s::int8[]) AS moved (id, position)
    JOIN {table} USING (id)"""
KNOWN = """
    SELECT id, digest, coalesce(position, {last}) FROM {table} LEFT JOIN {order} USING (id)
    WHERE id = ANY(%s::text[])"""
TAKE = "SELECT {columns} FROM {table} LEFT JOIN {order} USING (id) WHERE id = ANY(%s::text[])"
SCAN = """
    SELECT {columns} FROM {table} LEFT JOIN {order} USING (id)
    ORDER BY position NULLS LAST, id"""
NEAREST = """
    SELECT {columns} FROM (SELECT id FROM {table} WHERE {left} ORDER BY {distance} LIMIT %s)
    AS found JOIN {table} USING (id) LEFT JOIN {order} USING (id)"""
COUNT = "SELECT count(*) FROM {table} WHERE {left}"
FEW = "SELECT count(*) FROM (SELECT FROM {table} WHERE {left} LIMIT %s) AS few"
CREATE_KEPT = 'CREATE TEMPORARY TABLE penult_kept (id text COLLATE "C") ON COMMIT DROP'
COPY_KEPT = "COPY pg_temp.penult_kept FROM STDIN"
ANALYZE_KEPT = "ANALYZE pg_temp.penult_kept"
DELETE_OTHERS = """
    DELETE FROM {name} AS one WHERE NOT EXISTS
    (SELECT FROM pg_temp.penult_kept AS kept WHERE kept.id = one.id)"""
