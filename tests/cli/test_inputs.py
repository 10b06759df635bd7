"""What is typed in place of a file: one way to say what is wrong with it, and one exit code."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.light,
    pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX only"),
]


@pytest.fixture
def made(tmp_path, toy, extracted, trained):
    """Rows and a classifier, and a folder that holds both as a report's does."""
    from PIL import Image

    here = tmp_path / "inputs"
    for label, color in (("rose", "red"), ("tulip", "blue")):
        (here / "photos" / label).mkdir(parents=True)
        for k in range(8):
            Image.new("RGB", (8 + k, 8), color).save(here / "photos" / label / f"{k}.png")
    extracted(here / "photos", here / "rows.h5", toy)
    trained(here / "rows.h5", here / "flowers.skops", classifier="centroid", folds=2)
    (here / "report").mkdir()
    shutil.copyfile(here / "flowers.skops", here / "report" / "classifier.skops")
    (here / "list.csv").write_text("path,label\nphotos/rose/0.png,rose\n")
    for name in ("pipe", "pipe.h5", "pipe.index", "pipe.csv"):
        os.mkfifo(here / name)
    return here


WANTED = {
    "info": ["info", "{}"],
    "train": ["train", "{}", "-o", "z.skops"],
    "verify": ["verify", "{}"],
    "export-rows": ["export-rows", "{}", "-o", "z.csv"],
    "join": ["join", "{}", "-o", "z.h5", "--layer", "mean", "--layer", "logits"],
    "reduce": ["reduce", "{}", "-o", "z.h5", "--pca", "2"],
    "evaluate-search": ["evaluate-search", "{}", "-k", "1"],
    "duplicates": ["duplicates", "{}"],
    "index": ["index", "{}", "-o", "z.index"],
    "predict": ["predict", "{}", "photos"],
    "evaluate": ["evaluate", "{}", "photos"],
    "export": ["export", "{}", "-o", "z.onnx"],
    "show-input": ["show-input", "toy:mean-colour", "{}", "-o", "z.png"],
    "weights": ["layers", "resnet18", "--weights", "{}"],
}


def typed(name, given):
    return [word.format(given) for word in WANTED[name]]


@pytest.mark.parametrize(
    "name",
    [
        *[name for name in WANTED if name != "weights"],
        pytest.param("weights", marks=pytest.mark.torch),
    ],
)
def test_a_folder_a_missing_file_and_another_kind_of_file_are_usage_errors(penult, made, monkeypatch, name):  # fmt: skip
    monkeypatch.chdir(made)
    for given, said in (
        ("photos", "photos is a folder, not a"),
        ("nofile", "no such file: nofile"),
        ("pipe", "pipe is a named pipe, not a"),  # whoever opens it waits for ever
    ):
        done = penult(*typed(name, given))
        assert (done.code, done.out) == (2, ""), done
        assert said in done.err
        assert done.err.count("\n") == 1
    if name not in ("show-input", "weights"):  # whose files may be damaged, or of any format
        done = penult(*typed(name, "list.csv"))
        assert done.code == 2, done


@pytest.mark.parametrize(
    "command",
    [
        "extract pipe.h5 -o z.h5",
        "extract photos -o pipe.h5 --overwrite",
        "report pipe.h5 -o z",
        "search rows.h5 pipe.h5",
        "search pipe.index --id rose/0.png",
        "index rows.h5 --add pipe.h5 -o z.index",
        "merge rows.h5 pipe.h5 -o z.h5",
        "serve --gallery pipe.index",
        "extract photos -o z.h5 --labels pipe.csv",
        "labels apply pipe.csv rows.h5 -o z.csv",
        "map rows.h5 -o z.html --columns pipe.csv",
    ],
)
def test_nothing_looks_into_a_named_pipe_to_see_what_it_is(penult, made, monkeypatch, command):
    monkeypatch.chdir(made)
    done = penult(*command.split())
    assert done.code != 0
    assert "is a named pipe, not a" in done.err


@pytest.mark.skipif(not Path("/dev/fd").is_dir(), reason="no names of open files")
@pytest.mark.parametrize("command", ["extract {} -o z.h5", "predict flowers.skops {}"])
def test_what_a_shell_makes_of_a_command_is_told_by_the_name_that_nobody_typed(
    penult, made, monkeypatch, command
):
    monkeypatch.chdir(made)
    reading, writing = os.pipe()
    try:
        done = penult(*command.format(f"/dev/fd/{reading}").split())
    finally:
        os.close(reading)
        os.close(writing)
    assert done.code != 0
    assert f"/dev/fd/{reading} is a named pipe, as a shell makes of <(COMMAND)" in done.err


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        pytest.param("predict", "flower.skops", "did you mean flowers.skops?", id="a typo"),
        pytest.param("train", "row.h5", "did you mean rows.h5?", id="a typo of rows"),
        pytest.param("info", "rwos.h5", "did you mean rows.h5?", id="letters swapped"),
        pytest.param("predict", "report", "did you mean report/classifier.skops?", id="a report"),
        pytest.param("info", "report", "did you mean report/classifier.skops?", id="info of a report"),
        pytest.param("predict", "rows.h5", "is a feature file, not a classifier; train one from it: penult train rows.h5 --output rows.skops", id="rows"),
        pytest.param("train", "flowers.skops", "is a classifier file, not a feature file", id="a classifier"),
        pytest.param("info", "list.csv", "give a feature file, a folder of rows, a classifier file, an index, or a network that quantize, convert or finetune wrote", id="a table"),
    ],
)  # fmt: skip
def test_what_was_likely_meant_is_named(penult, made, monkeypatch, name, given, said):
    monkeypatch.chdir(made)
    done = penult(*typed(name, given))
    assert done.code == 2
    assert said in done.err


@pytest.mark.parametrize("column", ["label", "path"])
def test_a_column_that_is_not_there_is_a_usage_error(penult, made, monkeypatch, column):
    monkeypatch.chdir(made)
    done = penult("extract", "list.csv", "-o", "z.h5", f"--{column}-column", "klass")
    assert done.code == 2
    assert "list.csv has no column klass; its first line names path, label" in done.err


def test_a_damaged_file_is_a_failure(penult, made):
    for name, command in (("rows.h5", "train"), ("flowers.skops", "predict")):
        damaged = made / f"damaged_{name}"
        damaged.write_bytes((made / name).read_bytes()[:-200])
        assert penult(*typed(command, damaged)).code == 1
        damaged.write_bytes(b"")
        assert penult(*typed(command, damaged)).code == 1


def test_an_empty_file_of_any_kind_is_not_to_be_made_with_extract(penult, tmp_path):
    (tmp_path / "empty.jpg").touch()
    done = penult("info", tmp_path / "empty.jpg")
    assert done.code == 2
    assert (
        "empty.jpg is empty (0 bytes); give a feature file, a folder of rows, a classifier file"
        in done.err
    )
