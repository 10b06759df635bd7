"""Rows in PostgreSQL: a real server, its index, and what may be wrong with it."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from feature_files import recipe, record, write

import penult
from penult.databases.base import Condition, StoredRows, TableInfo
from penult.databases.registry import open_table
from penult.errors import DatabaseError, UsageError
from penult.retrieve.search.opening import open_gallery
from penult.testing import check_vector_table

# So that a few rows are found by the index, as many would be.
BY_INDEX = "-cenable_seqscan=off -cenable_sort=off -cenable_bitmapscan=off"


def info_of(width=3, **more):
    return TableInfo(recipe=recipe(), name="rows", shape=(width,), dtype="float32", **more)


def rows_of(vectors, *, labels=None, start=0):
    count = len(vectors)
    return StoredRows(
        ids=[f"{start + k}.jpg" for k in range(count)],
        rows=np.asarray(vectors, np.float32),
        labels=labels or [()] * count,
        splits=[""] * count,
        groups=[""] * count,
        content=[""] * count,
        positions=[*range(start, start + count)],
    )


@pytest.fixture
def opened(postgres):
    """Open tables, and close them at the end."""
    tables = []

    def opened(address=None, **options):
        tables.append(open_table(address or postgres.address(**options)))
        return tables[-1]

    yield opened
    for table in tables:
        table.close()


def rows_32(*rows):
    return np.array(rows, np.float32)


def name_of(address):
    return address.partition("table=")[2].partition("&")[0]


def filled(table, vectors, **more):
    table.create(info_of(len(vectors[0])))
    rows = rows_of(vectors, **more)
    table.upsert(rows, rows.digests())
    return table


def test_a_table_keeps_its_promises_by_its_index(postgres):
    address = postgres.address(options=BY_INDEX)
    drop = f"DROP TABLE {name_of(address)}"
    check_vector_table(lambda: open_table(address), drop=lambda: postgres.run(drop))


def test_a_filter_that_leaves_a_few_far_rows_finds_k_of_them(opened, monkeypatch):
    """The index alone, scanned no further than pgvector does by itself, finds none."""
    near = np.random.default_rng(0).normal(size=(400, 3)) + np.array([9, 0, 0])
    far = np.random.default_rng(1).normal(size=(6, 3)) - np.array([9, 0, 0])
    labels = [("near",)] * len(near) + [("far",)] * len(far)
    more = "-chnsw.max_scan_tuples=1"
    table = filled(opened(options=f"{BY_INDEX} {more}"), np.concatenate([near, far]), labels=labels)
    table.build_index()
    fallen_back = []
    from penult.databases.postgresql import search

    monkeypatch.setattr(
        search, "exactly", lambda metric, real=search.exactly: fallen_back.append(1) or real(metric)
    )
    query = np.array([[1, 0, 0]], np.float32)
    (found,) = table.nearest(query, 4, where=[Condition("label", "far")])
    assert fallen_back, "the index found them all, and nothing was shown"
    assert len(found.found) == 4
    assert {*found.found.labels} == {("far",)}
    (found,) = table.nearest(query, 99, where=[Condition("label", "far")])
    assert len(found.found) == 6
    (found,) = table.nearest(query, 500)
    assert len(found.found) == 406


def test_rows_that_pgvector_indexes_in_half_precision_are_ranked_by_their_own_numbers(opened):
    """2,500 numbers: five rows that are one row in half precision, the nearest in their middle."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(20, 2500)).astype(np.float32)
    rows[:, 0], query = 1, rows[3].copy()
    query[0] = 9
    rows[3:8] = rows[3]
    rows[3:8, 0] += np.array([0, 1, 3, 2, 0], np.float32) * np.float32(1e-5)
    assert len(np.unique(rows[3:8].astype(np.float16), axis=0)) == 1
    table = filled(opened(options=BY_INDEX), rows)
    assert table.build_index("euclidean")
    (found,) = table.nearest(query[None], 1, metric="euclidean")
    assert list(found.found.ids) == ["5.jpg"]
    (found,) = table.nearest(query[None], 5, metric="euclidean")
    assert list(found.found.ids) == ["5.jpg", "6.jpg", "4.jpg", "3.jpg", "7.jpg"]


def test_numbers_too_large_for_half_precision_are_told(opened):
    table = filled(opened(), np.full((1, 2500), 7e4))
    with pytest.raises(DatabaseError, match=r"out of range for type halfvec; .* up to 65,504"):
        table.build_index()
    assert table.count() == 1


