"""``penult evaluate-search``."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from feature_files import recipe, write

from penult.records import ImageRecord

pytestmark = pytest.mark.light

# Lily 2 is as near to rose 2 as to nothing else.
ANGLES = {"lily": (0, 25, 50), "rose": (56, 85, 90)}


def rows_of(angles):
    radians = np.deg2rad(angles)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def records(several=False):
    return [
        ImageRecord(f"{name}/{k}.jpg", io.BytesIO, (name, "red") if several and k == 0 else (name,))
        for name, angles in ANGLES.items()
        for k in range(len(angles))
    ]


@pytest.fixture
def gallery(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write(tmp_path / "gallery.h5", records(), [rows_of(sum(ANGLES.values(), ()))])


def test_scores_are_shown_with_their_intervals(penult, gallery):
    done = penult("evaluate-search", "gallery.h5", "-k", "1,3")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].split() == ["score", "micro", "95%", "interval", "macro", "no", "duplicates"]
    # rose/0 finds lily/2 first, and lily/2 finds rose/0.
    assert lines[2].split()[:2] == ["hit@1", "0.667"]
    shown = [line.split()[0] for line in lines[2:14]]
    assert shown == [
        *("hit@1", "hit@3", "precision@1", "precision@3", "recall@1", "recall@3"),
        *("ndcg@1", "ndcg@3", "r_precision", "average_precision", "map@r", "mrr"),
    ]
    assert lines[15].split() == [
        *("label,", "lowest", "first", "queries", "hit@1", "r_precision", "average_precision"),
    ]
    assert [line.split()[:3] for line in lines[17:19]] == [["lily", "3", "0.667"], ["rose", "3", "0.667"]]  # fmt: skip
    assert lines[-2:] == [
        "each of 6 rows of gallery.h5 searched all others, by cosine",
        "no duplicates: 2 rows whose cosine with another is 0.95 or more counted as one with it",
    ]


def test_tables_fit_a_terminal(penult, gallery, monkeypatch):
    write(gallery.parent / "several.h5", records(several=True), [rows_of(sum(ANGLES.values(), ()))])
    monkeypatch.setenv("COLUMNS", "80")
    done = penult("evaluate-search", "several.h5", "-k", "1,5")
    assert done.code == 0, done.err
    header, _, *rows = done.out.splitlines()
    assert header.split()[4:6] == ["any", "label"]
    assert rows[0].split()[0] == "hit@1"
    assert any(line.split()[:2] == ["jaccard_ndcg@5", "–"] for line in rows)
    assert max(map(len, done.out.splitlines()[:-4])) <= 80


def test_json_is_what_scripts_rely_on(penult, gallery):
    done = penult("evaluate-search", "gallery.h5", "--k", "1", "-k", "5", "--json", "-q")
    told = json.loads(done.out)
    assert done.err == ""
    assert (told["queries"], told["skipped"]) == (6, 0)
    for scores in (told, told["any_label"], told["macro"], told["without_duplicates"]):
        for name in (
            *("hit@1", "hit@5", "precision@5", "recall@5", "ndcg@5"),
            *("r_precision", "map@r", "mrr", "average_precision"),
        ):
            one = scores[name]
            assert one.keys() == {"value", "low", "high"}
            assert 0 <= one["low"] <= one["value"] <= one["high"] <= 1
    assert told["hit@1"]["value"] == 4 / 6
    assert told["any_label"]["jaccard_ndcg@5"] == told["ndcg@5"]
    assert [one["label"] for one in told["labels"]] == ["lily", "rose"]
    assert told["examples"][0]["hits"][0].keys() == {"id", "similarity", "label"}
    assert (told["k"], told["layer"], told["gallery"]) == ([1, 5], "penultimate", 6)


def test_a_part_of_the_rows_searches_the_others(penult, gallery):
    done = penult("evaluate-search", "gallery.h5", "-k", 1, "--test-size", 0.34, "--runs", 2, "--seed", 7)  # fmt: skip
    line = "2 times, 3 rows of gallery.h5 (34%, drawn with seeds 7 to 8) searched the other 3, by cosine"
    assert line in done.out.splitlines()


def test_the_queries_rows_are_those_of_the_gallerys_recipe(penult, gallery):
    kinds = [recipe("logits"), recipe()]
    two = [np.ones((6, 2), np.float32), rows_of((1, 2, 3, 87, 88, 89))]
    write(gallery.parent / "queries.h5", records(), two[::-1], recipes=kinds[::-1])
    done = penult("evaluate-search", "gallery.h5", "--queries", "queries.h5", "-k", 1)
    assert done.code == 0, done.err
    assert done.out.splitlines()[2].split()[:2] == ["hit@1", "1.000"]
    assert "6 rows of queries.h5 searched 6 rows of gallery.h5, by cosine" in done.out.splitlines()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("-k 9", "--k 9 was given, but a query finds no more than 5 rows; give at most 5"),
        ("-k 1,x", "-k '1,x' was given; give numbers such as -k 1,5,10"),
        ("--k=", "--k is empty; give a number, or several such as 1,5,10, or leave it out"),
        ("-k 1 --runs 2", "--runs 2 was given; give 1 or more, and where it is more, the part of the rows to draw in each: --test-size 0.2"),
        ("-k 1 --layer nothing", "unknown layer 'nothing' in gallery.h5; allowed: penultimate"),
        ("-k 1 --queries other.h5", "different recipes"),
        ("-k 1 --queries none.h5", "no such file: none.h5"),
        ("-k 1 --near-duplicates 2", "--near-duplicates is 2; give a cosine"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_one_line(penult, gallery, typed, said):
    other = [recipe("logits")]
    write(gallery.parent / "other.h5", records(), [np.ones((6, 2), np.float32)], recipes=other)
    done = penult("evaluate-search", "gallery.h5", *typed.split())
    assert done.out == ""
    assert said in done.err
    assert done.err.count("\n") == 1
    assert done.code == (1 if "recipes" in said else 2)


def test_rows_extracted_without_labels_say_how_they_were(penult, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plain = [ImageRecord(f"{k}.jpg", io.BytesIO) for k in range(3)]
    write(tmp_path / "f.h5", plain, [rows_of((0, 40, 80))], origin={"labels": "none"})
    done = penult("evaluate-search", "f.h5")
    assert done.err == (
        "penult: none of the 3 rows has a label, so nothing says which are relevant; they were "
        "extracted with --labels none; extract again without it, from one folder a class\n"
    )
    # What is in the file is no error of who typed the command.
    told = {
        name: penult(name, "f.h5", *more.split())
        for name, more in {
            "evaluate-search": "",
            "train": "-o c.skops",
            "duplicates": "--across-splits",
        }.items()
    }
    assert {name: one.code for name, one in told.items()} == dict.fromkeys(told, 1)
    assert all("none of the 3 rows has a label" in one.err for one in told.values())
