"""The experiment that closes tutorials, at small size: five networks, three runs, five charts.

docs/compare.md has it as it is meant; here the networks are tiny and untrained, and the photos few.
"""

from __future__ import annotations

import csv
import json
import shutil
from math import isfinite
from statistics import fmean, stdev

import numpy as np
import pytest
from PIL import Image

import penult
from penult.records import ModelCost

pytestmark = pytest.mark.torch

NETWORKS = ("test_resnet", "test_vit", "test_efficientnet", "test_byobnet", "test_convnext")
COLOURS = {"red": (230, 40, 40), "blue": (40, 40, 230)}
PATTERNS = {"plain": 0, "noisy": 100}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Twenty photos, each with two labels: a colour and a pattern."""
    folder, chance = tmp_path_factory.mktemp("experiment"), np.random.default_rng(0)
    rows = [("path", "label")]
    for colour, rgb in COLOURS.items():
        for pattern, noise in PATTERNS.items():
            for k in range(5):
                pixels = np.array(rgb) + chance.integers(-noise - 9, noise + 9, (32, 32, 3))
                name = f"{colour}_{pattern}_{k}.png"
                Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name)
                rows.append((name, f"{colour}|{pattern}"))
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder


@pytest.fixture(scope="module")
def experiment(photos, tmp_path_factory):
    """The experiment, and its folder; costs are made up, for to measure them takes seconds each."""
    folder = tmp_path_factory.mktemp("made") / "experiment"
    sizes = iter(range(1, 100))

    def measure_cost(*_args, **_options):
        size = next(sizes)
        return ModelCost(
            parameters=size * 10**6, flops=size * 10**9, images_per_second=1000 / size,
            peak_memory=size * 10**8, engine="torch", device="cpu", processor="made up", threads=2,
        )  # fmt: skip

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("penult.comparison.rows.measure_cost", measure_cost)
        made = penult.compare(
            photos / "labels.csv", folder, model=[f"timm:{name}" for name in NETWORKS],
            weights="random", runs=3, min_per_class=5, folds=2, engine="torch", offline=True,
        )  # fmt: skip
    return made, folder


def test_five_networks_are_ranked_on_the_same_photos_in_three_runs(experiment):
    made, folder = experiment
    assert len(made.rows) == 5
    assert not made.skipped
    means = [row.scores["accuracy"].mean for row in made.rows]
    assert means == sorted(means, reverse=True)
    assert made.splits["runs"] == 3
    for row in made.rows:
        assert {len(one.runs) for one in row.scores.values()} == {3}
    with (folder / "splits.csv").open() as file:
        held_out = [row for row in csv.DictReader(file) if row["run_1"] == "test"]
    assert len(held_out) == made.splits["held_out"][0]


def test_each_number_of_the_tutorial_is_there_plain_and_modified(experiment):
    made, folder = experiment
    rows = json.loads((folder / "comparison.json").read_text())["rows"]
    for row in rows:
        for name in ("accuracy", "hit@1", "hit@5", "precision@5"):
            strict, modified = row[name], row["any_label"][name]
            assert strict["mean"] == pytest.approx(fmean(strict["runs"]))
            assert strict["std"] == pytest.approx(stdev(strict["runs"]))
            assert all(a <= b for a, b in zip(strict["runs"], modified["runs"], strict=True)), name
        assert isfinite(row["macro_f1"]["mean"])
        assert isfinite(row["soft_f1"]["mean"])
        assert {"parameters", "flops", "images_per_second"} <= row.keys()
    # Colours are told by any network: one of two labels is found where both may not be.
    assert any(row["any_label"]["hit@1"]["mean"] > row["hit@1"]["mean"] for row in rows)
    with (folder / "comparison.csv").open() as file:
        flat = list(csv.DictReader(file))
    assert float(flat[0]["any_label_hit@1"]) == rows[0]["any_label"]["hit@1"]["mean"]
    assert "one right label is enough" in str(made)


def test_five_charts_are_drawn_as_png_and_svg(experiment):
    _, folder = experiment
    for name in ("accuracy", "precision", "parameters", "flops", "speed"):
        for suffix in ("png", "svg"):
            assert (folder / "figures" / f"{name}.{suffix}").stat().st_size > 1000, name


def test_the_same_call_again_computes_nothing_and_gives_the_same(
    experiment, photos, tmp_path, monkeypatch
):
    made, folder = experiment
    # In a copy of it: other tests look at its figures, which are not drawn again here.
    folder = shutil.copytree(folder, tmp_path / "experiment")
    monkeypatch.setattr("penult.comparison.rows.measure_cost", _not_again)
    monkeypatch.setattr("penult.comparison.run.score_rows", _not_again)
    monkeypatch.setattr("penult.reporting.comparison_figures.comparison_figures", lambda _: {})
    again = penult.compare(
        photos / "labels.csv", folder, model=[f"timm:{name}" for name in NETWORKS],
        weights="random", engine="torch", offline=True,
    )  # fmt: skip
    assert again.to_dict() == made.to_dict()


def _not_again(*_args, **_options):
    raise AssertionError("it was computed again")
