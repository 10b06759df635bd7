"""Old names of options go on working, with one line on stderr, and no help shows them."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.light


def test_pool_is_the_old_name_of_pooling(penult, toy, photos, tmp_path):
    asked = ("extract", photos, "-o", tmp_path / "f.h5", "-m", toy, "-l", "pixels", "-q", "--json")
    plain = penult(*asked, "--pooling", "max", "--dry-run")
    assert plain.err == ""
    told = penult(*asked, "--pool", "max", "--dry-run")
    assert told.code == 0
    assert told.err == "penult: --pool is now called --pooling\n"
    assert json.loads(told.out) == json.loads(plain.out)
    both = penult(*asked, "--pool", "max", "--pooling", "max")
    assert both.code == 2
    assert "give --pooling alone" in both.err
    assert "--pool " not in penult("extract", "--help").out


def test_normalised_is_the_old_name_of_normalized(penult, toy, photos, tmp_path):
    penult("extract", photos, "-o", tmp_path / "f.h5", "-m", toy, "-q")
    drawn = []
    for spelling in ("normalized", "normalised"):
        folder = tmp_path / spelling
        done = penult(
            "train", tmp_path / "f.h5", "-o", tmp_path / f"{spelling}.skops", "--classifier",
            "centroid", "--results", folder, "--confusion", spelling, "-q",
        )  # fmt: skip
        assert done.code == 0
        drawn.append((folder / "confusion_matrix.png").read_bytes())
    assert done.err == "penult: --confusion normalised is now called --confusion normalized\n"
    assert drawn[0] == drawn[1]
    assert "normalised" not in penult("train", "--help").out
