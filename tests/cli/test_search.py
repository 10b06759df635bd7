"""``penult search`` as it is typed: tables, JSON, CSV, files, exit codes."""

from __future__ import annotations

import csv
import json
import shutil
import tarfile

import pytest

import penult as library

pytestmark = pytest.mark.light


@pytest.fixture
def rows(photos, toy, tmp_path):
    library.extract(photos, tmp_path / "rows.h5", model=toy)
    return tmp_path / "rows.h5"


@pytest.fixture
def asked(photos, tmp_path):
    """A folder of a rose and a file that is no photo."""
    (tmp_path / "asked").mkdir()
    shutil.copy(photos / "rose" / "rose_01.jpg", tmp_path / "asked" / "good.jpg")
    (tmp_path / "asked" / "bad.jpg").write_bytes(b"nonsense")
    return tmp_path / "asked"


def test_a_query_is_a_small_table(penult, rows, asked):
    done = penult("search", rows, asked, "-k", 2, "--vote", "-q")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == "good.jpg: rose 100%"
    assert lines[2].split() == ["id", "similarity", "label"]
    assert lines[4].split() == ["rose/rose_01.jpg", "1.0000", "rose"]
    assert len(lines) == 7  # with a blank one at its end
    bad, counted = done.err.splitlines()  # quiet is also what the numbers mean
    assert bad.startswith("bad.jpg: is not an image that can be read")
    assert counted == "1 of 2 queries could not be answered"
    told = penult("search", rows, asked, "-k", 2).err
    assert told.count("similarity: cosine, 1 = same direction, larger is nearer\n") == 1


def test_labels_in_an_archive_that_stand_apart_from_the_photos_are_told(penult, rows, asked):
    # A label of a query tells which hits are right.
    with tarfile.open(asked / "asked.tar", "w") as archive:
        (asked / "good.cls").write_text("rose")
        for name in ("good.jpg", "bad.jpg", "good.cls"):
            archive.add(asked / name, name)
    done = penult("search", rows, asked / "asked.tar", "-q")
    assert "1 label file of images in asked.tar (same key) does not stand next to them" in done.err


def test_json_is_an_object_a_query_of_the_keys_that_scripts_rely_on(penult, rows, asked):
    done = penult("search", rows, asked, "-k", 2, "--json", "-q")
    bad, good = map(json.loads, done.out.splitlines())
    assert bad.keys() == {"query", "reason"}
    assert good.keys() == {"query", "hits"}
    assert [list(hit) for hit in good["hits"]] == [["id", "similarity", "label"]] * 2
    done = penult(
        "search", rows, "--id", "rose/rose_01.jpg", "--vote", "--metric", "euclidean", "--json"
    )
    (one,) = map(json.loads, done.out.splitlines())
    assert one["query"] == "rose/rose_01.jpg"
    assert list(one["hits"][0]) == ["id", "distance", "label"]
    assert one["vote"] == {"label": "rose", "confidence": 1.0}


def test_csv_is_a_row_a_hit(penult, rows, asked):
    done = penult("search", rows, asked, "-k", 2, "--csv", "--vote", "-q")
    table = list(csv.DictReader(done.out.splitlines()))
    assert list(table[0]) == [
        "query",
        "rank",
        "id",
        "similarity",
        "label",
        "vote",
        "confidence",
        "reason",
    ]
    assert [one["query"] for one in table] == ["bad.jpg", "good.jpg", "good.jpg"]
    assert table[0]["reason"].startswith("is not an image")
    assert [one["rank"] for one in table] == ["", "1", "2"]
    assert (table[1]["vote"], float(table[1]["similarity"])) == ("rose", 1.0)


