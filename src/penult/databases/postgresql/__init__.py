"""Rows in PostgreSQL, by its extension pgvector.

`table` is what the registry opens; it is made of an `address`, a `connection` that asks again what
the server has, the `catalogue` of what each table says of itself, the SQL of `conditions`, and an
`index`. All SQL is composed by `psycopg.sql`: names are identifiers, all else is a parameter.

    flowers          id (primary key), labels text[], split, group_name, content, digest,
                     embedding vector(D), the row as it was extracted
    flowers_order    id, position: the order of the file, in a table of its own, since an update of
                     a column beside an embedding has the index take that in once more
    penult_tables    what each table says of itself, see `penult.databases.table_info`
"""
