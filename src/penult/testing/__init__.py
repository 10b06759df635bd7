"""Checks that what extends penult keeps its contracts, for tests of penult's own and of others'.

They are functions that raise an AssertionError saying what was expected; no test framework is
needed.
"""

from __future__ import annotations

from penult.testing.backbones import check_source
from penult.testing.engines import check_engine
from penult.testing.images import check_image_source
from penult.testing.memory_table import MemoryTable
from penult.testing.vector_tables import check_vector_table

__all__ = [
    "MemoryTable",
    "check_engine",
    "check_image_source",
    "check_source",
    "check_vector_table",
]
