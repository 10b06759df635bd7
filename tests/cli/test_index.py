"""`penult index`."""

from __future__ import annotations

import json

import numpy as np
import pytest
from index_rows import clustered, gallery

import penult as library

pytestmark = pytest.mark.light


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    gallery(tmp_path / "f.h5", clustered()[:400])
    gallery(tmp_path / "m.h5", clustered()[300:], start=300)
    return tmp_path


def test_it_says_what_it_made_and_how_much_that_finds(penult, files):
    done = penult("index", "f.h5", "-o", "g.index")
    assert done.out.splitlines() == [
        "g.index: 400 rows of 20 float32, flat, cosine",
        "flat: 400 rows of 20 are searched exactly in some hundredths of a second",
    ]
    done = penult("index", "f.h5", "-o", "h.index", "--kind", "hnsw", "--metric", "euclidean")
    first, second = done.out.splitlines()
    assert first == "h.index: 400 rows of 20 float32, hnsw, euclidean"
    assert second.endswith("that exact search finds, measured for 100 rows (recall@10)")
    assert "build the index: 300 of 300 rows" in done.err
    assert "write the index: 400 of 400 rows" in done.err


def test_an_index_is_changed_where_it_is(penult, files):
    penult("index", "f.h5", "-o", "g.index", "-q")
    done = penult(
        "index", "g.index", "--add", "m.h5", "--remove", "0.jpg", "--remove", "1.jpg", "-q"
    )
    assert done.out.splitlines()[-3:] == [
        "200 rows of m.h5 were added",
        "100 rows were left out, being in the index already",
        "2 rows were removed",
    ]
    assert len(library.Index.open("g.index")) == 598
    done = penult("index", "g.index", "-o", "other.index", "--kind", "hnsw", "-q")
    assert done.code == 0
    assert library.Index.open("g.index").kind == "flat"
    assert library.Index.open("other.index").kind == "hnsw"


def test_as_json(penult, files):
    done = penult("index", "f.h5", "-o", "h.index", "--kind", "hnsw", "--json", "-q")
    told = json.loads(done.out)
    assert (told["output"], told["rows"], told["shape"]) == ("h.index", 400, [400, 20])
    assert (told["kind"], told["metric"], told["why"]) == ("hnsw", "cosine", "")
    assert told["recall"] > 0.98
    assert (told["recall_at"], told["recall_rows"]) == (10, 100)


def test_info_says_what_an_index_is(penult, files):
    penult("index", "f.h5", "-o", "g.index", "-q")
    penult("index", "g.index", "--remove", "3.jpg", "-q")
    done = penult("info", "g.index")
    assert done.out.splitlines()[0] == "g.index: index, 399 × 20 float32, flat, cosine"
    assert "toy/net" in done.out
    assert done.out.splitlines()[-1] == "1 row was removed"
    assert (
        "called unlike its rows: a photo whose cosine to the 5th nearest of 399 rows kept"
        in done.out
    )
    told = json.loads(penult("info", "g.index", "--json").out)
    assert (told["kind"], told["searched_by"], told["shape"]) == ("index", "flat", [399, 20])
    assert (told["likeness"]["kept"], told["likeness"]["neighbours"]) == (399, 5)
    assert {one["label"]: one["images"] for one in told["classes"]} == {"daisy": 133, "rose": 133, "tulip": 133}  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("index f.h5", "give the index to write: --output gallery.index"),
        ("index f.h5 -o f.h5 --overwrite", "f.h5 is what is read"),
        ("index f.h5 -o x.csv", "x.csv would hold an index to search in; name it x.index"),
        ("index g.index", "g.index is an index already; change it with --add FEATURES or --remove ID"),
        ("index f.h5 -o g.index", "g.index exists; give --overwrite to replace it"),
        ("index f.h5 -o g.index --add m.h5", "g.index exists; to change it, give it in the place of the features: penult index g.index"),
        ("index g.index --remove 400.jpg", "unknown id '400.jpg' in g.index; did you mean 40.jpg"),
        ("index g.index --remove nothing", "unknown id 'nothing' in g.index (ids are e.g. 0.jpg, 1.jpg, 2.jpg; 'a/*' stands for all that begin with a/)"),
        ("index g.index --remove rose/*", "none of 400 ids of g.index is like rose/*; they are 0.jpg, 1.jpg, 2.jpg, …"),
        ("index g.index --kind hnsw --metric euclidean", "g.index is an index by cosine"),
        ("index g.index --layer x --add m.h5", "leave --layer out"),
        ("index f.h5 -o y.index --kind tree", "'tree' is not one of 'auto', 'flat', 'hnsw', 'ivfpq'"),
        ("index f.h5 -o y.index --layer nothing", "unknown layer 'nothing' in f.h5"),
    ],
)  # fmt: skip
def test_what_cannot_be_typed_is_one_line(penult, files, typed, said):
    penult("index", "f.h5", "-o", "g.index", "-q")
    before = (files / "g.index").read_bytes()
    done = penult(*typed.split(), "-q")
    assert (done.code, done.out) == (2, ""), done
    assert said in done.err
    assert (files / "g.index").read_bytes() == before


