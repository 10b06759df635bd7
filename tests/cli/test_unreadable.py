"""A file that is there and may not be read is one line and exit code 1, whoever was given it."""

from __future__ import annotations

import builtins
import io
import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.light


@pytest.fixture
def locked(monkeypatch):
    """`locked(path)` has that file refuse to be opened, which no mode of a file does to root."""
    paths = set()

    def refusing(really):
        def call(file, *given, **named):
            if isinstance(file, str | os.PathLike) and os.path.realpath(file) in paths:
                raise PermissionError(13, "Permission denied", str(file))
            return really(file, *given, **named)

        return call

    def access(file, mode, really=os.access, **named):
        return os.path.realpath(file) not in paths and really(file, mode, **named)

    monkeypatch.setattr(os, "access", access)
    for module in (builtins, io, os):
        monkeypatch.setattr(module, "open", refusing(module.open))
    return lambda path: paths.add(os.path.realpath(path))


@pytest.fixture
def here(photos, tmp_path, monkeypatch, toy):
    monkeypatch.chdir(tmp_path)
    Path("k.ckpt").mkdir()
    inside = ("weights.safetensors", "recipe.json", "classifier.skops")
    names = ("rows.h5", "a.skops", "a.index", "a.penult", "a.onnx", "a.pth", "a.csv", "a.jpg")
    for name in (*names, *(f"k.ckpt/{one}" for one in inside)):
        Path(name).write_bytes(b"not read")
    return photos.name


OF_FEATURES = ("cluster", "map -o z.png", "search a.jpg", "info", "train -o z.skops", "verify")
TYPED = {
    **{f"{one.split()[0]} rows.h5 {' '.join(one.split()[1:])}": "rows.h5" for one in OF_FEATURES},
    "search a.index a.jpg": "a.index",
    "predict a.skops a.jpg": "a.skops",
    "predict k.ckpt a.jpg": "k.ckpt/classifier.skops",
    "predict a.penult a.jpg": "a.penult",
    "info a.penult": "a.penult",
    "extract {photos} -m a.penult -o z.h5": "a.penult",
    "extract {photos} -m a.onnx -o z.h5": "a.onnx",
    "extract {photos} -m a.pth -o z.h5": "a.pth",
    "extract {photos} -m k.ckpt -o z.h5": "k.ckpt/weights.safetensors",
    "extract {photos} -m resnet18 --weights a.pth -o z.h5": "a.pth",
    "extract {photos} -m toy:mean-colour --labels a.csv -o z.h5": "a.csv",
    "extract a.csv -m toy:mean-colour -o z.h5": "a.csv",
    "layers a.penult": "a.penult",
    "show-input toy:mean-colour a.jpg -o z.png": "a.jpg",
}


@pytest.mark.parametrize("typed", TYPED)
def test_it_is_named_with_the_reason_and_not_how_to_make_another(penult, locked, here, typed):
    locked(TYPED[typed])
    done = penult(*typed.format(photos=here).split())
    said = f"penult: {TYPED[typed]} cannot be read: permission denied; change who may read it, "
    assert done.err.endswith(said + "or ask its owner to\n")
    assert done.code == 1


def test_a_photo_given_alone_says_why_it_gives_no_row(penult, locked, here):
    locked("a.jpg")
    done = penult("extract", "a.jpg", "-m", "toy:mean-colour", "-o", "z.h5")
    assert "penult: a.jpg gave no row: it cannot be read (permission denied)" in done.err
    assert done.code == 1
