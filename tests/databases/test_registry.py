"""Databases by their addresses, which are shown without what is secret in them."""

from __future__ import annotations

from pathlib import Path

import pytest

import penult
from penult import extras
from penult.databases.registry import ADAPTERS, Adapter, is_database, open_table
from penult.errors import MissingExtraError, UsageError
from penult.extending import register, unregister
from penult.images.sources.remote.connection import open_system
from penult.passwords import without_password
from penult.testing import MemoryTable


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://me:secret@db/photos?table=a", "postgresql://me@db/photos?table=a"),
        ("postgresql://me:se:c@ret@db:5432/photos", "postgresql://me@db:5432/photos"),
        ("postgresql://me:s/ecret@db/photos", "postgresql://me@db/photos"),
        ("postgresql://me@db/photos?table=x@y", "postgresql://me@db/photos?table=x@y"),
        ("postgresql:///photos?host=/tmp&table=x", "postgresql:///photos?host=/tmp&table=x"),
        ("postgresql://db/p?table=a&password=secret", "postgresql://db/p?table=a&password=…"),
        ("https://h:6333/flowers?api-key=secret", "https://h:6333/flowers?api-key=…"),
        ("postgresql://db/p?table=a&passw%6frd=secret", "postgresql://db/p?table=a&passw%6frd=…"),
        ("postgresql:/me:secret@db/photos", "postgresql:/me@db/photos"),
        ("qdrant:tables/flowers", "qdrant:tables/flowers"),
        ("http://h:6333/flowers", "http://h:6333/flowers"),
    ],
)
def test_an_address_is_shown_without_its_password(address, shown):
    assert without_password(address) == shown


@pytest.mark.parametrize(
    ("given", "is_one"),
    [
        ("postgresql://db/photos?table=a", True),
        ("POSTGRES://db/photos?table=a", True),
        ("http://localhost:6333/flowers", True),
        ("qdrant:/tmp/vectors/flowers", True),
        ("features.h5", False),
        ("postgresql.h5", False),
        ("s3://bucket/photos.rows", False),
        (3, False),
    ],
)
def test_an_address_is_told_from_a_path(given, is_one):
    assert is_database(given) is is_one


def test_what_is_none_is_refused_with_the_forms_and_without_the_password():
    with pytest.raises(UsageError, match=r"mysql://me@db/x is no address.* postgresql://USER@HOST"):
        open_table("mysql://me:secret@db/x")


def test_a_library_that_is_missing_is_named(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"PostgreSQL needs .*'penult\[postgres\]'"):
        open_table("postgresql://db/photos?table=a")


def test_a_database_of_ones_own_is_opened_and_told_whether_it_may_use_the_network(monkeypatch):
    asked = []

    def opened(address, offline):
        asked.append((address, offline))
        return MemoryTable(address)

    mine = Adapter(name="mine", schemes=("mine:",), example="mine:rows", open=opened)
    monkeypatch.setattr("penult.databases.registry.ADAPTERS", [*ADAPTERS, mine])
    assert open_table("mine:rows").address == "mine:rows"
    monkeypatch.setenv("PENULT_OFFLINE", "1")
    open_table("mine:more")
    assert asked == [("mine:rows", False), ("mine:more", True)]


@pytest.mark.light
def test_an_address_of_ones_own_is_told_from_files_as_those_of_penult_are(tmp_path):
    mine = Adapter(name="mine", schemes=("mine://",), example="mine://rows", open=MemoryTable)
    register(mine)
    try:
        for again in (
            mine,
            Adapter(name="web", schemes=("https://",), example="", open=MemoryTable),
        ):
            with pytest.raises(UsageError, match=r"another|cannot be what"):
                register(again)
        for address in ("mine://me:hunter2@host/rows", Path("mine://me:hunter2@host/rows")):
            for ask in (
                lambda address: penult.load(address),
                lambda address: penult.extract(address, tmp_path / "rows.h5"),
                lambda address: penult.extract(tmp_path, address),
                lambda address: penult.merge(tmp_path, output=address),
            ):
                with pytest.raises(
                    UsageError, match="mine://me@host/rows is the address of a table"
                ):
                    ask(address)
    finally:
        unregister(mine)
    assert not is_database("mine://rows")


@pytest.mark.light
@pytest.mark.parametrize("command", [penult.load, penult.info, penult.verify])
def test_where_no_table_goes_it_is_told_how_to_pull_one_and_the_password_is_not(command):
    with pytest.raises(penult.UsageError, match=r"penult.pull\('postgresql://me@db/p\?tab"):
        command("postgresql://me:hunter2@db/p?table=x")


def test_an_address_that_is_no_place_of_images_is_named_without_its_password():
    with pytest.raises(UsageError, match="postgresql://me@db/p is not an address") as refused:
        open_system("postgresql://me:hunter2@db/p")
    assert "hunter2" not in str(refused.value)
