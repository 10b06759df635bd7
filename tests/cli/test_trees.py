"""Trees of several networks at the command line: shown in little room, and made again."""

from __future__ import annotations

import json
import shlex

import numpy as np
import pytest
import torch
from toys import _build_tiny

from penult.cli.tables import recipe_table
from penult.features.read import load
from penult.recipe import JoinedRecipe


@pytest.fixture
def rows(penult, photos, toy, tiny, tmp_path):
    """A feature file of two networks joined, with mirror images averaged."""
    path = tmp_path / "rows.h5"
    done = penult("extract", photos, "-o", path, "-m", toy, "-m", tiny, "--views", "flip", "-q")
    assert done.code == 0, done
    return path


def again(told):
    """The commands that `info` prints, each as words without the program."""
    (line,) = [one for one in told.splitlines() if one.startswith("made again by: ")]
    commands = line.removeprefix("made again by: ").split(" && ")
    return [shlex.split(command)[1:] for command in commands]


def test_info_shows_a_tree_once_and_its_networks_side_by_side(penult, rows, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    told = penult("info", rows).out
    table = told[: told.index("class ")].splitlines()
    assert max(map(len, table[1:])) <= 80
    assert "joined" in told
    words = [line.split() for line in table]
    assert ["part", "1", "flip", "views", "of", "toy:mean-colour,", "penultimate"] in words
    assert ["backbone", "toy:mean-colour", "tiny:network"] in words
    assert ["SHA-256", f"{'70' * 6}…", f"{'71' * 6}…"] in words
    for shared in ("layer", "pooling", "normalisation", "versions"):
        assert sum(line[:1] == [shared] for line in words) == 1
    recipe = json.loads(penult("info", rows, "--json").out)["recipe"]
    assert recipe == json.loads(load(rows).recipe.to_json())


def test_one_network_in_two_precisions_is_shown_with_both(rows, capsys):
    one = load(rows).recipe.leaves[0]
    recipe_table(JoinedRecipe((one, one.with_options(precision="bfloat16"))))
    words = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["precision", "float32", "bfloat16"] in words
    recipe_table(one)
    assert "precision" not in capsys.readouterr().out


def test_info_of_a_classifier_shows_the_tree_as_well(penult, rows, tmp_path):
    assert penult("train", rows, "-o", tmp_path / "f.skops", "-q").code == 0
    told = penult("info", tmp_path / "f.skops").out
    assert "flip views of tiny:network, penultimate" in told
    recipe = json.loads(penult("info", tmp_path / "f.skops", "--json").out)["recipe"]
    assert recipe == json.loads(load(rows).recipe.to_json())


@pytest.mark.parametrize(
    "options",
    [
        "-m toy:mean-colour -m tiny:network --views flip",
        "-m toy:mean-colour -m tiny:network --no-join",
        "-m toy:mean-colour --layer pixels --layer penultimate --join",
        "-m toy:mean-colour --layer pixels --layer penultimate --pooling none --join",
        "-m margins:mean-colour --views ten-crop --normalize l2",
        "-m toy:mean-colour -m tiny:network --layer penultimate --layer logits",
    ],
)
def test_what_info_says_makes_the_same_file_again(
    penult, photos, toy, tiny, margins, tmp_path, monkeypatch, options
):
    monkeypatch.chdir(tmp_path)
    assert penult("extract", photos, "-o", "f.h5", "-q", *options.split()).code == 0
    before = load("f.h5")
    (command,) = again(penult("info", "f.h5").out)
    assert penult(*command, "--overwrite", "-q").code == 0
    after = load("f.h5")
    assert (after.recipe, after.layers, after.ids) == (before.recipe, before.layers, before.ids)
    np.testing.assert_allclose(after.features[:], before.features[:], atol=1e-6)


@pytest.mark.usefixtures("without_looks")
def test_a_report_of_several_networks_says_how_it_was_made(penult, photos, toy, tiny, tmp_path):
    done = penult(
        "report", photos, "-o", tmp_path / "r", "-m", toy, "-m", tiny, "--views", "flip", "-q",
        "--no-curve", "--no-label-errors",
    )  # fmt: skip
    assert done.code == 0, done
    features = load(tmp_path / "r" / "features.h5")
    assert features.name == "joined"
    page = (tmp_path / "r" / "index.html").read_text("utf-8")
    assert f"--model {toy} --model {tiny} --views flip" in page
    assert '<th scope="row">Backbone</th><td>toy:mean-colour</td><td>tiny:network</td>' in page
    assert '<th scope="row">Layer</th><td colspan="2">penultimate</td>' in page
    assert "flip views of tiny:network, penultimate" in page


def test_all_networks_are_named_whose_rows_a_file_has(penult, photos, toy, tiny, tmp_path):
    done = penult("extract", photos, "-o", tmp_path / "f.h5", "-m", toy, "-m", tiny, "--no-join")
    names = "mean-colour/penultimate, network/penultimate"
    assert f"from toy:mean-colour + tiny:network ({names})" in " ".join(done.out.split())


@pytest.mark.usefixtures("without_looks")
def test_networks_that_are_not_joined_are_compared_in_a_report(penult, photos, toy, tiny, tmp_path):
    done = penult(
        "report", photos, "-o", tmp_path / "r", "-m", toy, "-m", tiny, "--no-join", "-q",
        "--no-curve", "--no-label-errors",
    )  # fmt: skip
    assert done.code == 0, done
    page = (tmp_path / "r" / "index.html").read_text("utf-8")
    assert f"--model {toy} --model {tiny} --no-join" in page
    assert "mean-colour/penultimate" in done.out
    assert "network/penultimate" in done.out


def test_rows_say_themselves_which_views_they_are_of(penult, rows, tmp_path):
    done = penult("report", rows, "-o", tmp_path / "r", "--views", "flip")
    assert done.code == 2
    assert "--model, --views, --join" in done.err


def test_weights_that_moved_are_given_once_for_each(penult, photos, tiny, twin, tmp_path):
    from penult import train
    from penult.extraction import extract
    from penult.recipe import JoinedRecipe
    from penult.records import Features

    files, alone = [], []
    for factor, model in enumerate((tiny, twin), 1):
        files.append(tmp_path / f"{factor}.pth")
        torch.save({k: factor * v for k, v in _build_tiny().state_dict().items()}, files[-1])
        alone.append(extract(photos, model=model, weights=files[-1]))
    recipe = JoinedRecipe(tuple(one.recipe for one in alone))
    features = Features(
        features=recipe.join([one.features[:] for one in alone]),
        ids=alone[0].ids,
        labels=alone[0].labels,
        label_names=alone[0].label_names,
        recipe=recipe,
    )
    train(features, grid={"C": [1]}).save(tmp_path / "f.skops")
    before = penult("predict", tmp_path / "f.skops", photos, "-q").out
    places = [file.rename(file.with_suffix(".pt")) for file in files]
    gone = penult("predict", tmp_path / "f.skops", photos, "-q")
    assert gone.code == 1
    assert "1.pth, which is not there; give --weights PATH" in gone.err
    given = [word for place in places[::-1] for word in ("--weights", place)]
    assert penult("predict", tmp_path / "f.skops", photos, "-q", *given).out == before
    for command in ("evaluate", "export"):
        more = [photos] if command == "evaluate" else ["-o", tmp_path / "f.onnx"]
        assert penult(command, tmp_path / "f.skops", *more, "-q", *given).code == 0