def test_rows_too_long_for_any_index_are_refused_before_there_is_a_table(opened):
    table = opened()
    with pytest.raises(UsageError, match=r"rows have 4,001 numbers, .* 4,000 .* penult\.reduce\("):
        table.create(info_of(4001))
    assert table.info() is None


@pytest.mark.parametrize(
    "name", ['x"; DROP TABLE penult_tables; --', "Ä 'b' {0} %s", "a.b", "pg_x"]
)
def test_a_table_may_have_any_name(name, opened, postgres):
    address = postgres.address(name)
    filled(opened(address), [[1, 2, 3]])
    found = opened(address)
    assert found.info().rows == 1
    assert [list(one.ids) for one in found.scan(9)] == [["0.jpg"]]
    found.move({"0.jpg": 7})
    assert found.known(["0.jpg"])["0.jpg"].position == 7
    assert list(found.take(["0.jpg"]).ids) == ["0.jpg"]
    assert len(found.nearest(np.ones((1, 3), np.float32), 1, without=[None])[0].found) == 1
    quoted = '"' + name.replace('"', '""') + '"'
    assert postgres.run(
        "SELECT info LIKE %s FROM penult_tables WHERE rows = to_regclass(%s)", "{%", quoted
    )
    postgres.run(f"DROP TABLE {quoted}")
    assert opened(address).info() is None
    filled(opened(address), [[1, 2, 3, 4]])  # over the order that was left
    assert found.info().shape == (4,)


@pytest.mark.parametrize(
    ("end", "complaint"),
    [
        ("", r"has to name one table; put it at the end: postgresql://me@db/p\?table=flowers"),
        ("?table=", "has to name one table"),
        ("?table=a&table=b", "has to name one table"),
        (f"?table={'x' * 58}", "may have 57 bytes at the most"),
        ("?table=a%00b", "no NUL"),
        ("?host=/tmp/x", r"at the end: postgresql://me@db/p\?host=/tmp/x&table=flowers$"),
        ("?host=/x?table=a", r"second \? where an & belongs; give .*/p\?host=/x&table=a$"),
        ("?table=a&sslmod=require", r"unknown setting 'sslmod' in .*; did you mean sslmode\?"),
        ("?table=a&colour=red", r"unknown setting 'colour' in .*libpq has: .*host, .*sslmode"),
        ("?table=a&host", r"is no address of PostgreSQL; .* PGPASSWORD"),
        ("?table=penult_tables", "penult keeps tables of its own"),
        ("?table=a_order", "penult keeps tables of its own"),
    ],
)
def test_an_address_that_names_no_table_is_refused(end, complaint, postgres):
    with pytest.raises(UsageError, match=complaint) as refused:
        open_table(f"postgresql://me:s3cret@db/p{end}")
    assert "s3cret" not in str(refused.value)


def test_where_nothing_answers_the_address_is_named_without_its_password(postgres):
    address = "postgresql://me:secret@127.0.0.1:1/p?table=a"
    with pytest.raises(
        DatabaseError, match=r"^postgresql://me@127\.0\.0\.1:1/p\?table=a: .*refused"
    ):
        open_table(address)


@pytest.mark.parametrize(
    ("address", "variables"),
    [
        ("postgresql://db.example/p?table=a", {}),
        ("postgresql:///p?table=a&hostaddr=192.0.2.1", {}),
        ("postgresql:///p?table=a", {"PGHOST": "db.example"}),
        ("postgresql:///p?table=a", {"PGSERVICE": "photos"}),
    ],
)
def test_offline_nothing_goes_to_another_machine(address, variables, monkeypatch, postgres):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match="is another machine, and nothing may go there offline"):
        open_table(address, offline=True)


def test_offline_a_server_on_this_machine_is_used(postgres):
    open_table(postgres.address(), offline=True).close()


def test_one_that_never_answers_is_not_waited_for_for_ever(postgres):
    from penult.databases.postgresql.connection import _with_patience

    told = _with_patience({"host": "x"})
    assert (told["host"], told["connect_timeout"]) == ("x", "10")
    assert int(told["keepalives_idle"]) < 60, "a machine that is gone is noticed after hours"
    given = {"connect_timeout": "2", "keepalives_idle": "600"}
    assert _with_patience(given).items() >= given.items()


