"""`penult quantize`, and `penult info` and `penult layers` on what it writes."""

from __future__ import annotations

import json

import pytest

from penult.engines import measure
from penult.engines.openvino import quantize as engine


@pytest.fixture
def quantized(penult, tiny, photos, tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "SECONDS", 0.01)
    path = tmp_path / "tiny.ckpt"
    return path, penult("quantize", tiny, "--calibrate", photos, "-o", path, "--images", 20)


def test_the_card_is_printed_and_info_shows_it_again(quantized, penult):
    path, done = quantized
    assert done.code == 0
    assert done.err.splitlines()[0] == "reading images"
    lines = [line.strip() for line in done.out.splitlines()]
    assert lines[0].endswith("tiny.ckpt: tiny:network in 8-bit integers")
    card = [line for line in lines if "  " in line]
    assert [line.split("  ")[0] for line in card] == [
        "made from",
        "cosine of penultimate",
        "speed",
        "accuracy of penultimate",
        "in integers",
        "calibrated on",
        "made with",
    ]
    assert "4 of 4 convolutions and matrix products, weights of 8 bits" in done.out
    assert "on 16 images not calibrated on" in done.out
    again = penult("info", path)
    assert [line.strip() for line in again.out.splitlines()][1:6] == lines[1:6]
    told = json.loads(penult("info", path, "--json").out)
    assert (told["kind"], told["layers"]) == ("int8", ["penultimate"])
    assert told["card"]["cosines"][0]["mean"] > 0.99
    assert "penultimate" in penult("layers", path).out


def test_json_is_the_card(penult, tiny, photos, tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "SECONDS", 0.01)
    asked = ("-c", photos, "-o", tmp_path / "x.ckpt", "--labels", "none", "-l", "maps", "--json")
    done = penult("quantize", tiny, *asked, "-q")
    assert done.err == ""
    card = json.loads(done.out)
    assert (card["output"], card["accuracy"]) == (str(tmp_path / "x.ckpt"), None)
    assert [(x["layer"], x["pooling"]) for x in card["cosines"]] == [("maps", "avg")]


@pytest.mark.slow
def test_a_cosine_that_was_not_reached_is_said(penult, tiny, photos, tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "SECONDS", 0.01)
    kept = engine.quantize
    monkeypatch.setattr(
        engine, "quantize", lambda *a, **options: kept(*a, **{**options, "min_cosine": 0.5})
    )
    asked = ("-c", photos, "-o", tmp_path / "x.ckpt", "--min-cosine", "0.999999999", "-q")
    done = penult("quantize", tiny, *asked)
    assert done.code == 0
    assert "the mean cosine of penultimate is below the 1 asked for; give --calibrate" in done.err


def test_mistakes_are_one_line(penult, tiny, photos, tmp_path):
    for asked, code, said in (
        (("-c", tmp_path / "nowhere", "-o", tmp_path / "x.ckpt"), 2, "no such file or folder"),
        (("-c", photos, "-o", tmp_path / "no" / "x.ckpt"), 2, "there is no folder"),
        (("-c", photos, "-o", tmp_path / "x.ckpt", "-l", "nothing"), 2, "unknown layer"),
        (
            ("-c", photos, "-o", tmp_path / "x.ckpt", "--min-cosine", 1.5),
            2,
            "penult: --min-cosine 1.5 was given; it must",
        ),
    ):
        done = penult("quantize", tiny, *asked)
        assert (done.code, len(done.err.splitlines())) == (code, 1), done.err
        assert said in done.err
