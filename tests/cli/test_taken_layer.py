"""Which of several sets of rows was taken, where the command was not told."""

from __future__ import annotations

import numpy as np
import pytest
from feature_files import record, write

pytestmark = pytest.mark.light

SEARCHED = ("search", "rows.h5", "--id", "x/0.jpg")


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """Two sets of eight rows of two classes."""
    monkeypatch.chdir(tmp_path)
    records = [record(f"{'xy'[k // 4]}/{k}.jpg", "xy"[k // 4]) for k in range(8)]
    values = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
    write(tmp_path / "rows.h5", records, [values, 1 - values], layers=("early", "late"))


@pytest.mark.parametrize(
    "typed",
    [
        SEARCHED,
        ("index", "rows.h5", "-o", "g.index"),
        ("duplicates", "rows.h5"),
        ("evaluate-search", "rows.h5", "-k", 1),
    ],
)
def test_the_layer_that_was_taken_is_named_where_there_are_several(penult, rows, typed):
    line = "layer late, the last of 2; --layer LAYER takes another"
    done = penult(*typed)
    assert done.code == 0
    assert line in (done.out + done.err).splitlines()
    done = penult(*typed, "--layer", "early", *["--overwrite"] * (typed[0] == "index"))
    assert done.code == 0
    assert "takes another" not in done.out + done.err


def test_a_quiet_search_says_nothing_of_it(penult, rows):
    done = penult(*SEARCHED, "-q")
    assert (done.code, done.err) == (0, "")
