"""`penult export-rows`."""

from __future__ import annotations

import csv
import json

import pytest

import penult as library

pytestmark = pytest.mark.light


def test_rows_of_a_layer_are_written_and_counted(penult, photos, toy, tmp_path):
    file, output = tmp_path / "f.h5", tmp_path / "rows.csv"
    library.extract(photos, file, model=toy, layer=["mean", "logits"])
    done = penult("export-rows", file, "-o", output, "-l", "logits", "--json")
    told = json.loads(done.out)
    assert (told["rows"], told["layer"], told["bytes"]) == (36, "logits", output.stat().st_size)
    assert done.err == "export rows: 36 of 36 rows\n"
    with output.open(newline="") as lines:
        assert sum(1 for _ in csv.DictReader(lines)) == 36
    assert penult("export-rows", file, "-o", output).code == 2
    done = penult("export-rows", file, "-o", output, "--overwrite", "-q")
    assert (done.code, done.err) == (0, "")
    assert "36 rows of " in done.out
    done = penult("export-rows", file, "-o", tmp_path / "rows.tsv")
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert "name it rows.csv or rows.npz or rows.parquet" in done.err
