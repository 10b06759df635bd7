"""Rows that are pushed to a database and pulled again are the rows of the file, dataset by dataset."""

from __future__ import annotations

import subprocess
import sys
import threading

import h5py
import numpy as np
import pytest
from feature_files import recipe, record, write

import penult
from penult.content_keys import keys_of
from penult.databases.registry import ADAPTERS, Adapter, open_table
from penult.errors import (
    DatabaseError,
    OutputExistsError,
    RecipeMismatchError,
    SearchError,
    UnknownNameError,
    UsageError,
)
from penult.recipe import AugmentedRecipe, ProjectedRecipe, Projection
from penult.records import AugmentedRecord, Failure
from penult.tasks import push as push_module
from penult.testing import MemoryTable


@pytest.fixture(params=["memory", "postgres"])
def address(request, monkeypatch):
    """Of a table that is not there yet."""
    if request.param == "postgres":
        return request.getfixturevalue("postgres").address()
    tables: dict[str, MemoryTable] = {}
    monkeypatch.setattr(
        "penult.databases.registry.ADAPTERS",
        [*ADAPTERS, Adapter("memory", ("memory:",), "memory:rows", lambda address, _: tables.setdefault(address, MemoryTable(address)))],
    )  # fmt: skip
    return "memory:rows"


NAMES = ("b/2", "a/10", "a/9", "c", "b/1", "a/é")  # in no order that a database would have them in


def labelled(*names: str, **more):
    labels = {"a": ("daisy",), "b": ("daisy", "rose"), "c": ()}
    return [record(f"{name}.jpg", *labels[name[0]], **more) for name in names]


def rows_of(count, shape=(2,), seed=0):
    rows = np.random.default_rng(seed).normal(size=(count, *shape))
    return rows.astype(np.float16).astype(np.float32)


def projected(width=3):
    rng = np.random.default_rng(0)
    arrays = {
        "mean": rng.normal(size=5),
        "components": rng.normal(size=(width, 5)),
        "explained_variance": [3, 2, 1],
    }
    return ProjectedRecipe.of(recipe(), Projection(**arrays, total_variance=9.0, whiten=True))


def held(path):
    """All that is in a feature file, but when it was written."""
    with h5py.File(path) as file:
        found = {"": {k: v for k, v in file.attrs.items() if k != "created"}}

        def take(name, one):
            value = one[()].tolist() if isinstance(one, h5py.Dataset) else None
            kind = str(one.dtype) if isinstance(one, h5py.Dataset) else None
            found[name] = kind, value, dict(one.attrs)

        file.visititems(take)
        return found


