"""An output in a folder that is read-only is refused before anything is computed."""

import os
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "typed",
    [
        "extract photos -o ro/f.h5 -m toy:mean-colour",
        "extract photos -o ro/f.rows -m toy:mean-colour",
        "train f.h5 -o ro/c.skops",
        "train f.h5 -o c2.skops --results ro/results",
        "predict c.skops photos -o ro/p.csv",
        "predict c.skops photos --copy-to ro/sorted",
        "predict c.skops photos --copy-to ro",
        "cluster f.h5 -k 2 --sort-into ro",
        "evaluate c.skops photos --results ro/results",
        "export c.skops -o ro/c.onnx",
        "reduce f.h5 -o ro/s.h5 --pca 2",
        "join f.h5 f.h5 -o ro/j.h5",
        "duplicates f.h5 --write-list ro/drop.txt",
        "duplicates f.h5 --repair ro/r.h5",
        "export-rows f.h5 -o ro/f.csv",
        "report photos -o ro/report -m toy:mean-colour",
        "show-input toy:mean-colour photos/rose/rose_01.jpg -o ro/seen.png",
    ],
)
def test_it_is_said_before_anything_is_computed(
    penult, photos, toy, tmp_path, monkeypatch, extracted, trained, typed
):
    monkeypatch.chdir(tmp_path)
    extracted(photos, "f.h5", toy)
    trained("f.h5", "c.skops", grid={"C": [1]})
    (tmp_path / "ro").mkdir()
    access = os.access

    def read_only(path, mode, **how):  # to root, too
        return access(path, mode, **how) and not (mode & os.W_OK and Path(path).name == "ro")

    monkeypatch.setattr(os, "access", read_only)
    for heavy in ("penult.extractor.Extractor.blocks", "sklearn.base.BaseEstimator.__init__"):
        monkeypatch.setattr(heavy, lambda *_, **__: pytest.fail("computed"), raising=False)
    done = penult(*typed.split())
    assert (done.code, done.out) == (1, ""), done.err
    assert "read-only" in done.err.splitlines()[-1]
    if typed.endswith(" ro"):  # and not a folder in it, which nobody named
        assert done.err.splitlines()[-1] == "penult: ro cannot be written: it is read-only"
