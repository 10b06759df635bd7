"""What was given in place of images, or of a feature file, is told with what to give instead."""

from __future__ import annotations

import io
import os
import sys
import zipfile

import numpy as np
import pytest

from penult.errors import TrainingError, UnknownNameError
from penult.partition.draw import draw_held_out

pytestmark = pytest.mark.light


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def piped(monkeypatch, text):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def test_a_pipe_of_any_name_is_told_of_standard_input(penult, here, toy):
    os.mkfifo("pipe.jpg")
    said = penult("extract", "pipe.jpg", "-o", "x.h5", "-m", toy).err
    assert said.startswith("penult: pipe.jpg is a named pipe, not an image; give folders")


def test_one_image_without_a_row_is_no_first_of_several(penult, here, toy):
    (here / "bad.jpg").write_text("hello")
    said = penult("extract", "bad.jpg", "-o", "x.h5", "-m", toy, "-q").err
    assert said.startswith("penult: bad.jpg gave no row: it is not an image that can be read")
    assert said.endswith("; give another image, or a folder of them\n")


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("c.skops", "a classifier"),
        ("i.index", "an index"),
        ("n.ONNX", "a network or a classifier in ONNX"),
        ("n.penult", "a network"),
        ("n.pth", "a network"),
        ("n.ckpt", "a fine-tuned network"),
    ],
)
@pytest.mark.parametrize(
    "typed",
    [
        "extract {} -o x.h5",
        "compare {} -o x",
        "report {} -o x",
        pytest.param("finetune {} -o x.ckpt", marks=pytest.mark.needs("torch")),
    ],
)
def test_another_file_of_penults_is_no_image(penult, here, name, what, typed):
    if name == "n.ckpt":
        if "report" in typed:
            return  # it reports on such a folder
        (here / name).mkdir()
        for file in ("weights.safetensors", "recipe.json"):
            (here / name / file).touch()
    elif inside := {"c.skops": "penult.json", "n.pth": "n/data.pkl"}.get(name):
        with zipfile.ZipFile(name, "w") as archive:
            archive.writestr(inside, b"")
    else:
        begin = {"i.index": b"\x89PIX\r\n\x1a\n", "n.penult": b"\2\0\0\0\0\0\0\0{}"}
        (here / name).write_bytes(begin.get(name, b"nodes"))
    done = penult(*typed.format(name).split(), "-q")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert done.err.startswith(f"penult: {name} is {what}, not images; give a folder of images")
    assert ("--model" in done.err) == what.endswith("network")
    assert [one.name for one in here.iterdir()] == [name]


def test_a_photo_is_one_whatever_its_name(penult, photos, toy, here):
    (here / "1.index").write_bytes((photos / "rose/rose_01.jpg").read_bytes())
    assert penult("extract", "1.index", "-o", "x.h5", "-m", toy, "-q").code == 0
    (here / "photos.ckpt").mkdir()
    (here / "1.index").rename(here / "photos.ckpt/1.jpg")
    assert penult("extract", "photos.ckpt", "-o", "y.h5", "-m", toy, "-q").code == 0


def test_a_list_of_paths_is_to_be_piped(penult, here, toy):
    (here / "list.txt").write_text("photos/1.jpg\nphotos/2.jpg\n")
    said = penult("extract", "list.txt", "-o", "x.h5", "-m", toy).err
    assert said.endswith("give - in its place, and pipe it: penult … - < list.txt\n")


def test_paths_that_are_not_there_are_relative_to_the_current_folder(
    penult, here, toy, monkeypatch
):
    piped(monkeypatch, "photos/1.jpg\nphotos/2.jpg\n")
    said = penult("extract", "-", "-o", "x.h5", "-m", toy, "-q").err
    assert said.endswith(f"; paths are relative to the current folder, {here}\n")


def test_nothing_at_all_is_told_without_the_endings_of_images(penult, here, toy, monkeypatch):
    (here / "empty").mkdir()
    said = penult("extract", "empty", "-o", "x.h5", "-m", toy).err
    assert said == "penult: no images in empty; no other files either\n"
    piped(monkeypatch, "")
    said = penult("extract", "-", "-o", "x.h5", "-m", toy).err
    assert said.endswith("nothing was piped: pipe the paths of images, one a line\n")


@pytest.mark.parametrize("command", ["train", "merge"])
def test_a_folder_in_place_of_a_feature_file_is_named_in_the_command(penult, here, command):
    (here / "photos").mkdir()
    said = penult(command, "photos", "-o", "made.h5" if command == "merge" else "c.skops").err
    assert said.endswith("make one with: penult extract photos --output photos.h5\n")


def test_merge_makes_one_file_and_no_folder_of_rows(penult, here):
    said = penult("merge", "a.rows", "-o", "two.rows").err
    assert said.endswith("penult merge makes one file; name it two.h5\n")


@pytest.mark.parametrize(
    ("sizes", "said"),
    [([1, 14, 15], "min_per_class=?2"), ([1, 3, 15, 15], "min_per_class=?4"), ([1, 2], "images$")],
)
def test_the_number_drops_no_more_classes_than_has_to_be(sizes, said):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    with pytest.raises(TrainingError, match=said):
        draw_held_out(labels, None, test_size=0.25, folds=3, seed=0)


def test_of_a_model_that_nothing_is_like_the_forms_are_named():
    from penult.backbones.registry.names import unknown_model

    assert "others are given as timm:NAME, hf:OWNER/NAME" in str(unknown_model("qqqq"))
    near = unknown_model("efficientnet_lite9")
    assert isinstance(near, UnknownNameError)
    assert "others are given as" not in str(near)


@pytest.mark.parametrize(
    ("has", "said"), [(("FP32", "BF16"), "precision='bfloat16', which"), (("FP32",), "float32'$")]
)
def test_half_precision_on_a_cpu_is_the_one_that_it_has(monkeypatch, has, said):
    from penult.engines import registry
    from penult.engines.openvino import precision
    from penult.errors import UsageError

    monkeypatch.setattr(precision, "capabilities", lambda ov: has)
    with pytest.raises(UsageError, match=said):
        registry._computing_in("float16", ["openvino"], "cpu")
