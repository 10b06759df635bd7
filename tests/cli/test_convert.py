"""`penult convert`, and `penult info`, `layers` and `predict` on what it writes."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def converted(penult, tiny, tmp_path):
    path = tmp_path / "tiny.penult"
    return path, penult("convert", tiny, "-o", path, "-l", "maps", "-l", "penultimate")


def test_the_card_is_printed_and_info_shows_it_again(converted, penult):
    path, done = converted
    assert done.code == 0
    assert "comparing it with the engine torch" in done.err.splitlines()
    lines = [line.strip() for line in done.out.splitlines()]
    assert lines[0].endswith("tiny.penult: tiny:network, with the layers maps, penultimate")
    card = [line for line in lines if "  " in line]
    assert [line.split("  ")[0] for line in card] == [
        "made from",
        "SHA-256 of these",
        "weights in it",
        "compared with",
        "made with",
    ]
    again = [line.strip() for line in penult("info", path).out.splitlines()]
    assert again[0].endswith(
        "converted network, a backbone for --model, with the layers maps, penultimate"
    )
    assert again[1:6] == lines[1:6]
    told = json.loads(penult("info", path, "--json").out)
    assert (told["kind"], told["architecture"]) == ("converted", "tiny/network")
    assert "maps" in penult("layers", path).out


def test_json_is_the_card(penult, tiny, tmp_path):
    done = penult("convert", tiny, "-o", tmp_path / "x.penult", "--json", "-q")
    assert done.err == ""
    card = json.loads(done.out)
    assert (card["output"], card["layers"]) == (str(tmp_path / "x.penult"), ["penultimate"])


def test_a_classifier_of_the_network_predicts_with_the_file(
    converted, penult, tiny, photos, tmp_path
):
    penult("extract", photos, "-o", tmp_path / "f.h5", "-m", tiny)
    penult("train", tmp_path / "f.h5", "-o", tmp_path / "c.skops")
    done = penult("predict", tmp_path / "c.skops", photos, "--weights", converted[0], "-q")
    assert (done.code, done.out.count("rose_")) == (0, 12)
    rows = penult("extract", photos, "-o", tmp_path / "g.h5", "-m", converted[0])
    assert rows.code == 0
    told = penult("info", tmp_path / "g.h5").out
    assert f"--model checkpoint:{converted[0]}" in told  # made again by


def test_mistakes_are_one_line(penult, converted, tiny, tmp_path):
    path, _ = converted
    for asked, code, said in (
        ((tiny, "-o", tmp_path / "x.h5"), 2, "name it x.penult or"),
        ((tiny, "-o", tmp_path / "no" / "x.penult"), 2, "there is no folder"),
        ((tiny, "-o", tmp_path / "x.penult", "-l", "nothing"), 2, "unknown layer"),
        ((path, "-o", tmp_path / "x.penult"), 2, "is a file of penult convert already"),
        ((tmp_path / "none.penult", "-o", tmp_path / "x.penult"), 2, "no such file"),
    ):
        done = penult("convert", *asked, "-q")
        assert (done.code, len(done.err.splitlines())) == (code, 1), done.err
        assert said in done.err
    (tmp_path / "empty.penult").touch()
    for command in (("info", tmp_path / "empty.penult"), ("layers", tmp_path / "empty.penult")):
        done = penult(*command)
        assert (done.code, len(done.err.splitlines())) in ((1, 1), (2, 1)), done.err