FILES = {
    "plain": {"records": labelled("a/1", "c", "a/3"), "rows": rows_of(3)},
    "maps of float16, several labels": {
        "records": labelled(*NAMES, split="train", group="g"),
        "rows": rows_of(6, (2, 3, 3)),
        "dtype": "float16",
        "failures": [Failure("broken.jpg", "no image"), Failure("b/2.jpg", "twice")],
        "origin": {"sources": ["photos"], "passed_over": {".txt": 2}},
    },
    "projected": {"records": labelled(*NAMES), "rows": rows_of(6, (3,)), "recipes": [projected()], "names": ["pca3"]},
    "whose images trained the network": {
        "records": labelled("c", "a/2", "a/1"),
        "rows": rows_of(3),
        "digests": ["a" * 32, "", "b" * 32],
        "trained_on": [keys_of(["b" * 32, "e" * 32])],
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", FILES)
def test_what_is_pulled_is_what_was_pushed(kind, address, tmp_path):
    options = dict(FILES[kind])
    path = write(tmp_path / "rows.h5", options.pop("records"), [options.pop("rows")], **options)
    pushed = penult.push(path, to=address)
    assert (pushed.rows, pushed.added, pushed.index) == (pushed.added, pushed.rows, False)
    pulled = penult.pull(address, tmp_path / "again.h5")
    assert held(tmp_path / "again.h5") == held(path)
    assert (pulled.rows, pulled.layer) == (pushed.rows, pushed.layer)
    assert pulled.bytes == (tmp_path / "again.h5").stat().st_size


def test_a_second_push_changes_nothing_and_a_later_one_what_has_changed(address, tmp_path):
    first = write(tmp_path / "1.h5", labelled("a/1", "b/1", "c", "a/2"), [rows_of(4)])
    penult.push(first, to=address)
    again = penult.push(first, to=address, prune=True)
    assert (again.added, again.updated, again.unchanged, again.removed) == (0, 0, 4, 0)
    # One is new at the beginning, one has another row, one another label, one is gone.
    records = [*labelled("b/0", "a/1"), record("b/1.jpg", "tulip"), *labelled("c")]
    rows = np.concatenate([rows_of(1, seed=1), rows_of(2), rows_of(1, seed=2)])
    second = write(tmp_path / "2.h5", records, [rows], digests=["f" * 32, *(f"{k:032x}" for k in range(3))])  # fmt: skip
    later = penult.push(second, to=address)
    assert (later.added, later.updated, later.unchanged, later.removed) == (1, 2, 1, 0)
    assert (again.left, later.left) == (0, 1)
    penult.pull(address, tmp_path / "both.h5")
    both = penult.load(tmp_path / "both.h5")
    assert sorted(both.ids) == ["a/1.jpg", "a/2.jpg", "b/0.jpg", "b/1.jpg", "c.jpg"]
    assert both.label_names == ("daisy", "rose", "tulip")
    pruned = penult.push(second, to=address, prune=True)
    assert (pruned.unchanged, pruned.removed, pruned.left) == (4, 1, 0)
    penult.pull(address, tmp_path / "second.h5")
    assert held(tmp_path / "second.h5") == held(second)


def test_postgres_writes_no_row_anew_that_is_the_same(postgres, tmp_path):
    address = postgres.address("written")
    path = write(tmp_path / "1.h5", labelled("a/1", "b/1", "c"), [rows_of(3)])
    penult.push(path, to=address)
    versions = (
        "SELECT id, xmin::text FROM written UNION ALL SELECT id, xmin::text FROM written_order"
    )
    before = sorted(postgres.run(versions))
    infos = postgres.run("SELECT xmin::text FROM penult_tables WHERE rows = 'written'::regclass")
    penult.push(path, to=address, prune=True)
    assert sorted(postgres.run(versions)) == before
    assert infos == postgres.run(
        "SELECT xmin::text FROM penult_tables WHERE rows = 'written'::regclass"
    )


KILLED = """
import os, signal, sys
import penult
from penult.databases.postgresql import table as module
from penult.tasks import push

push._BLOCK_ROWS = 2
real, calls = module.Names.run, []

def run(self, connection, query, *values, **more):
    if query == module.q.TAKE_OVER:
        calls.append(1)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGKILL)  # between COPY and the end of the transaction
    return real(self, connection, query, *values, **more)

module.Names.run = run
penult.push(sys.argv[1], to=sys.argv[2])
"""


def test_a_push_that_was_killed_goes_on(postgres, tmp_path):
    address = postgres.address()
    path = write(tmp_path / "1.h5", labelled(*(f"a/{k}" for k in range(9))), [rows_of(9)])
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), address], check=False)
    assert done.returncode == -9
    table = open_table(address)
    assert table.count() == 4, "whole batches, and no part of one"
    table.close()
    again = penult.push(path, to=address)
    assert (again.added, again.unchanged) == (5, 4)
    penult.pull(address, tmp_path / "again.h5")
    assert held(tmp_path / "again.h5") == held(path)


def test_two_pushes_at_the_same_time_make_one_table(postgres, tmp_path, monkeypatch):
    monkeypatch.setattr(push_module, "_BLOCK_ROWS", 3)
    address = postgres.address()
    whole = labelled(*(f"a/{k}" for k in range(30)))
    rows = rows_of(30)
    parts = [
        write(tmp_path / f"{k}.h5", whole[part], [rows[part]])
        for k, part in enumerate((slice(0, 20), slice(10, 30)))
    ]
    failed = []

    def push(path):
        try:
            penult.push(path, to=address, progress=False)
        except penult.PenultError as error:
            failed.append(error)

    threads = [threading.Thread(target=push, args=[path]) for path in parts]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not failed
    penult.pull(address, tmp_path / "both.h5")
    both = penult.load(tmp_path / "both.h5")
    assert sorted(both.ids) == sorted(one.id for one in whole)


def test_rows_of_another_recipe_or_shape_are_refused_by_what_differs(address, tmp_path):
    penult.push(write(tmp_path / "1.h5", labelled("a/1"), [rows_of(1)]), to=address)
    other = write(tmp_path / "2.h5", labelled("a/1"), [rows_of(1)], layers=["logits"])
    with pytest.raises(RecipeMismatchError, match=r"the table .* and .*2\.h5 .* layer: 'penultimate' and 'logits'"):  # fmt: skip
        penult.push(other, to=address)
    wide = write(tmp_path / "3.h5", labelled("a/1"), [rows_of(1, (3,))])
    with pytest.raises(SearchError, match=r"has rows of 2 numbers, and .*3\.h5 of 3"):
        penult.push(wide, to=address)