def test_a_table_of_another_recipe_in_the_place_of_one_that_is_searched_is_never_compared(
    postgres, tmp_path
):
    address = postgres.address()
    drop = f"DROP TABLE {name_of(address)}"
    penult.push(write(tmp_path / "a.h5", [record("a.jpg")], [rows_32([1, 0])]), to=address)
    gallery = open_gallery(address, layer=None, metric=None)
    query, everything = np.array([[1, 1]], np.float32), gallery.select(())

    def found():
        return [list(one.ids) for one in gallery.find(query, 5, own=[None], selected=everything)]

    assert found() == [["a.jpg"]]
    postgres.run(drop)
    with pytest.raises(DatabaseError, match=r"the table is gone; fill one with: penult\.push\("):
        found()
    # Of the same recipe, it goes on with what there is now.
    more = write(tmp_path / "b.h5", [record("b.jpg", "rose")], [rows_32([0, 1])])
    penult.push(more, to=address)
    assert found() == [["b.jpg"]]
    assert list(gallery.label_names) == ["rose"]
    postgres.run(drop)
    other = write(
        tmp_path / "c.h5", [record("c.jpg")], [rows_32([0, 1])], recipes=[recipe(layer="another")]
    )
    penult.push(other, to=address)
    for ask in (found, found, gallery.refreshed, gallery.all_features):
        with pytest.raises(
            DatabaseError, match=r"filled anew with rows of another recipe.*another"
        ):
            ask()
    gallery.close()


def test_what_somebody_dropped_of_a_table_is_told_with_what_to_type(postgres, tmp_path):
    address = postgres.address()
    name, rows = name_of(address), tmp_path / "a.h5"
    write(rows, [record("b.jpg"), record("a.jpg")], [rows_32([1, 0], [0, 1])])
    penult.push(rows, to=address, index=True)
    postgres.run(f"DROP TABLE {name}_order")
    again = r"penult\.push\('ROWS\.h5', to='postgresql:"
    for ask in (
        lambda: penult.pull(address, tmp_path / "b.h5"),
        lambda: penult.search(address, id="a.jpg"),
    ):
        with pytest.raises(
            DatabaseError, match=rf"{name}_order, .* is gone; have it made.*{again}"
        ):
            ask()
    assert penult.push(rows, to=address).unchanged == 2
    penult.pull(address, tmp_path / "b.h5")
    assert list(penult.load(tmp_path / "b.h5").ids) == ["b.jpg", "a.jpg"]
    # Without its index, a search reads all rows, and finds the same.
    postgres.run(f"DROP INDEX {name}_embedding_idx")
    assert penult.search(address, id="a.jpg")[0].hits[0].id == "b.jpg"
    postgres.run(f"ALTER TABLE {name} DROP CONSTRAINT {name}_pkey")
    rows.unlink()
    write(rows, [record("c.jpg")], [rows_32([1, 0])])
    with pytest.raises(
        DatabaseError, match=rf'not as penult made it .* DROP TABLE "{name}".*{again}'
    ):
        penult.push(rows, to=address)
    postgres.run(f"ALTER TABLE {name} DROP COLUMN content")
    with pytest.raises(
        DatabaseError, match=rf'not as penult made it .* DROP TABLE "{name}".*{again}'
    ):
        penult.pull(address, tmp_path / "c.h5")
    # What it says is what helps; what is left of the old one is cleared away.
    postgres.run(f'DROP TABLE "{name}"')
    assert penult.push(rows, to=address).added == 1


@pytest.mark.parametrize("what", ["push", "pull"])
def test_where_the_server_ends_the_connection_one_line_says_so_and_the_same_again_goes_on(
    what, postgres, tmp_path, monkeypatch
):
    from penult.tasks import pull, push

    monkeypatch.setattr(push, "_BLOCK_ROWS", 2)
    monkeypatch.setattr(pull, "_BLOCK_ROWS", 2)
    address = postgres.address(application_name=f"broken_{what}")
    rows = write(
        tmp_path / "a.h5", [record(f"{k}.jpg") for k in range(6)], [np.eye(6, 3, dtype=np.float32)]
    )
    ask = lambda **more: penult.push(rows, to=address, **more)  # noqa: E731
    if what == "pull":
        ask()
        ask = lambda **more: penult.pull(address, tmp_path / "b.h5", **more)  # noqa: E731

    def end(progress):
        if progress.done == 2:
            query = (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
            )
            postgres.run(query, f"broken_{what}")

    if what == "push":
        with pytest.raises(DatabaseError, match="connection is lost: give the same again"):
            ask(progress=end)
        assert postgres.run(f"SELECT count(*) FROM {name_of(address)}") == [(2,)]
        pushed = ask()
        assert (pushed.added, pushed.unchanged) == (4, 2)
    else:
        with pytest.raises(DatabaseError, match="connection is lost: give the same again"):
            ask(progress=end)
        assert [one.name for one in tmp_path.iterdir()] == ["a.h5"]
        assert ask().rows == 6


