"""The address of a table where a file is read or written: what to do instead, and no password."""

from __future__ import annotations

import traceback

import pytest
from PIL import Image

from penult.addresses import is_table_scheme
from penult.databases.registry import ADAPTERS
from penult.errors import PathNotFoundError, UsageError

pytestmark = pytest.mark.light

TABLE = "postgresql://me:s3cret@db.example/photos?table=flowers"
SHOWN = "postgresql://me@db.example/photos?table=flowers"


@pytest.mark.parametrize(
    "typed",
    [
        "info {}",
        "info {}.rows",
        "train {} -o x.skops",
        "evaluate-search {}",
        "merge {} -o x.h5",
        "report {} -o page",
        "extract {} -o x.h5",
        "map {} -o x.html",
        "predict {} photo.jpg",
    ],
)
def test_commands_that_read_files_say_how_a_table_becomes_one(typed, penult):
    done = penult(*(word.format(TABLE) for word in typed.split()))
    assert done.code == 2
    assert "is the address of a table, and this command reads" in done.err
    assert f"penult pull '{SHOWN}" in done.err
    assert "--output rows.h5" in done.err
    assert "penult search and penult serve take the address as it is" in done.err
    assert "s3cret" not in done.out + done.err


@pytest.mark.parametrize("typed", ["info {}", "extract {} -o x.h5", "extract . -o {}"])
def test_a_traceback_has_no_password_either(typed, penult):
    with pytest.raises(UsageError) as raised:
        penult(*(word.format(TABLE) for word in typed.split()), "--debug")
    told = "".join(traceback.format_exception(raised.value))
    assert SHOWN in told
    assert "s3cret" not in told


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("qdrant+http://me:s3cret@h:6333/a", "qdrant+http://h:6333/a is the address of a table"),
        ("qdrant:tables/a", "qdrant:tables/a is the address of a table"),
        ("postgresql:///photos?table=a", "postgresql:///photos?table=a is the address of a table"),
        ("http://me:s3cret@h:6333/a", "of a table in Qdrant, type penult pull http://h:6333/a "),
        ("s3://me:s3cret@bucket/x.h5", "s3://me@bucket/x.h5 is an address, and this command reads"),
    ],
)
def test_other_addresses_are_told_as_they_were_typed(address, shown, penult):
    done = penult("train", address, "-o", "x.skops")
    assert done.code == 2
    assert shown in done.err
    assert "s3cret" not in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("typed", ["extract . -o {}", "report . -o {}", "pull {} -o {}"])
def test_a_table_is_no_name_for_an_output(typed, penult):
    done = penult(*(word.format(TABLE) for word in typed.split()))
    assert done.code == 2
    assert f"{SHOWN} is the address of a table, and this command writes files" in done.err
    assert f"penult push rows.h5 --to '{SHOWN}'" in done.err
    assert "s3cret" not in done.err


def test_a_file_that_is_named_like_a_table_is_a_file(penult, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "qdrant:rows").write_text("no rows")
    assert "table" not in penult("info", "qdrant:rows").err


def test_every_scheme_of_a_database_is_known_but_those_of_the_web():
    schemes = {scheme for one in ADAPTERS for scheme in one.schemes}
    unknown = {scheme for scheme in schemes if not is_table_scheme(f"{scheme}x")}
    assert unknown == {"http://", "https://"}


def test_no_message_has_the_password_of_an_address_in_it():
    error = PathNotFoundError("no such file: s3:/me:s3cret@bucket/x; ask me@example.com")
    assert str(error) == "no such file: s3:/me@bucket/x; ask me@example.com"
    error = PathNotFoundError("no such file: http://localhost:6333/me@x.jpg")
    assert str(error) == "no such file: http://localhost:6333/me@x.jpg"


@pytest.mark.needs("fsspec")
@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("s4://bucket/x.rows", "not an address that can be written to: nothing is known of s4://"),
        ("s3://bucket/x.h5", "s3://bucket/x.h5 is an address, and what penult extract writes to"),
    ],
)
def test_an_output_at_an_address_that_cannot_be_is_refused_as_one(output, said, penult, tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    done = penult("extract", tmp_path, "-o", output)
    assert done.code == 2
    assert said in done.err
    assert "s3://" in done.err
