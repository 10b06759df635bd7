"""One file under several labels is named by every step."""

from __future__ import annotations

import json
import shutil

import pytest

import penult as library

pytestmark = pytest.mark.light


def test_every_step_says_it(penult, photos, toy, tmp_path, caplog):
    shutil.copy(photos / "rose" / "rose_01.jpg", photos / "tulip" / "again.jpg")
    said = "the same file is in two classes: rose/rose_01.jpg (rose) and tulip/again.jpg (tulip)"
    rows = tmp_path / "f.h5"
    for typed in (
        ["extract", photos, "-o", rows, "-m", toy],
        ["train", rows, "-o", tmp_path / "c.skops"],
        ["report", rows, "-o", tmp_path / "r", "--no-curve", "--no-label-errors"],
    ):
        caplog.clear()
        done = penult(*typed, "-q")
        assert done.code == 0, done
        assert caplog.messages.count(f"penult: {said}") == 1
        assert f"penult duplicates {rows} lists such copies; " in caplog.messages[-1]
        assert caplog.messages[-1].endswith(
            f"with penult labels apply LABELS {rows} --output TABLE.csv"
        )
    assert "identical to another image, and kept in the same part: 1" in done.out
    assert said in penult("info", rows).out
    assert json.loads(penult("info", rows, "--json").out)["contradictions"] == [said]
    page = (tmp_path / "r" / "index.html").read_text()
    assert "1 file with two labels" in page
    assert said in page
    assert library.info(rows).contradictions == (said,)