def test_a_file_that_has_an_id_twice_is_refused(postgres, tmp_path):
    for names in (["a", "a", "b", "c"], ["a", "b", "c", "a"]):
        rows = penult.Features(
            features=rows_32([1, 0], [0, 1], [1, 1], [2, 1]),
            ids=names,
            labels=np.full(4, -1),
            label_names=(),
            recipe=recipe(),
        )
        with pytest.raises(penult.SearchError, match="has an id twice, that of a"):
            penult.push(rows, to=postgres.address())


def test_a_password_is_never_told(opened, postgres):
    postgres.run("CREATE ROLE locked LOGIN PASSWORD 'the right one'")
    rules = postgres.folder / "pg_hba.conf"
    before = rules.read_text()
    try:
        rules.write_text(f"local all locked scram-sha-256\n{before}")
        postgres.run("SELECT pg_reload_conf()")
        wrong = 'failed for user "locked"; give the password in the address, or as PGPASSWORD$'
        with pytest.raises(DatabaseError, match=wrong) as refused:
            opened(user="locked:the%20wrong%20one")
        with pytest.raises(DatabaseError, match="no password supplied; give the password in the"):
            opened(user="locked")
        assert opened(user="locked:the%20right%20one").info() is None
    finally:
        rules.write_text(before)
        postgres.run("SELECT pg_reload_conf()")
    assert refused.value.__suppress_context__, "--debug would show what libpq says"
    assert refused.value.__cause__ is None
    assert "wrong" not in str(refused.value)


@pytest.fixture
def database(postgres):
    """A database of its own, for what cannot be shared."""
    postgres.run("CREATE DATABASE other")
    yield "other"
    postgres.run("DROP DATABASE other WITH (FORCE)")


def test_a_database_without_the_extension_or_with_an_old_one_is_told(database, postgres):
    address = postgres.address("flowers", database=database)
    with pytest.raises(
        DatabaseError, match=r"the database other at .* superuser .*: CREATE EXTENSION vector$"
    ):
        open_table(address)
    postgres.run("CREATE EXTENSION vector", database=database)
    postgres.run(
        "UPDATE pg_extension SET extversion = '0.7.4' WHERE extname = 'vector'", database=database
    )
    with pytest.raises(
        DatabaseError, match=r"has pgvector 0\.7\.4, .* ALTER EXTENSION vector UPDATE"
    ):
        open_table(address)


def test_tables_that_penult_did_not_make_are_left_alone(opened, postgres):
    table = opened()
    name = name_of(table.address)
    postgres.run(f"CREATE TABLE {name} (id int)")
    with pytest.raises(DatabaseError, match=rf"there is a table {name} that penult did not make"):
        table.info()
    with pytest.raises(DatabaseError, match="did not make"):
        table.create(info_of())
    other = opened()
    name = name_of(other.address)
    postgres.run(f"CREATE TABLE {name}_order (id int)")
    with pytest.raises(DatabaseError, match=rf'a table "{name}_order" already'):
        other.create(info_of())
    assert other.info() is None


def test_what_a_newer_penult_wrote_is_told(opened, postgres):
    table = filled(opened(), [[1, 2, 3]])
    name = name_of(table.address)
    postgres.run(
        "UPDATE penult_tables SET info = '{\"format\": 9}' WHERE rows = to_regclass(%s)", name
    )
    with pytest.raises(DatabaseError, match=r"penult_tables says .* format 9; .* --upgrade penult"):
        table.info()


def test_a_connection_that_was_lost_is_told_and_then_made_again(opened, postgres):
    table = filled(opened(), [[1, 2, 3]])
    (pid,) = table._open.execute("SELECT pg_backend_pid()").fetchone()
    postgres.run("SELECT pg_terminate_backend(%s, 5000)", pid)
    with pytest.raises(DatabaseError, match="terminating connection"):
        table.count()
    assert table.count() == 1


