"""`penult labels apply`: from a list that was looked through to rows with other labels."""

from __future__ import annotations

import json
import shlex

import numpy as np
import pytest
from feature_files import record, write

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
        "by_folder": [],
        "unknown_folders": [],
        "new_classes": [],
        "removed": [],
        "cleared": [],
        "missing": [],
        "meant": {},
        "unread": [],
        "unlabelled": [],
    }


def test_a_line_that_is_wrong_is_one_line_and_the_code_says_so(penult, rows, tmp_path):
    list_, image, _ = reviewed(tmp_path, rows)
    list_.write_text(list_.read_text().replace(image, "no/such.jpg"))
    done = penult("labels", "apply", list_, rows, "-o", tmp_path / "labels.csv")
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert "line 2: there is no image 'no/such.jpg'" in done.err


def test_a_path_whose_capitals_are_others_is_told_with_the_image_that_is_meant(
    penult, rows, tmp_path
):
    first, second, *_ = load(rows).ids
    (tmp_path / "given.csv").write_text(f"path,label\n{first.upper()},rose\n{second},rose\n")
    done = penult("labels", "apply", tmp_path / "given.csv", rows, "-o", tmp_path / "labels.csv")
    assert f"\n{first.upper()}: did you mean {first}? Capitals count\n" in done.out


def test_a_group_says_which_commands_it_has(penult):
    assert "apply  Write a table of all labels" in penult("labels", "--help").out
    assert penult("labels").err.startswith("Usage: penult labels COMMAND")
    told = "unknown command 'aply'; did you mean apply? (penult labels --help lists them)"
    assert penult("labels", "aply").err == f"penult: {told}\n"


def test_a_photo_mended_keeps_its_label_and_one_added_gets_that_of_its_folder(
    penult, photos, toy, tmp_path
):
    root, rows, table = photos, tmp_path / "rows.h5", tmp_path / "table.csv"
    first = next(root.glob("*/*"))
    broken, added = first.with_name("broken.jpg"), first.with_name("added.jpg")
    broken.write_bytes(b"not yet")
    (tmp_path / "list.csv").write_text("id,label,suggested\n")
    extract = ("extract", root, "-o", rows, "-m", toy, "-q")
    apply = ("labels", "apply", tmp_path / "list.csv", rows, "-o", table, "--overwrite")
    assert penult(*extract).code == 0
    said = penult(*apply, "-q").out
    assert f"1 image that could not be read is in the table as well: {_id(root, broken)}" in said

    # Still broken, now with labels from the table: its line is not lost from the next table.
    assert penult(*extract, "--labels", table, "--overwrite").code == 0
    assert penult(*apply).code == 0
    broken.write_bytes(first.read_bytes())
    added.write_bytes(first.read_bytes())
    done = penult(*extract, "--labels", table, "--overwrite")
    images = len(load(rows).ids)
    folder = first.parent.name
    assert (
        f"1 of {images} images has no label in table.csv: {_id(root, added)}; add a line, "
        f"such as {_id(root, added)},{folder}, or have penult labels apply write the table "
        "again: --by-folder takes the labels that it lacks from the folders"
    ) in done.out
    first = [_id(root, added)]
    for dry in ([], ["--dry-run"]):
        told = json.loads(penult(*extract, "--labels", table, "--overwrite", "--json", *dry).out)
        about = {"table": "table.csv", "images": 1, "of": images, "first": first}
        assert told["without_label"] == about
    assert label(rows, _id(root, broken)) == folder
    assert label(rows, _id(root, added)) is None
    assert f"1 image without a label: {_id(root, added)}; --by-folder" in penult(*apply).out
    assert f"{_id(root, added)}: {folder}, as its folder" in penult(*apply, "--by-folder").out
    done = penult(*extract, "--labels", table, "--overwrite")
    assert "no label" not in done.out
    assert label(rows, _id(root, added)) == folder


def test_a_folder_that_is_no_class_is_named_with_a_way_out(penult, tmp_path):
    photos = [record("iris/1.jpg", "iris"), record("crocus/1.jpg"), record("crocus/2.jpg")]
    rows = write(tmp_path / "rows.h5", photos, [np.zeros((3, 2))])
    (tmp_path / "list.csv").write_text("path,label\niris/1.jpg,iris\n")
    table = tmp_path / "all.csv"
    apply = ("labels", "apply", tmp_path / "list.csv", rows, "-o", table, "--by-folder")
    assert (
        "2 images without a label: crocus/1.jpg, crocus/2.jpg; no image has the name of the folder "
        "crocus as its label: type it again with --allow-new --overwrite to take it all the same, "
        f"or write labels into {table}\n"
    ) in penult(*apply).out
    done = penult(*apply, "--allow-new", "--overwrite")
    assert "1 new class, whose label no image had: crocus\n" in done.out
    assert "without a label" not in done.out


def test_a_label_that_is_taken_away_counts_once_and_one_that_was_not_there_does_not(
    penult, tmp_path
):
    photos = [record("iris/1.jpg", "iris"), record("iris/2.jpg", "iris"), record("loose.jpg")]
    rows, list_ = write(tmp_path / "rows.h5", photos, [np.zeros((3, 2))]), tmp_path / "list.csv"
    list_.write_text("path,label\niris/1.jpg,\nloose.jpg,\n")
    apply = ("labels", "apply", list_, rows, "-o", tmp_path / "all.csv", "--overwrite")
    told = "iris/1.jpg: no label any more\n1 label of 3 images put right, 1 of them taken away\n"
    assert penult(*apply).out.startswith(told)
    found = json.loads(penult(*apply, "--json").out)
    assert (found["removed"], found["cleared"]) == (["iris/1.jpg", "loose.jpg"], ["iris/1.jpg"])


def _id(root, photo):
    return photo.relative_to(root).as_posix()


def label(rows, image):
    features = load(rows)
    number = features.labels[list(features.ids).index(image)]
    return features.label_names[number] if number >= 0 else None
