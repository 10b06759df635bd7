"""What penult relies on in a table of a database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.databases.base import Condition, Filters, StoredRows, TableInfo, VectorTable
from penult.errors import DatabaseError
from penult.recipe import BackboneRecipe, Preprocessing, ProjectedRecipe, Projection
from penult.records import Failure
from penult.testing.expect import expect, expecting
from penult.testing.memory_table import MemoryTable

if TYPE_CHECKING:
    from penult.records.neighbors import Metric

__all__ = ["check_vector_table"]

_ROWS, _WIDTH, _BATCH = 60, 6, 7
# What breaks queries that are put together from texts, and what databases sort or fold otherwise.
_HOSTILE = (
    "it's/quoted'); DROP TABLE rows; --.jpg",
    'say "hé" \\ %s {0} $1 :id.jpg',
    "Größe/ÄÖ 日本 🌼.jpg",
    "a*b?[c].jpg",
    "A*B?[C].jpg",
)
_HOSTILE_LABEL = "rose' OR '1'='1"


def check_vector_table(
    open_table: Callable[[], VectorTable], drop: Callable[[], object] | None = None
) -> None:
    """Check that a table keeps what `penult.databases.base.VectorTable` promises.

    It is compared with `penult.testing.MemoryTable`, before and after its index is built.

    Parameters
    ----------
    open_table : callable
        Opens a table that is not there yet; called again, the same one by another connection.
    drop : callable, optional
        Drops the table, as somebody else would: to see that one that is made anew under its name,
        whose rows may be of another recipe, is not taken for it.

    Raises
    ------
    AssertionError
        If it does not; says what was expected.
    """
    with expecting("a table has to keep what VectorTable promises, and raised"):
        table = open_table()
        expect(isinstance(table, VectorTable), f"it has to be a VectorTable, and is {table!r}")
        other = open_table()
        try:
            _check(table, other)
            if drop is not None:
                _check_made_anew(table, other, drop)
        finally:
            table.close()
            other.close()


def _check(table: VectorTable, other: VectorTable) -> None:
    info, rows = _info(), _rows(_ROWS)
    expect(isinstance(table.address, str) and table.address, "address has to be said")
    expect(table.info() is None, "info() of a table that is not there has to be None")
    table.create(info)
    other.create(replace(info, name="another"))  # it is there
    _check_info(other, info, 0)
    _check_empty(table)
    memory = MemoryTable()
    memory.create(info)
    for start in range(0, _ROWS, _BATCH):
        _write(rows.take(range(start, min(start + _BATCH, _ROWS))), table, memory)
    expect(other.count() == _ROWS, f"{_ROWS} rows were written, and another connection counts less")
    _check_info(other, info, _ROWS)
    _check_same(table, memory)
    _check_another_thread(table, rows)
    _check_changes(table, other, memory)
    _check_search(table, memory, "without an index")
    for metric in ("cosine", "euclidean"):
        expect(table.build_index(metric), "build_index() has to say that it built one")
        expect(not table.build_index(metric), "build_index() has to find the index that is there")
    _check_search(table, memory, "with an index")
    again = rows.take([3, 40])
    _write(replace(again, rows=again.rows[::-1].copy()), table, memory)
    _check_search(table, memory, "with rows that were changed after the index was built")
    _check_described(table, other, info)
    _check_removal(table, memory)


def _check_info(table: VectorTable, info: TableInfo, rows: int) -> None:
    found = table.info()
    if found is None:
        raise AssertionError("info() has to find a table that was created")
    expect(found == info, f"info() has to give what was stored: {info}, and not {found}")
    expect(
        found.recipe.projections == info.recipe.projections,
        "the arrays of the recipe's projections have to travel",
    )
    expect(
        found.trained_on is not None and np.array_equal(found.trained_on, [3, 2**63 + 1]),
        "the keys of images that trained the network have to travel",
    )
    expect(found.rows == rows, f"info().rows has to be {rows}, and is {found.rows}")


def _check_empty(table: VectorTable) -> None:
    expect(table.count() == 0, "count() of no rows has to be 0")
    expect(table.known(["a"]) == {}, "known() of no rows has to be empty")
    expect(table.known([]) == {}, "known() has to take no ids")
    empty = table.take(["a"]).rows
    expect(empty.shape == (0, _WIDTH), f"take() of no rows gives (0, {_WIDTH}), not {empty.shape}")
    expect([len(one) for one in table.scan(4) if len(one)] == [], "scan() of no rows is empty")
    found = table.nearest(np.ones((2, _WIDTH), np.float32), 3)
    expect([len(one.found) for one in found] == [0, 0], "nearest() of no rows has to find none")


def _check_same(table: VectorTable, memory: MemoryTable) -> None:
    for batch in (1, _BATCH, 1000):
        blocks = list(table.scan(batch))
        expect(max(map(len, blocks)) <= batch, f"scan({batch}) gave more rows at once")
        _require_same(_joined(blocks), _joined(list(memory.scan(1000))), f"scan({batch})")
    asked = [*_HOSTILE, "no such id", "f/7.jpg"]
    _require_same(table.take(asked), memory.take(asked), "take()")
    expect(table.known(asked) == memory.known(asked), "known() has to give digests and positions")
    for where in _filters():
        expect(
            table.count(where) == memory.count(where),
            f"count({where}) has to be {memory.count(where)}, and is {table.count(where)}",
        )


def _check_another_thread(table: VectorTable, rows: StoredRows) -> None:
    questions: dict[str, Callable[[], object]] = {
        "info": table.info,
        "known": lambda: table.known(rows.ids),
        "nearest": lambda: table.nearest(rows.rows[:1], 1),
        "scan": lambda: list(table.scan(_BATCH)),
        "upsert": lambda: _write(rows.take([0]), table),
    }
    with ThreadPoolExecutor(1) as thread:
        for name, ask in questions.items():
            with expecting(
                f"{name}() has to work in another thread than the one that opened the table, and "
                "raised"
            ):
                thread.submit(ask).result()


def _check_changes(table: VectorTable, other: VectorTable, memory: MemoryTable) -> None:
    changed = _rows(_ROWS).take([2, 7])
    changed = replace(changed, labels=[(), ("daisy", _HOSTILE_LABEL)], splits=["test", ""])
    _write(changed, other, memory)
    places = {_HOSTILE[0]: 1000, "f/9.jpg": -1, "no such id": 5}
    table.move(places)
    memory.move(places)
    table.move({})
    table.upsert(changed.take([]), [])
    _check_same(table, memory)


def _check_search(table: VectorTable, memory: MemoryTable, when: str) -> None:
    generator = np.random.default_rng(5)
    queries = generator.normal(size=(2, _WIDTH)).astype(np.float32)
    queries[1] = _rows(_ROWS).rows[11]
    metrics: tuple[Metric, ...] = ("cosine", "euclidean")
    for metric in metrics:
        for number, where in enumerate(_filters()):
            for k in (1, 5, _ROWS + 10) if number < 2 else (5,):
                options: dict[str, Any] = {"metric": metric, "where": where}
                if number % 2:
                    options["without"] = [None, "f/11.jpg"]
                told = f"nearest() of k={k} by {metric}, where {where}, {when}"
                found = table.nearest(queries, k, **options)
                expected = memory.nearest(queries, k, **options)
                expect(len(found) == len(queries), f"{told}: has to answer each query")
                for one, right in zip(found, expected, strict=True):
                    expect(
                        len(one.found) == len(right.found),
                        f"{told}: has to find {len(right.found)} rows, and found {len(one.found)}",
                    )
                    _require_same(one.found, right.found, told)
                    expect(
                        np.array_equal(one.values, right.values),
                        f"{told}: values have to be those of the rows as they were written",
                    )


def _check_described(table: VectorTable, other: VectorTable, info: TableInfo) -> None:
    more = replace(info, label_names=("a new one",), several=False)
    told = other.describe(lambda now: now.widened(more))
    found = table.info()
    expect(found == told, f"info() has to give what describe() stored, {told}, and gives {found}")
    expect(
        found is not None and "a new one" in found.label_names and found.several,
        "describe() has to give the function what is there now",
    )


def _check_removal(table: VectorTable, memory: MemoryTable) -> None:
    kept = [one for k, one in enumerate(_rows(_ROWS).ids) if k % 3]
    gone, expected = table.remove_others(iter(kept)), memory.remove_others(iter(kept))
    expect(gone == expected, f"remove_others() has to say {expected}, and says {gone}")
    _check_same(table, memory)
    _check_search(table, memory, "after rows were removed")
    expect(table.remove_others([]) == len(kept), "remove_others() of no ids removes all rows")
    _check_empty(table)


def _check_made_anew(table: VectorTable, other: VectorTable, drop: Callable[[], object]) -> None:
    rows, query = _rows(_ROWS).take(range(9)), np.ones((1, _WIDTH), np.float32)
    _write(rows, table)
    expect(table.info() is not None, "info() has to find a table that was created")
    drop()
    other.create(replace(_info(), shape=(_WIDTH,), name="another"))
    expect(other.info() is not None, "info() has to find a table that was created anew")
    _write(rows, other)
    before = other.known(rows.ids)
    questions: dict[str, Callable[[], object]] = {
        "nearest": lambda: table.nearest(query, 3),
        "take": lambda: table.take(rows.ids),
        "scan": lambda: list(table.scan(4)),
        "known": lambda: table.known(rows.ids),
        "upsert": lambda: _write(replace(rows, rows=rows.rows + 1), table),
        "describe": lambda: table.describe(lambda now: replace(now, name="changed")),
    }
    for name, ask in questions.items():
        try:
            ask()
        except DatabaseError:
            continue
        expect(False, f"{name}() has to refuse a table that was dropped and made anew")
    expect(other.known(rows.ids) == before, "what was refused must not have been written")
    now = table.info()
    expect(now is not None and now.name == "another", "info() has to find the new table")
    expect(len(table.nearest(query, 3)[0].found) == 3, "after info(), the new table is meant")


def _write(rows: StoredRows, *tables: VectorTable) -> None:
    for table in tables:
        table.upsert(rows, rows.digests())


def _require_same(found: StoredRows, expected: StoredRows, what: str) -> None:
    for name in ("ids", "labels", "splits", "groups", "content", "positions"):
        mine, theirs = list(getattr(found, name)), list(getattr(expected, name))
        if name == "labels":
            mine, theirs = [tuple(one) for one in mine], [tuple(one) for one in theirs]
        expect(mine == theirs, f"{what}: {name} have to be {theirs}, and are {mine}")
    expect(found.rows.dtype == np.float32, f"{what}: rows have to be float32")
    expect(
        found.rows.tobytes() == expected.rows.tobytes(),
        f"{what}: rows have to come back to the bit",
    )


def _joined(blocks: Sequence[StoredRows]) -> StoredRows:
    return StoredRows(
        rows=np.concatenate([one.rows for one in blocks]),
        **{
            name: [value for one in blocks for value in getattr(one, name)]
            for name in ("ids", "labels", "splits", "groups", "content", "positions")
        },
    )


def _rows(count: int) -> StoredRows:
    """Rows with two that are equal, one of zeros, and numbers that take all of a float32."""
    generator = np.random.default_rng(1)
    rows = generator.normal(size=(count, _WIDTH)).astype(np.float32)
    rows[20] = rows[21]
    rows[30] = 0
    rows[31, 0] = -0.0
    rows[32] = np.nextafter(rows[11], np.float32(9))
    ids = [f"f/{k}.jpg" for k in range(count)]
    ids[-len(_HOSTILE) :] = _HOSTILE
    labels: list[tuple[str, ...]] = [("daisy",) if k % 2 else ("rose",) for k in range(count)]
    labels[4], labels[5], labels[6] = (), ("daisy", "rose"), (_HOSTILE_LABEL,)
    return StoredRows(
        ids=ids,
        rows=rows,
        labels=labels,
        splits=["train" if k % 5 else "" for k in range(count)],
        groups=[f"g'{k // 4}" for k in range(count)],
        content=[f"{k:032x}" if k % 7 else "" for k in range(count)],
        positions=[*range(count)],
    )


def _filters() -> list[Filters]:
    return [
        (),
        [Condition("label", "daisy")],
        [Condition("label", "daisy"), Condition("label", _HOSTILE_LABEL)],
        [Condition("label", "daisy", negated=True)],
        [Condition("label", "rose", negated=True), Condition("label", "daisy", negated=True)],
        [Condition("label", _HOSTILE_LABEL)],  # one row, or none
        [Condition("label", "no such label")],
        [Condition("split", "train"), Condition("group", "g'3")],
        [Condition("group", "g'3", negated=True), Condition("label", "rose")],
        [_like("f/1*.jpg")],
        [_like("f/1*.jpg", negated=True), _like("f/?.jpg")],
        [_like("[!f]*"), Condition("label", "rose")],
        [_like("a[*]b[?][[]c].jpg")],
        [_like("f/[0-2]?.jpg"), Condition("id", "f/5.jpg")],
        [_like("%"), _like(".*")],
        [Condition("id", _HOSTILE[3])],
        [Condition("id", _HOSTILE[0])],
        [Condition("id", "' OR ''='")],
    ]


def _like(pattern: str, *, negated: bool = False) -> Condition:
    return Condition("id", pattern, negated=negated, glob=True)


def _info() -> TableInfo:
    generator = np.random.default_rng(2)
    projection = Projection(
        mean=generator.normal(size=9).astype(np.float32),
        components=generator.normal(size=(_WIDTH, 9)).astype(np.float32),
        explained_variance=np.arange(_WIDTH, 0, -1).astype(np.float32),
        total_variance=30.5,
    )
    seen = Preprocessing(
        resize=(4, 4),
        crop=None,
        interpolation="bilinear",
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
    )
    part = BackboneRecipe(
        architecture="toy",
        weights_sha256="0" * 64,
        layer="penultimate",
        pooling="none",
        preprocessing=seen,
        versions={"penult": "1"},
    )
    return TableInfo(
        recipe=ProjectedRecipe.of(part, projection),
        name="pca",
        shape=(2, _WIDTH // 2),
        dtype="float16",
        label_names=("daisy", "rose", _HOSTILE_LABEL),
        several=True,
        splits=True,
        groups=True,
        origin={"sources": ["/a 'folder'"], "passed_over": {".txt": 3}},
        failures=(Failure("bad'.jpg", "not an image"),),
        trained_on=np.array([3, 2**63 + 1], np.uint64),
    )
