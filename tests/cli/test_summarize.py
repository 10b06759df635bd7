"""`penult summarize`."""

from __future__ import annotations

import csv
import io
import json
import re

import numpy as np
import pytest
from feature_files import record, write
from PIL import Image

pytestmark = pytest.mark.light


@pytest.fixture
def rows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    numbers = rng.standard_normal((40, 6)).astype(np.float32)
    numbers[:, 2] = 0
    records = [
        record(f"{label}/{k} and a long name of a photo.jpg", label)
        for label in "xy"
        for k in range(20)
    ]
    return write(tmp_path / "rows.h5", records, [numbers])


def test_the_table_fits_80_columns_and_says_what_each_number_means(penult, rows, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    done = penult("summarize", rows, "-q")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == "40 rows of 6 numbers, layer penultimate, compared by cosine"
    assert max(map(len, lines)) <= 80
    told = " ".join(done.out.split())
    assert "1 of 6 1 of 6 numbers is always 0: it tells nothing." in told
    for name in ("effective rank", "intrinsic dimension", "overlap", "hubness", "anti-hubs"):
        assert any(line.strip().startswith(name) for line in lines)


def test_pictures_are_written_whole_and_in_both_forms(penult, rows):
    done = penult("summarize", rows, "-o", "s.png", "-o", "s.svg", "-q")
    assert done.out.splitlines()[-2:] == ["s.png", "s.svg"]
    with Image.open("s.png") as picture:
        assert picture.format == "PNG"
    drawn = (rows.parent / "s.svg").read_text("utf-8")
    for title in ("Effective rank ", "Norms ", "Classes overlap by ", "Hubness "):
        assert f">{title}" in drawn
    again = penult("summarize", rows, "-o", "s.svg", "--overwrite", "-q")
    assert again.code == 0
    assert (rows.parent / "s.svg").read_text("utf-8") == drawn


def test_json_and_csv_have_the_numbers(penult, rows):
    told = json.loads(penult("summarize", rows, "--json", "-q").out)
    assert (told["rows"], told["dimensions"], told["numbers"]["always_zero"]) == (40, 6, 1)
    assert set(told["hubness"]) >= {"skewness", "hubs", "antihubs", "strongest"}
    table = list(csv.DictReader(io.StringIO(penult("summarize", rows, "--csv", "-q").out)))
    assert [row["dimension"] for row in table] == [*"012345"]
    assert table[2] == dict(zip(table[2], ["2", "0.0", "0.0", "0.0", "0.0", "1.0"], strict=True))


def test_without_an_output_the_next_command_is_named(penult, rows):
    assert f"next: penult summarize {rows} -o summary.png" in penult("summarize", rows).err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--csv", "--json"], "--csv prints statistics as CSV; --json excludes it"),
        (["-o", "s.pdf"], r"s\.pdf would hold a picture of curves; name it s\.png or s\.svg"),
        (["-o", "s.svg", "-o", "./s.svg"], r"s\.svg is given twice"),
        (["--sample", "1"], "--sample is 1; give 20 or more"),
        (["--layer", "conv"], "conv"),
    ],
)
def test_what_cannot_be_is_one_line(penult, rows, arguments, message):
    done = penult("summarize", rows, *arguments, "-q")
    assert done.code == 2
    assert re.search(message, done.err)
    assert len(done.err.splitlines()) == 1
    assert not list(rows.parent.glob("s.*"))
