"""`penult layers`: what may be named after --layer."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.light


def test_layers_are_in_execution_order_each_once_with_their_shapes(penult, toy):
    layers = json.loads(penult("layers", toy, "--json").out)
    assert [(x["name"], x["shape"], x["length"], x["row"]) for x in layers] == [
        ("pixels", [3, 8, 8], 192, [3]),
        ("mean.0", [3, 1, 1], 3, [3]),
        ("mean.1", [3], 3, [3]),
        ("mean", [3], 3, [3]),
        ("penultimate", [3], 3, [3]),
        ("logits", [2], 2, [2]),
    ]


def test_the_table_says_the_same(penult, toy):
    done = penult("layers", toy, "pix*")
    assert done.code == 0
    assert done.out.startswith("toy:mean-colour, in execution order")
    assert done.out.splitlines()[4].split() == [
        "pixels",
        "Identity",
        "3",
        "×",
        "8",
        "×",
        "8",
        "192",
        "3",
    ]


def test_a_name_or_glob_that_matches_none_gets_suggestions(penult, toy):
    done = penult("layers", toy, "pixel")
    assert done.code == 2
    assert "did you mean pixels" in done.err


@pytest.mark.torch
def test_no_weights_are_needed(penult, monkeypatch):
    monkeypatch.setenv("PENULT_OFFLINE", "1")
    done = penult("layers", "timm:test_vit", "blocks.?", "--json")
    assert [layer["name"] for layer in json.loads(done.out)] == [
        f"blocks.{k}" for k in range(len(json.loads(done.out)))
    ]
    assert json.loads(done.out)[0]["layout"] == "NTD"


def test_a_layer_listed_can_be_extracted(penult, toy, photos, tmp_path):
    for layer in json.loads(penult("layers", toy, "--json").out):
        path = tmp_path / f"{layer['name']}.h5"
        done = penult("extract", photos / "rose", "-o", path, "-m", toy, "-l", layer["name"], "-q", "--json")  # fmt: skip
        assert json.loads(done.out)["shape"] == [12, *layer["row"]]
