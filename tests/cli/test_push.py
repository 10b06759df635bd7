"""``penult push`` and ``penult pull``: what they print, and what they say is wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest
from feature_files import record, write


@pytest.fixture
def rows(tmp_path):
    records = [record("a/1.jpg", "a"), record("b/1.jpg", "b")]
    return write(tmp_path / "rows.h5", records, [np.eye(2, dtype=np.float32)])


def test_rows_go_to_a_database_and_come_back(penult, rows, postgres, tmp_path):
    address = postgres.address()
    done = penult("push", rows, "--to", address, "-q")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"{address}: 2 rows of layer penultimate, 2 added, 0 updated, 0 unchanged\n"
    done = penult("push", rows, "--to", address, "--prune", "--json", "-q")
    assert json.loads(done.out) == {
        "to": address, "rows": 2, "added": 0, "updated": 0, "unchanged": 2, "removed": 0,
        "left": 0, "layer": "penultimate", "index": False,
    }  # fmt: skip
    done = penult("pull", address, "-o", tmp_path / "again.h5", "-q")
    assert done.code == 0
    assert done.out.startswith(f"{tmp_path / 'again.h5'}: 2 rows of 2, layer penultimate, 0.")
    done = penult("pull", address, "-o", tmp_path / "again.h5", "--overwrite", "--json", "-q")
    told = json.loads(done.out)
    assert (told["rows"], told["shape"], told["address"]) == (2, [2], address)


def test_rows_that_only_the_table_has_are_counted(penult, rows, postgres, tmp_path):
    address = postgres.address()
    penult("push", rows, "--to", address, "-q")
    one = write(tmp_path / "1.h5", [record("a/1.jpg", "a")], [np.eye(1, 2, dtype=np.float32)])
    done = penult("push", one, "--to", address, "-q")
    assert done.out.endswith("; 1 more row is in the table, which --prune removes\n")
    assert json.loads(penult("push", one, "--to", address, "--json", "-q").out)["left"] == 1
    done = penult("push", one, "--to", address, "--prune", "-q")
    assert done.out.endswith(", 1 removed\n")


@pytest.mark.parametrize(
    ("address", "code", "said"),
    [
        ("rows.db", 2, "rows.db is no address of a database; give postgresql://"),
        ("postgresql://me:secret@db/photos", 2, "has to name one table"),
        ("postgresql://me:secret@127.0.0.1:1/p?table=a", 1, "Connection refused"),
    ],
)
def test_what_is_wrong_is_one_line_without_a_password(penult, rows, address, code, said, postgres):
    for arguments in (["push", rows, "--to", address], ["pull", address, "-o", "z.h5"]):
        done = penult(*arguments, "-q")
        assert (done.code, done.out) == (code, "")
        assert said in done.err
        assert "secret" not in done.err
        assert done.err.count("\n") == 1
