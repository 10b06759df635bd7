"""Rows in the tables of databases that search by likeness, each table with its recipe.

`base` says what a table can do (`VectorTable`), `registry` opens one by its address. To add a
database, write a module with a function of the form `registry.OpenTable`, give it an `Adapter` in
`registry.ADAPTERS`, and run `penult.testing.check_vector_table` on it.

Beside the plan of issue 19, the interface has: `StoredRows.positions`, and `VectorTable.move`, for
rows come back in the order of the file that they came from; `Stored` in place of a digest alone;
`describe`, since a later push may widen what a table says of itself; `count`, for messages; and the
metric of an index. `nearest` leaves rows out that a query may not find (`without`).
"""