def test_rows_of_other_programs_come_last(opened, postgres):
    table = filled(opened(), [[1, 2, 3]])
    name = name_of(table.address)
    postgres.run(f"INSERT INTO {name} VALUES ('!', '{{}}', '', '', '', '', '[1,2,4]')")
    (block,) = table.scan(9)
    assert list(block.ids) == ["0.jpg", "!"]
    assert table.known(["!"])["!"].digest == ""


def test_threads_may_share_a_table(opened):
    table = filled(opened(), np.eye(3))
    found = []

    def ask(k):
        for _ in range(5):
            (nearest,) = table.nearest(np.eye(3, dtype=np.float32)[k : k + 1], 1)
            found.append((k, nearest.found.ids[0]))

    threads = [threading.Thread(target=ask, args=[k]) for k in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(found) == [(k, f"{k}.jpg") for k in range(3) for _ in range(5)]


def until(true):
    for _ in range(500):
        if true():
            return
        time.sleep(0.01)
    pytest.fail("what was waited for did not happen")


@pytest.fixture
def waiting(postgres):
    """Start something in a thread, and go on once PostgreSQL has it wait for a lock."""
    threads, failed = [], []

    def run(function, *arguments):
        try:
            function(*arguments)
        except DatabaseError as error:
            failed.append(error)

    def waiting(address, function, *arguments):
        threads.append(threading.Thread(target=run, args=[function, *arguments]))
        threads[-1].start()
        locked = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE %s"
        until(lambda: postgres.run(locked, f"%{name_of(address)}%"))

    yield waiting
    for one in threads:
        one.join(60)
    assert not failed


def test_rows_are_locked_in_the_order_of_their_ids(opened, postgres, waiting):
    """So of two that write the same rows at the same time, none waits for the other's."""
    address = postgres.address()
    table = filled(opened(address), np.eye(9))
    name = name_of(address)
    backwards = rows_of(np.eye(9)).take(range(8, -1, -1))
    with postgres.connected() as other, other.transaction():
        other.execute(f"SELECT FROM {name} WHERE id = '3.jpg' FOR UPDATE")
        waiting(address, table.upsert, backwards, ["new"] * 9)
        free = postgres.run(f"SELECT id FROM {name} FOR UPDATE SKIP LOCKED")
    assert [one for (one,) in free] == [f"{k}.jpg" for k in range(4, 9)]


def test_of_those_that_make_a_table_at_the_same_time_one_does(opened, postgres):
    address, start, failed = postgres.address(), threading.Barrier(3), []
    tables = [opened(address) for _ in range(3)]

    def create(table):
        assert table.info() is None
        start.wait(60)
        try:
            table.create(info_of())
        except DatabaseError as error:
            failed.append(error)

    threads = [threading.Thread(target=create, args=[one]) for one in tables]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert not failed
    assert [one.info().rows for one in tables] == [0, 0, 0]


def test_removal_waits_for_who_writes_and_keeps_what_that_writes(opened, postgres, waiting):
    address = postgres.address()
    first, second = filled(opened(address), np.eye(3)), opened(address)
    rows = rows_of(np.eye(3), start=5)
    with first._open.transaction():
        first.upsert(rows, rows.digests())
        waiting(address, second.remove_others, [*rows.ids, "1.jpg"])
    until(lambda: first.count() == 4)
    assert {*first.known([*rows.ids, "0.jpg", "1.jpg"])} == {*rows.ids, "1.jpg"}


def test_a_wrong_place_for_a_password_is_refused_and_not_told(postgres):
    """Of `a@hunter2@db`, libpq takes for the host what is behind the first @."""
    with pytest.raises(UsageError, match="is no address of PostgreSQL") as refused:
        open_table("postgresql://me:a@hunter2@127.0.0.1:1/db?table=x")
    assert "hunter2" not in str(refused.value)


def test_rows_of_other_photos_are_searched_for(postgres, tmp_path):
    """None of their ids is in the table."""
    address = postgres.address()
    for name, ids in (("a", ["a.jpg", "b.jpg"]), ("b", ["c.jpg", "d.jpg"])):
        write(tmp_path / f"{name}.h5", [record(one) for one in ids], [np.eye(2, dtype="f4")])
    penult.push(tmp_path / "a.h5", to=address)

    found = penult.search(address, tmp_path / "b.h5", k=2)

    assert [len(one.hits) for one in found] == [2, 2]