def test_rows_that_no_database_keeps_are_named_before_they_are_written(address, make_features):
    rows = make_features({"a": 2, "b": 1})
    rows.features[1, 2] = np.nan
    with pytest.raises(SearchError, match=r"1 row with NaN or infinite numbers \(a/001\.jpg\)"):
        penult.push(rows, to=address)
    rows.features[1, 2] = 0
    rows.ids[2] = "b/\ud800.jpg"
    with pytest.raises(UsageError, match=r"the row 'b/\\ud800.jpg' has .* lone surrogate"):
        penult.push(rows, to=address)


def test_one_layer_of_several_is_pushed(address, tmp_path):
    rows = rows_of(2)
    path = write(tmp_path / "1.h5", labelled("a/1", "c"), [rows, -rows], layers=["one", "two"])
    assert penult.push(path, to=address, layer="one").layer == "one"
    penult.pull(address, tmp_path / "one.h5")
    found = penult.load(tmp_path / "one.h5")
    assert (found.layers, found.features[:].tolist()) == (("one",), rows.tolist())
    with pytest.raises(UnknownNameError, match="three"):
        penult.push(path, to=address, layer="three")


def test_augmented_rows_stay_behind_which_is_said(address, tmp_path, caplog):
    photos = labelled("a/1", "c")
    path = write(
        tmp_path / "1.h5",
        [*photos, AugmentedRecord(photos[0], 1)],
        [rows_of(3)],
        blocks=3,
        augmented=[AugmentedRecipe(recipe(), "light", 7)],
    )
    assert penult.push(path, to=address).rows == 2
    assert "1 augmented row of" in caplog.text
    assert "stay in the file: they are for training alone" in caplog.text


def test_there_is_an_index_from_10_000_rows_on(postgres, make_features, monkeypatch):
    monkeypatch.setattr(push_module, "_INDEXED", 4)
    indexes = "SELECT indexdef FROM pg_indexes WHERE tablename = %s AND indexdef LIKE '%%hnsw%%'"

    def pushed(count, **options):
        address = postgres.address()
        told = penult.push(make_features({"a": count}), to=address, **options)
        made = postgres.run(indexes, address.partition("table=")[2])
        assert told.index == bool(made)
        return [one for (one,) in made]

    assert not pushed(3)
    assert "vector_cosine_ops" in pushed(4)[0]
    assert "vector_l2_ops" in pushed(3, index=True, metric="euclidean")[0]
    assert not pushed(4, index=False)


def test_rows_that_are_too_long_are_refused_with_how_to_reduce_them(postgres, make_features):
    with pytest.raises(UsageError, match=r"4,096 numbers, .* penult\.reduce\('ROWS\.h5', pca=512"):
        penult.push(make_features({"a": 1}, width=4096), to=postgres.address())


def test_both_tell_how_far_they_are(address, make_features, tmp_path, monkeypatch):
    for module in ("push", "pull"):
        monkeypatch.setattr(f"penult.tasks.{module}._BLOCK_ROWS", 2)
    told = []
    rows = make_features({"a": 3, "b": 2})
    penult.push(rows, to=address, progress=told.append)
    penult.push(rows, to=address, progress=told.append)
    penult.pull(address, tmp_path / "f.h5", progress=told.append)
    assert [(now.stage, now.done, now.kept) for now in told if now.counted] == [
        *(("push", done, 0) for done in (0, 2, 4, 5)),
        *(("push", done, done) for done in (0, 2, 4, 5)),
        *(("pull", done, 0) for done in (2, 4, 5)),
    ]
    assert {now.total for now in told} == {5}


def test_what_cannot_be_pulled_is_told_and_nothing_is_written(address, make_features, tmp_path):
    with pytest.raises(DatabaseError, match=r"no such table; fill it with: penult\.push\('?ROWS"):
        penult.pull(address, tmp_path / "f.h5")
    penult.push(make_features({"a": 2}), to=address)
    table = open_table(address)
    (block,) = table.scan(9)
    table.upsert(type(block)(**{**vars(block), "labels": [("a",), ("new",)]}), ["", ""])
    with pytest.raises(
        DatabaseError, match=r"the row a/001\.jpg has the label 'new', which penult"
    ):
        penult.pull(address, tmp_path / "f.h5")
    table.upsert(type(block)(**{**vars(block), "splits": ["", "mine"]}), ["1", "1"])
    with pytest.raises(DatabaseError, match="has the split 'mine', which penult"):
        penult.pull(address, tmp_path / "f.h5")
    table.remove_others([])
    table.close()
    with pytest.raises(DatabaseError, match="the table has no rows"):
        penult.pull(address, tmp_path / "f.h5")
    assert not list(tmp_path.iterdir())
    (tmp_path / "f.h5").write_bytes(b"mine")
    with pytest.raises(OutputExistsError, match="overwrite"):
        penult.pull(address, tmp_path / "f.h5")
