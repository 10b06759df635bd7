"""A table that breaks a promise is told which."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from penult.testing import MemoryTable, check_vector_table


def opener_of(kind):
    table = kind()
    return lambda: table


def test_a_table_in_memory_keeps_its_promises():
    check_vector_table(opener_of(MemoryTable))


class FewerByFilters(MemoryTable):
    """Takes the k nearest first, and then those of them that a filter leaves, as an index does."""

    def nearest(self, queries, k, *, metric="cosine", where=(), without=()):
        few = super().nearest(queries, k, metric=metric, without=without)
        kept = []
        for one in few:
            from penult.databases.filters import is_left

            found = one.found
            places = [
                j
                for j, row in enumerate(found.ids)
                if is_left(where, row, found.labels[j], found.splits[j], found.groups[j])
            ]
            kept.append(type(one)(found.take(places), one.values[places]))
        return kept


class Lossy(MemoryTable):
    def upsert(self, rows, digests):
        half = rows.rows.astype(np.float16).astype(np.float32)
        super().upsert(replace(rows, rows=half), digests)


class ForgetsTheOrder(MemoryTable):
    def move(self, positions):
        pass


class FoldsCase(MemoryTable):
    def known(self, ids):
        return super().known([one.lower() for one in ids])


class BoundToItsThread(MemoryTable):
    """Refuses other threads, as what sqlite3 opens does."""

    def __init__(self):
        super().__init__()
        self._thread = threading.get_ident()

    def known(self, ids):
        if threading.get_ident() != self._thread:
            raise RuntimeError("objects created in a thread can only be used in that same thread")
        return super().known(ids)


class NeedsNoIndex(MemoryTable):
    def build_index(self, metric="cosine"):
        return False


class AddsAgain(MemoryTable):
    def build_index(self, metric="cosine"):
        return True


class LosesProjections(MemoryTable):
    def create(self, info):
        recipe = replace(info.recipe, projection=None)
        super().create(replace(info, recipe=recipe))


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (FewerByFilters, r"nearest\(\) of k=1 .* has to find 1 rows, and found 0"),
        (Lossy, "rows have to come back to the bit"),
        (ForgetsTheOrder, r"scan\(1\): ids have to be"),
        (FoldsCase, r"known\(\) has to give digests and positions"),
        (BoundToItsThread, r"known\(\) has to work in another thread .*RuntimeError"),
        (NeedsNoIndex, r"build_index\(\) has to say that it built one"),
        (AddsAgain, r"build_index\(\) has to find the index that is there"),
        (LosesProjections, "arrays of .* are not there"),
    ],
)
def test_one_that_breaks_a_promise_is_told_which(kind, complaint):
    with pytest.raises(AssertionError, match=complaint):
        check_vector_table(opener_of(kind))
