"""What is chosen for speed is said wherever a recipe is, and refused in one line where it cannot be."""

from __future__ import annotations

import pytest

from penult.engines.openvino import precision


def test_a_fast_resize_is_said_by_info_and_typed_again(penult, photos, tmp_path, toy):
    pytest.importorskip("cykooz_resizer")
    features = tmp_path / "f.h5"
    assert penult("extract", photos, "-o", features, "-m", toy, "--resize", "fast").code == 0
    told = penult("info", features).out
    assert "(bilinear, fast)" in told
    assert "--resize fast" in told


def test_another_way_to_resize_is_a_usage_error(penult, photos, tmp_path, toy):
    done = penult("extract", photos, "-o", tmp_path / "f.h5", "-m", toy, "--resize", "quick")
    assert done.code == 2
    assert "'exact', 'fast'" in done.err


def test_a_processor_without_bfloat16_is_one_line(penult, photos, tmp_path, toy, monkeypatch):
    monkeypatch.setattr(precision, "capabilities", lambda ov: ("FP32",))
    asked = ["-m", toy, "--precision", "bfloat16", "--device", "cpu"]
    done = penult("extract", photos, "-o", tmp_path / "f.h5", *asked)
    assert done.code == 2
    (line,) = done.err.splitlines()
    assert line.startswith("penult: precision bfloat16 takes a CPU that computes in it")
    assert line.endswith("extract with --precision float32")
