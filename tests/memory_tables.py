"""Tables in memory that have addresses, so that all that takes an address can be tried on them."""

from __future__ import annotations

import penult
from penult.databases import registry
from penult.databases.feature_rows import info_of, stored_rows
from penult.testing import MemoryTable

SCHEME = "memory:"


class MemoryTables:
    """The tables of one test, by their addresses.

    Attributes
    ----------
    adapter : Adapter
        What opens them; tests put it into `registry.ADAPTERS`.
    asked : list of str
        The address of each table that was opened, in order.
    """

    def __init__(self):
        self.tables, self.asked = {}, []
        self.adapter = registry.Adapter("memory", (SCHEME,), f"{SCHEME}rows", open=self._open)

    def push(self, rows, name="rows"):
        """Fill a table with the rows of a feature file; returns its address."""
        address = f"{SCHEME}{name}"
        fill(self.tables.setdefault(address, MemoryTable(address)), rows)
        return address

    def _open(self, address, offline):
        self.asked.append(address)
        return self.tables.setdefault(address, MemoryTable(address))


def fill(table, rows):
    """Put the rows of a feature file into a table, as `penult.push` does."""
    features = penult.load(rows)
    table.create(info_of(features))
    for block in stored_rows(features, 1000):
        table.upsert(block, block.digests())
    return table
