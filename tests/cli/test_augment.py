"""``penult extract --augment``: what it says, and what it refuses."""

from __future__ import annotations

import json
import re
import shlex

import pytest

from penult import load

pytestmark = pytest.mark.light


def test_what_was_made_is_said_and_how_it_is_made_again(penult, photos, toy, monkeypatch):
    monkeypatch.chdir(photos.parent)
    options = ["--augment-to", "14", "--augment-policy", "strong", "--seed", "3"]
    dry = penult("extract", photos.name, "-o", "f.h5", "-m", toy, *options, "--dry-run")
    assert "and beside them, 6 rows of augmented views, to train with" in dry.out
    made = penult("extract", photos.name, "-o", "f.h5", "-m", toy, *options)
    line = "beside them, 6 rows of augmented views (strong, seed 3), to train with"
    assert line in made.out
    told = penult("info", "f.h5").out
    assert line in told
    (again,) = re.findall("made again by: penult (.*)", told)
    assert again.endswith("--augment-to 14 --augment-policy strong --seed 3")
    kept = penult(*shlex.split(again), "--update")
    assert (
        "0 of 42 images and augmented views computed now; the bytes of 42 had rows before"
        in kept.out
    )
    found = json.loads(penult("info", "f.h5", "--json").out)
    assert (found["augmented"], found["augmentation"]) == (6, {"policy": "strong", "seed": 3})
    checked = penult("verify", "f.h5")
    assert "36 of 36 rows and 6 of 6 augmented rows compared" in checked.out
    as_json = penult(*shlex.split(again), "--update", "--json").out
    assert json.loads(as_json)["augmented"] == 6


def test_a_number_of_views_is_made_again_by_itself(penult, photos, toy, monkeypatch):
    monkeypatch.chdir(photos.parent)
    assert penult("extract", photos.name, "-o", "f.h5", "-m", toy, "--augment", "2").code == 0
    (again,) = re.findall("made again by: penult (.*)", penult("info", "f.h5").out)
    assert again.endswith(f"--model {toy} --augment 2")
    assert len(load("f.h5").augmented) == 72


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--augment", "4", "--augment-to", "80"], "--augment 4 and --augment-to 80 exclude"),
        (["--seed", "1"], "no photo is augmented; give --augment 4 or --augment-to 80 as well"),
        (["--augment", "-1"], "--augment"),
        (["--augment", "1", "--augment-policy", "stron"], "strong"),
    ],
)
def test_what_cannot_be_is_one_line(penult, photos, toy, tmp_path, options, message):
    done = penult("extract", photos, "-o", tmp_path / "f.h5", "-m", toy, *options)
    assert done.code == 2
    assert message in done.err
    assert not (tmp_path / "f.h5").exists()