def test_a_stale_index_is_a_failure_that_says_what_to_type(penult, files):
    penult("index", "f.h5", "-o", "g.index", "-q", "--remove", "a b", "--add", "m.h5")
    penult("index", "f.h5", "-o", "g.index", "-q", "--remove", "2.jpg", "--add", "m.h5")
    gallery(files / "f.h5", np.flip(clustered()[:400]))
    done = penult("search", "g.index", "--id", "0.jpg")
    assert done.code == 1
    assert done.err.endswith(
        "build it again: penult index f.h5 --output g.index --kind auto --metric cosine --overwrite "
        "--add m.h5 --remove 2.jpg\n"
    )
    shown = penult("info", "g.index")  # what it holds, all the same
    assert shown.code == 0
    assert shown.out.startswith("g.index: index, 599 × 20 float32, flat, cosine\n")
    assert (
        "\nstale: f.h5 has changed since it was built; build it again: penult index f.h5 "
        in shown.out
    )
    assert json.loads(penult("info", "g.index", "--json").out)["stale"] is True


@pytest.mark.parametrize("change", [("--add", "m.h5"), ("--remove", "1.jpg")])
def test_what_is_no_index_cannot_be_changed_and_says_so(penult, files, change):
    (files / "t.txt").write_text("nothing")
    for name, said in (
        ("none.index", "no such file: none.index"),
        ("t.txt", "t.txt is not an index file"),
        ("f.h5", "f.h5 is a feature file, not an index; make one of it: penult index f.h5"),
    ):
        done = penult("index", name, *change, "-q")
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert said in done.err


def test_a_folder_is_removed_by_a_glob(penult, files):
    penult("index", "f.h5", "-o", "g.index", "-q")
    done = penult("index", "g.index", "--remove", "1?.jpg", "--remove", "1.jpg")
    assert done.out.splitlines()[-1] == "11 rows were removed"
    assert done.err.splitlines()[-1] == "next: penult search g.index PHOTO"
    assert "389 rows of 20 are searched exactly" in done.out
    assert "389 rows of 20 are searched exactly" in penult("info", "g.index").out


def test_a_class_of_which_all_rows_were_removed_is_not_listed(penult, files):
    penult("index", "f.h5", "-o", "g.index", "-q")
    roses = [word for k in range(1, 400, 3) for word in ("--remove", f"{k}.jpg")]
    penult("index", "g.index", *roses, "-q")
    assert json.loads(penult("info", "g.index", "--json").out)["classes"] == [
        {"label": "daisy", "images": 134},
        {"label": "tulip", "images": 133},
    ]
    assert "rose" not in penult("info", "g.index").out