def test_a_file_is_what_the_function_writes(penult, rows, asked, tmp_path):
    done = penult("search", rows, asked, "-k", 2, "-o", tmp_path / "hits.csv", "-q")
    assert done.out == f"{tmp_path / 'hits.csv'}: hits of 1 query\n"
    assert done.err.splitlines()[0] == "1 of 2 queries could not be answered:"
    library.search(rows, asked, tmp_path / "same.csv", k=2)
    assert (tmp_path / "hits.csv").read_bytes() == (tmp_path / "same.csv").read_bytes()
    done = penult("search", rows, asked, "-o", tmp_path / "hits.jsonl", "--json", "-q")
    told = json.loads(done.out)
    assert (told["queries"], [one["id"] for one in told["failures"]]) == (1, ["bad.jpg"])
    assert len((tmp_path / "hits.jsonl").read_text().splitlines()) == 2
    done = penult("search", rows, asked, "-o", tmp_path / "hits.csv")
    assert (done.code, "--overwrite" in done.err) == (2, True)


def test_names_that_a_spreadsheet_would_run_are_escaped(penult, rows, photos, tmp_path):
    shutil.copy(photos / "rose" / "rose_01.jpg", tmp_path / "=1+1.jpg")
    plain = penult("search", rows, tmp_path / "=1+1.jpg", "--csv", "-q", "-k", 1)
    assert plain.out.splitlines()[1].startswith("=1+1.jpg,")
    safe = penult(
        "search", rows, tmp_path / "=1+1.jpg", "--csv", "-q", "-k", 1, "--escape-formulas"
    )
    assert safe.out.splitlines()[1].startswith("'=1+1.jpg,")


def test_the_exit_code_is_1_only_where_nothing_could_be_answered(penult, rows, asked):
    assert penult("search", rows, asked, "-q").code == 0
    assert penult("search", rows, asked / "bad.jpg", "-q").code == 1
    assert penult("search", rows, asked, "-q", "--on-error", "fail").code == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "nothing to search for was given; give photos, a feature file, or --id ID"),
        (("--id", "rose/rose_1.jpg"), "unknown id 'rose/rose_1.jpg' in "),
        (("--id", "rose/rose_01.jpg", "--filter", "label=roze"), "unknown label 'roze' in "),
        (("--id", "rose/rose_01.jpg", "--filter", "roze"), "--filter roze is no condition"),
        (
            ("--id", "rose/rose_01.jpg", "--csv", "--json"),
            "--csv prints the hits as CSV; --json excl",
        ),
        (("--id", "rose/rose_01.jpg", "-k", "0"), "0"),
        (("rose/rose_01.jpg",), "rows.h5 has an image of that id: give --id rose/rose_01.jpg\n"),
        (("rose/rose_1.jpg",), "no such file or folder: rose/rose_1.jpg\n"),
    ],
)
def test_what_is_typed_wrong_is_one_line_and_exit_code_2(penult, rows, given, said):
    done = penult("search", rows, *given)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "Traceback" not in done.err


def test_there_is_nothing_beside_the_only_row(penult, tmp_path, toy, photos):
    library.extract(photos / "rose" / "rose_01.jpg", tmp_path / "one.h5", model=toy)
    done = penult("search", tmp_path / "one.h5", "--id", "rose_01.jpg", "-q")
    assert (done.code, done.out) == (0, "rose_01.jpg: nothing else to be found\n")


def test_a_table_fits_a_narrow_terminal(penult, rows, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    done = penult("search", rows, "--id", "rose/rose_01.jpg", "--vote", "-q")
    assert max(map(len, done.out.splitlines())) <= 40


def test_a_table_of_a_database_is_searched_as_its_file(penult, rows, asked, memory_tables):
    table = memory_tables.push(rows)
    for more in (("--json",), ("--csv", "--vote", "--filter", "label=rose")):
        of_file, of_table = (
            penult("search", one, asked, "--id", "rose/rose_02.jpg", *more) for one in (rows, table)
        )
        assert of_table.out == of_file.out
        assert "rose/rose_01.jpg" in of_table.out


@pytest.mark.needs("qdrant_client")
def test_a_database_that_is_not_there_is_one_line(penult, asked):
    done = penult("search", "qdrant:nowhere/flowers", asked)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert "there is no table at qdrant:nowhere/flowers; fill one with: penult push" in done.err
