"""Tables in Qdrant: the client's local mode, and its REST calls to a stand-in of a server."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from memory_tables import fill

import penult
from penult.databases.base import Condition
from penult.databases.feature_rows import info_of, stored_rows
from penult.databases.qdrant.address import parse_address
from penult.databases.qdrant.clients import open_client
from penult.databases.qdrant.table import open_table
from penult.databases.registry import open_table as open_by_address
from penult.testing import MemoryTable, check_vector_table

pytestmark = [
    pytest.mark.light,
    pytest.mark.skipif(find_spec("qdrant_client") is None, reason="needs the extra qdrant"),
]


@pytest.fixture
def rows(tmp_path):
    """A feature file of 40 rows in two folders, most of them labelled."""
    import feature_files

    rng = np.random.default_rng(4)
    names = [f"{'daisy' if k % 2 else 'rose'}/{k}.jpg" for k in range(40)]
    records = [feature_files.record(one, *[one[:4]] * (k > 3)) for k, one in enumerate(names)]
    rows = rng.normal(size=(40, 8)).astype(np.float32)
    digests = [f"{k:032x}" for k in range(40)]
    return feature_files.write(tmp_path / "rows.h5", records, [rows], digests=digests)


@pytest.fixture
def address(tmp_path):
    return f"qdrant:{tmp_path}/tables/flowers"


@pytest.fixture
def table(address, rows):
    """A table of `rows`, open."""
    opened = fill(open_table(address, False), rows)
    yield opened
    opened.close()


def told(found):
    return [one.to_dict() for one in found]


def test_the_local_mode_keeps_what_a_table_has_to(address):
    def drop():
        client = open_client(parse_address(address), making=False)
        client.qdrant.delete_collection("flowers")
        client.close()

    check_vector_table(lambda: open_table(address, False), drop=drop)


def test_a_server_is_asked_over_http_alike(rows):
    # The whole of check_vector_table passes, too, and takes ten seconds.
    from qdrant_stand_in import serving

    memory = fill(MemoryTable(), rows)
    with serving() as (url, asked):
        table = fill(open_table(f"qdrant+{url}/flowers", False), rows)
        assert table.build_index()
        for one in (table, memory):
            one.move({"rose/6.jpg": 90})
            assert one.remove_others([f"rose/{k}.jpg" for k in range(0, 40, 2)]) == 20
            one.describe(lambda now: now.widened(replace(now, label_names=("tulip",))))
        assert (table.info(), table.count()) == (memory.info(), 20)
        assert table.known(["rose/6.jpg", "no"]) == memory.known(["rose/6.jpg", "no"])
        read, there = (list(one.scan(7)) for one in (table, memory))
        ids = [[row_id for one in blocks for row_id in one.ids] for blocks in (read, there)]
        assert ids[0] == ids[1]
        assert np.array_equal(*(np.concatenate([one.rows for one in of]) for of in (read, there)))
        where = [Condition("id", "rose/?.jpg", glob=True), Condition("label", "rose")]
        options = {"where": where, "without": ["rose/8.jpg", None]}
        queries = read[0].rows[:2]
        for mine, its in zip(
            table.nearest(queries, 2, **options), memory.nearest(queries, 2, **options), strict=True
        ):
            assert (mine.found.ids, mine.values.tolist()) == (its.found.ids, its.values.tolist())
        table.close()
    assert "POST /collections/flowers/points/query/batch" in asked


@pytest.mark.parametrize("indexed", [False, True])
def test_searches_find_what_the_file_s_find(table, address, rows, indexed):
    if indexed:
        assert table.build_index()
    table.close()  # and it is there again
    for asked in (
        {"queries": rows, "k": 3},
        {"id": "rose/0.jpg", "k": 4, "metric": "euclidean"},
        {"queries": rows, "k": 4, "filter": ["label=rose", "id!=rose/1*.jpg"], "vote": True},
        {"queries": rows, "k": 40, "filter": "id=daisy/*"},
    ):
        assert told(penult.search(address, **asked)) == told(penult.search(rows, **asked))


def test_a_row_of_zeros_is_kept_and_is_near_to_nothing(address, rows):
    table = open_table(address, False)
    info = info_of(penult.load(rows))
    memory = MemoryTable()
    zeros = next(iter_rows(rows)).take([0, 1])
    zeros.rows[0] = 0
    for one in (table, memory):
        one.create(info)
        one.upsert(zeros, zeros.digests())
    (found,) = table.nearest(np.ones((1, 8), np.float32), 2)
    assert list(found.found.ids) == ["daisy/1.jpg"]
    assert table.take(["rose/0.jpg"]).rows.tolist() == [[0] * 8]
    table.close()


def iter_rows(path):
    return stored_rows(penult.load(path), 1000)


def test_rows_that_are_no_numbers_are_refused(table, rows):
    block = next(iter_rows(rows)).take([0])
    block.rows[0, 0] = np.nan
    with pytest.raises(penult.DatabaseError, match="takes no rows with NaN"):
        table.upsert(block, block.digests())


@pytest.mark.parametrize(
    ("address", "url", "collection", "prefix"),
    [
        ("http://db/flowers", "http://db:6333", "flowers", None),
        ("https://db:443/a/b/flowers", "https://db:443", "flowers", "a/b"),
        ("qdrant+http://[::1]:99/flowers/", "http://[::1]:99", "flowers", None),
        ("http://me:secret@db/flowers", "http://db:6333", "flowers", None),
        ("qdrant:a/b/flowers", "", "flowers", None),
    ],
)
def test_addresses_are_taken_apart(address, url, collection, prefix):
    found = parse_address(address)
    assert (found.url, found.collection, found.prefix) == (url, collection, prefix)
    assert "secret" not in found.shown
    assert (found.api_key == "secret") == ("secret" in address)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://db:6333", "names no collection"),
        ("qdrant:flowers", "names no collection"),
        ("http://db:port/flowers", "is no address"),
        ("http://db:0/flowers", "is no address"),
        ("http://db/flowers?table=a", "has something behind the collection"),
        ("qdrant:tables/a*b", "cannot be the name of a collection"),
    ],
)
def test_what_is_no_address_is_told(address, why):
    with pytest.raises(penult.UsageError, match=why):
        open_by_address(address)


def test_offline_only_this_machine_is_asked():
    for here in ("http://localhost/flowers", "http://127.0.0.1:9/flowers", "qdrant:a/flowers"):
        open_table(here, True)
    with pytest.raises(penult.UsageError, match="is on another machine"):
        open_table("http://db/flowers", True)


def test_a_folder_of_something_else_or_in_use_is_refused(tmp_path, rows, address, table):
    from qdrant_client import QdrantClient

    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.jpg").write_bytes(b"")
    other = open_table(f"qdrant:{tmp_path}/photos/flowers", False)
    with pytest.raises(penult.UsageError, match="holds something else than tables of Qdrant"):
        other.create(info_of(penult.load(rows)))
    assert [one.name for one in (tmp_path / "photos").iterdir()] == ["1.jpg"]
    table.close()
    held = QdrantClient(path=str(tmp_path / "tables"))
    with pytest.raises(penult.DatabaseError, match="in use by another process"):
        open_table(address, False).info()
    held.close()


def test_a_collection_that_penult_did_not_make_is_left_alone(tmp_path, rows):
    from qdrant_client import QdrantClient, models

    made = QdrantClient(path=str(tmp_path / "tables"))
    size = models.VectorParams(size=8, distance=models.Distance.COSINE)
    made.create_collection("theirs", vectors_config=size)
    made.close()
    table = open_table(f"qdrant:{tmp_path}/tables/theirs", False)
    for refused in (table.info, lambda: table.create(info_of(penult.load(rows)))):
        with pytest.raises(penult.DatabaseError, match="is a collection that penult did not make"):
            refused()
    table.close()


def test_a_server_that_does_not_answer_refuses_or_is_too_old_is_one_line(rows, monkeypatch):
    from qdrant_stand_in import serving

    info = info_of(penult.load(rows))
    with serving(api_key="key") as (url, _):
        with pytest.raises(penult.DatabaseError, match=r"asks for an API key; .* QDRANT_API_KEY"):
            open_table(f"{url}/flowers", False).info()
        monkeypatch.setenv("QDRANT_API_KEY", "key")
        assert open_table(f"{url}/flowers", False).info() is None
    with pytest.raises(penult.DatabaseError, match=r"cannot be reached .*is Qdrant running"):
        open_table(f"{url}/flowers", False).info()
    refused = pytest.raises(penult.DatabaseError, match="does not answer as Qdrant does")
    with serving(nonsense=True) as (url, _), refused:
        open_table(f"{url}/flowers", False).info()
    with serving(knows_metadata=False) as (url, _):
        table = open_table(f"{url}/flowers", False)
        with pytest.raises(penult.DatabaseError, match=r"keeps no metadata .* from 1\.16 on"):
            table.create(info)
        assert table.info() is None  # nothing is left behind


def test_rows_that_are_too_long_are_refused(address, rows):
    info = replace(info_of(penult.load(rows)), shape=(65_537,))
    with pytest.raises(penult.UsageError, match=r"rows of 65,537 numbers are .*reduce"):
        open_table(address, False).create(info)
