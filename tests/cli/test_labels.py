"""`penult labels apply`: from a list that was looked through to rows with other labels."""

from __future__ import annotations

import json
import shlex

import pytest

from penult import load
from penult.reporting.commands import FEATURES


@pytest.fixture
def rows(penult, photos, toy, tmp_path):
    """The feature file of a report, and one of its images."""
    folder = tmp_path / "a report"
    assert penult("extract", photos, "-o", tmp_path / "rows.h5", "-m", toy, "-q").code == 0
    folder.mkdir()
    (tmp_path / "rows.h5").rename(folder / FEATURES)
    return folder / FEATURES


def reviewed(tmp_path, rows):
    """A list of one image, with the label of the last one."""
    features = load(rows)
    first, last = (features.label_names[features.labels[k]] for k in (0, -1))
    assert first != last
    list_ = tmp_path / "reviewed.csv"
    list_.write_text(f"id,label,suggested\n{features.ids[0]},{first},{last}\n")
    return list_, features.ids[0], last


def test_the_command_that_is_proposed_gives_the_rows_those_labels(penult, rows, tmp_path):
    list_, image, label = reviewed(tmp_path, rows)
    table = tmp_path / "new labels.csv"
    done = penult("labels", "apply", list_, rows, "-o", table)
    images = len(load(rows).ids)
    put_right = f"{image}: now {label}\n1 label of {images} images put right\n{table}\n"
    assert (done.code, done.out) == (0, put_right)
    assert done.err.startswith("next: penult extract ")
    again = penult(*shlex.split(done.err.removeprefix("next: penult ")), "-q")
    assert again.code == 0, again.err
    assert "relabelled: 1 image" in again.out
    features = load(rows)
    assert features.label_names[features.labels[list(features.ids).index(image)]] == label
    done = penult("labels", "apply", list_, rows, "-o", table, "--overwrite")
    assert "0 labels of" in done.out
    assert "1 image of the list had the label already" in done.out


def test_of_a_report_the_report_is_proposed_again(penult, rows, tmp_path):
    list_, *_ = reviewed(tmp_path, rows)
    (rows.parent / "index.html").touch()
    done = penult("labels", "apply", list_, rows, "-o", tmp_path / "labels.csv")
    words = shlex.split(done.err)
    assert words[:3] == ["next:", "penult", "report"]
    assert words[words.index("-o") + 1] == str(rows.parent)
    assert words[words.index("--labels") + 1] == str(tmp_path / "labels.csv")
    assert words[-1] == "--overwrite"


def test_as_json(penult, rows, tmp_path):
    list_, image, label = reviewed(tmp_path, rows)
    table = tmp_path / "labels.csv"
    done = penult("labels", "apply", list_, rows, "-o", table, "--json")
    assert json.loads(done.out) == {
        "output": str(table),
        "images": len(load(rows).ids),
        "corrected": [{"id": image, "label": label}],
        "already": 0,
    }


def test_a_line_that_is_wrong_is_one_line_and_the_code_says_so(penult, rows, tmp_path):
    list_, image, _ = reviewed(tmp_path, rows)
    list_.write_text(list_.read_text().replace(image, "no/such.jpg"))
    done = penult("labels", "apply", list_, rows, "-o", tmp_path / "labels.csv")
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert "line 2: there is no image 'no/such.jpg'" in done.err


def test_a_group_says_which_commands_it_has(penult):
    assert "apply  Write a table of all labels" in penult("labels", "--help").out
    assert penult("labels").err.startswith("Usage: penult labels COMMAND")
    told = "unknown command 'aply'; did you mean apply? (penult labels --help lists them)"
    assert penult("labels", "aply").err == f"penult: {told}\n"
