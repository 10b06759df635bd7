"""`penult train`: what its options do, what it prints, and which files it writes."""

from __future__ import annotations

import csv
import json
import re
import warnings
from dataclasses import replace
from functools import partial

import h5py
import numpy as np
import pytest
from PIL import Image

from penult.classify import edges
from penult.classify.kinds import logistic
from penult.classify.linear import logistic_path
from penult.classify.linear.logistic import fit_path
from penult.classify.loading import load_classifier
from penult.classify.metrics.scores import scores_to_dict
from penult.classify.training.train import train
from penult.errors import OutputError
from penult.features.read import load
from penult.recipe import AugmentedRecipe
from penult.records import AugmentedRows


@pytest.fixture
def layers(penult, photos, toy, tmp_path):
    """A feature file of three layers, the first of which is noise."""
    path = tmp_path / "layers.h5"
    made = penult("extract", photos, "-o", path, "-m", toy, "-l", "pixels", "-l", "mean", "-l", "logits", "-q")  # fmt: skip
    assert made.code == 0, made
    with h5py.File(path, "r+") as file:
        rows = file["layers/pixels"]
        rows[:] = np.random.default_rng(0).normal(size=rows.shape)
    return path


def test_every_layer_has_a_row_and_the_best_is_saved(penult, layers, photos, tmp_path):
    out, folder = tmp_path / "best.skops", tmp_path / "results"
    done = penult("train", layers, "-o", out, "--layer", "all", "--results", folder)
    assert done.code == 0, done
    assert re.search(r"layer +numbers +cross-validated +held out", done.out)
    assert re.search(r"\n *pixels +3 +\d", done.out)
    assert re.search(r"\n *mean ◀ +3 +100% +100% +66\.4% to 100%", done.out)
    assert "layer mean: the best of 3 by cross-validation" in done.out
    assert "57 of 57 fits" in done.err  # 3 layers, 6 values of C, 3 folds, 1 last fit
    with Image.open(folder / "layers.png") as chart:
        assert chart.width > 600
    assert load_classifier(out).recipe.layer == "mean"
    assert re.search(r"\n *mean ◀ +3 +100%", penult("info", out).out)
    said = penult("predict", out, photos / "rose", "--json", "-q")
    assert {json.loads(line)["label"] for line in said.out.splitlines()} == {"rose"}


def test_one_layer_of_several_is_trained_as_a_file_of_its_own(penult, layers, tmp_path):
    out = tmp_path / "c.skops"
    done = penult("train", layers, "-o", out, "--layer", "logits", "--json", "-q")
    told = json.loads(done.out)
    assert told["layer"] == "logits"
    assert "layers" not in told["settings"]
    assert load_classifier(out).pipeline.n_features_in_ == 2


def test_a_layer_that_was_not_compared_is_named_among_those_of_the_file(
    penult, layers, photos, tmp_path
):
    said = "layer logits, the last of 3; --layer all tries all"
    assert said in penult("train", layers, "-o", tmp_path / "c.skops", "-q").out
    assert said in penult("info", tmp_path / "c.skops").out
    table = tmp_path / "p.csv"
    done = penult("predict", tmp_path / "c.skops", photos, "-o", table, "-q")
    assert f"{table}: 36 predictions, from layer logits\n" in done.out
    done = penult("train", layers, "-o", tmp_path / "d.skops", "-l", "mean", "-q")
    assert "layer mean, one of 3; --layer all tries all" in done.out


def test_info_tells_the_recipe_of_each_layer(penult, layers):
    said = penult("info", layers).out
    assert re.search(r"layer +pooling +row\n.*\n *pixels +avg +3\n *mean +none +3\n *logits +none +2\n", said)  # fmt: skip
    assert "below, the last, logits:" in said
    told = json.loads(penult("info", layers, "--json").out)
    assert [recipe["layer"] for recipe in told["recipes"]] == told["layers"]
    assert (told["recipes"][-1], told["shapes"][0]) == (told["recipe"], [36, 3])


def test_rows_of_several_layers_suggest_to_train_on_all(penult, photos, toy, tmp_path):
    call = ("extract", photos, "-m", toy, "-o")
    done = penult(*call, tmp_path / "two.h5", "-l", "mean", "-l", "logits")
    assert done.err.splitlines()[-1].endswith("two.skops --layer all")
    assert penult(*call, tmp_path / "one.h5").err.splitlines()[-1].endswith("one.skops")


def test_layers_that_tie_are_named_and_the_first_is_taken(penult, photos, toy, tmp_path):
    path = tmp_path / "tied.h5"
    penult("extract", photos, "-o", path, "-m", toy, "-l", "mean", "-l", "penultimate", "-q")
    done = penult("train", path, "-o", tmp_path / "c.skops", "-l", "all", "-q")
    assert "2 by cross-validation, tied with penultimate; taken because it comes first" in done.out


def test_the_accuracies_of_layers_are_in_the_json(penult, layers, tmp_path):
    done = penult("train", layers, "-o", tmp_path / "c.skops", "-l", "pixels", "-l", "m*", "--json", "-q")  # fmt: skip
    told = json.loads(done.out)
    assert [row["layer"] for row in told["settings"]["layers"]] == ["pixels", "mean"]
    assert told["layer"] == "mean"


def test_a_layer_that_is_not_there_is_refused(penult, layers, tmp_path):
    done = penult("train", layers, "-o", tmp_path / "c.skops", "--layer", "logit")
    assert (done.code, "did you mean logits" in done.err) == (2, True)
    assert not (tmp_path / "c.skops").exists()


def test_results_are_the_scores_and_a_figure(penult, layers, tmp_path):
    out, folder = tmp_path / "c.skops", tmp_path / "deep" / "results"
    done = penult("train", layers, "-o", out, "--results", folder, "-q")
    names = ["scores.json", "confusion_matrix.png", "held_out.csv"]
    assert done.out.endswith("".join(f"{folder / name}\n" for name in names))
    assert {p.name for p in folder.iterdir()} == set(names)
    stored = json.loads(json.dumps(scores_to_dict(load_classifier(out).scores)))
    assert json.loads((folder / "scores.json").read_text()) == stored
    counts = (folder / "confusion_matrix.png").read_bytes()
    again = penult("train", layers, "-o", tmp_path / "d.skops", "--results", folder, "-q")
    assert again.code == 2
    assert "--overwrite" in again.err
    assert not (tmp_path / "d.skops").exists()
    again = penult(
        "train", layers, "-o", out, "--results", folder, "--confusion", "normalized",
        "--overwrite", "--json", "-q",
    )  # fmt: skip
    assert again.code == 0
    assert json.loads(again.out)["results"][1] == str(folder / "confusion_matrix.png")
    assert (folder / "confusion_matrix.png").read_bytes() != counts


def test_the_images_held_out_in_each_run_are_listed_with_what_was_said_of_them(
    penult, layers, tmp_path
):
    out, folder = tmp_path / "c.skops", tmp_path / "results"
    call = ("train", layers, "-o", out, "--results", folder, "--runs", 2, "--layer", "all", "-q")
    assert penult(*call).code == 0
    rows = list(csv.DictReader((folder / "held_out.csv").read_text().splitlines()))
    classifier = load_classifier(out)
    first = [row for row in rows if row["run"] == "1"]
    assert [row["id"] for row in first] == list(classifier.held_out.ids)
    assert [row["predicted"] for row in first] == list(classifier.held_out.predicted)
    second = [row for row in rows if row["run"] == "2"]
    right = sum(row["label"] == row["predicted"] for row in second) / len(second)
    assert right == classifier.settings.runs.accuracies[1]


def test_values_that_were_not_tried_are_named(penult, layers, tmp_path, monkeypatch):
    monkeypatch.setattr(logistic, "EARLY_STOP_ROWS", 10)
    monkeypatch.setattr(logistic, "_has_passed_best", lambda images, scores: len(scores) == 4)
    out = tmp_path / "c.skops"
    done = penult("train", layers, "-o", out, "-q")
    said = (
        "the best of 4 by 3-fold cross-validation on 27 images; C=1000 and C=10000 not tried, for "
        "scores had clearly passed their best"
    )
    assert said in " ".join(done.out.split())
    assert load_classifier(out).settings.not_tried == ({"C": 1000.0}, {"C": 10000.0})
    assert "not tried" in penult("info", out).out


def test_a_solver_that_has_not_converged_is_one_line(penult, layers, tmp_path, monkeypatch):
    monkeypatch.setattr(logistic_path, "fit_path", partial(fit_path, max_steps=1))
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        done = penult("train", layers, "-o", tmp_path / "c.skops", "--refit", "-q")
    assert done.code == 0
    assert done.err.count("penult: warning: logistic regression has not converged at C=0.1, 1") == 1


def test_refit_says_what_was_seen_when(penult, layers, tmp_path):
    out = tmp_path / "c.skops"
    done = penult("train", layers, "-o", out, "--refit", "-q")
    assert "cross-validation on 27 images, then fitted again on 36" in done.out
    assert load_classifier(out).settings.train_images == 36


def test_the_splits_of_a_file_can_be_ignored(penult, layers, tmp_path):
    with h5py.File(layers, "r+") as file:
        parts = np.array(["train", "test"] * 18, dtype=object)
        file.create_dataset("splits", data=parts, dtype=h5py.string_dtype())
    stored = penult("train", layers, "-o", tmp_path / "c.skops", "-q")
    assert "the file's split 'test'" in stored.out
    ignored = penult("train", layers, "-o", tmp_path / "d.skops", "--ignore-splits", "-q")
    assert "25% held out, stratified, seed 0" in ignored.out


@pytest.mark.parametrize("size", ["4 GB", "0.5g", "300MB", "2000000k"])
def test_sizes_of_memory(penult, layers, tmp_path, size):
    done = penult("train", layers, "-o", tmp_path / "c.skops", "--max-memory", size, "-q")
    assert done.code == 0, done


@pytest.mark.parametrize("size", ["much", "4 GiBs", "-1GB", "GB"])
def test_what_is_no_size_is_refused(penult, layers, tmp_path, size):
    done = penult("train", layers, "-o", tmp_path / "c.skops", f"--max-memory={size}", "-q")
    assert (done.code, "for example --max-memory 4GB" in done.err) == (2, True)


@pytest.fixture
def several(penult, photos, toy, tmp_path):
    """Rows of two layers; every image is also of a label that it shares with half of the others."""
    table = tmp_path / "labels.csv"
    lines = ["path,label"]
    for number, photo in enumerate(sorted(photos.rglob("*.jpg"))):
        also = "|even" if number % 2 == 0 else ""
        lines.append(f"{photo.relative_to(photos).as_posix()},{photo.parent.name}{also}")
    table.write_text("\n".join(lines) + "\n")
    path = tmp_path / "several.h5"
    made = penult("extract", photos, "-o", path, "-m", toy, "--labels", table, "-l", "mean", "-l", "logits", "-q")  # fmt: skip
    assert made.code == 0, made
    return path


def test_images_of_several_labels_are_told_by_their_own_scores(penult, several, tmp_path):
    folder = tmp_path / "results"
    done = penult("train", several, "-o", tmp_path / "c.skops", "--results", folder, "-q")
    assert done.code == 0, done
    assert re.search(r"mean average precision +\d\.\d{3}", done.out)
    assert re.search(r"micro precision, recall, F1", done.out)
    assert re.search(r"class +precision +recall +F1 +AP +support", done.out)
    assert re.search(r"even( +\d\.\d{3}){4} +\d+", done.out)
    assert re.search(r"every label right \d+\.\d% on \d+ images", done.out)
    assert {p.name for p in folder.iterdir()} == {"scores.json", "held_out.csv"}
    assert json.loads((folder / "scores.json").read_text())["mean_average_precision"] > 0.5


def test_layers_of_several_labels_are_compared_by_mean_average_precision(penult, several, tmp_path):
    done = penult("train", several, "-o", tmp_path / "c.skops", "-l", "all", "--json", "-q")
    told = json.loads(done.out)
    chosen = next(r for r in told["settings"]["layers"] if r["layer"] == told["layer"])
    assert chosen["accuracy"] == told["scores"]["mean_average_precision"]
    assert "cross-validated" in penult("train", several, "-o", tmp_path / "d.skops", "-l", "all", "-q").out  # fmt: skip


@pytest.mark.usefixtures("without_looks")
def test_the_report_on_images_of_several_labels_shows_what_it_can(penult, several, tmp_path):
    folder = tmp_path / "report"
    done = penult("report", several, "-o", folder, "-q")
    assert done.code == 0, done
    page = (folder / "index.html").read_text()
    shown = re.findall(r'<section id="(\w+)"', page)
    assert {"classes", "scores", "layers", "mistakes", "making"} <= set(shown)
    assert not {"confusion", "pairs"} & set(shown)
    assert "mean average precision" in page
    assert "Micro F1" in page
    assert ">AP</abbr>" in page
    assert "have several labels; this needs one an image" in page
    assert "<dd>36</dd>" in page  # images, and not their labels


def test_a_value_at_the_edge_of_its_grid_and_copies_are_told(
    penult, layers, photos, tmp_path, monkeypatch
):
    with h5py.File(layers, "r+") as file:
        file["content"][1] = file["content"][0]
    command = ("train", layers, "-o", tmp_path / "c.skops", "--grid", "C=1000,10000", "-q")
    # Both are right throughout, and the default grid goes no further.
    assert "goes further" not in penult(*command).out
    monkeypatch.setattr(edges, "accuracy_margin", lambda *_: -1)
    done = penult(*command, "--overwrite")
    assert "C is the largest of those tried; --grid C=10000,100000 goes further" in done.out
    assert "identical to another image, and kept in the same part: 1" in done.out


def test_held_out_photos_that_are_marked_are_said_and_do_not_contradict(penult, make_features):
    from penult.cli.tables import likeness_line, marked_line
    from penult.likeness import Likeness

    one = Likeness(threshold=0.5, neighbours=5, kept=75, calibrated=75, held_out_share=0.04)
    assert marked_line(one, 25) is None
    assert likeness_line(one, 25).endswith(
        "that is meant to mark 1% of new photos of its classes by mistake, and marks 1 of 25 "
        "held-out photos"
    )
    high = replace(one, held_out_share=0.08)
    assert marked_line(high, 25).startswith("2 of 25 held-out photos are marked as unlike, more")
    assert "is meant to mark" not in likeness_line(high, 25)
    lowered = replace(one, lowered_from=0.6)
    assert "lowered from 0.600: now 1 of 25" in likeness_line(lowered, 25)


def test_stray_training_photos_are_named_with_the_rule_that_found_them():
    from penult.cli.tables import strays_line
    from penult.likeness import Likeness

    one = Likeness(threshold=0.5, neighbours=5, kept=40, calibrated=64, strays=("rose/screen.png",))
    assert strays_line(one) == (
        "1 of 64 training photos is unlike the others (cosine to the 5th nearest, of any class, "
        "below 0.500): rose/screen.png; look at it, proper ones may stay"
    )
    assert "below 0.600)" in strays_line(replace(one, lowered_from=0.6))
    assert strays_line(replace(one, strays=())) is None


@pytest.fixture
def rows(penult, photos, toy, tmp_path):
    assert penult("extract", photos, "-o", tmp_path / "rows.h5", "-m", toy, "-q").code == 0
    return tmp_path / "rows.h5"


def test_what_rows_are_reduced_to_is_said_and_typed_again(penult, rows, tmp_path):
    out, options = tmp_path / "c.skops", ("--reduce", "2", "--class-weight", "balanced")
    done = penult("train", rows, "-o", out, *options)
    assert done.code == 0, done
    line = r"\nrows reduced to 2 principal components, which have [\d.]+% of the variance of the ro"
    said = penult("info", out).out
    for text in (done.out, said):
        assert re.search(line, text)
        assert re.search(r"\nlogistic, C=\d+, balanced classes: the best of 6 by 3-fold", text)
    assert re.search(r"made again by: penult train .* --reduce 2 --class-weight balanced\n", said)
    told = json.loads(penult("info", out, "--json").out)["settings"]
    assert (told["reduce"], told["class_weight"]) == (2, "balanced")
    assert 0.5 < told["explained_variance_ratio"] < 1


def test_what_cannot_be_reduced_or_weighed_is_one_line(penult, rows, tmp_path):
    out = tmp_path / "c.skops"
    done = penult("train", rows, "-o", out, "--reduce", "4")
    assert (done.code, "which allow 3; give --reduce 3 or less" in done.err) == (2, True)
    done = penult("train", rows, "-o", out, "--classifier", "knn", "--class-weight", "balanced")
    assert (done.code, "or leave out --class-weight balanced" in done.err) == (2, True)
    assert not out.exists()


@pytest.mark.usefixtures("without_looks")
def test_a_report_says_how_rows_were_reduced(penult, rows, tmp_path):
    done = penult("report", rows, "-o", tmp_path / "r", "--reduce", "2", "--class-weight", "balanced", "-q")  # fmt: skip
    assert done.code == 0, done
    page = (tmp_path / "r" / "index.html").read_text("utf-8")
    assert re.search(r">Reduced to</th><td>2 principal components, which have [\d.]+% of the", page)
    assert re.search(r">Class weight</th><td>balanced<", page)
    assert "--reduce 2 --class-weight balanced" in page


@pytest.mark.parametrize(
    ("refit", "line"),
    [
        (False, "cross-validation on 27 images and 54 augmented views of them"),
        (True, "on 27 images, then fitted again on 36 images and 72 augmented views of them"),
    ],
)
def test_augmented_views_are_counted(penult, rows, tmp_path, refit, line):
    features = load(rows)
    of = np.repeat(np.arange(36), 2)
    views = AugmentedRows(
        features=features.features[:][of],
        of=of,
        view=np.tile([1, 2], 36),
        recipe=AugmentedRecipe(features.recipe, "light", 0),
    )
    train(replace(features, augmented=views), refit=refit).save(tmp_path / "c.skops")
    assert line in penult("info", tmp_path / "c.skops").out
    settings = json.loads(penult("info", tmp_path / "c.skops", "--json").out)["settings"]
    assert settings["augmented"] == (72 if refit else 54)


@pytest.mark.parametrize("as_json", [False, True])
def test_results_that_a_full_disk_does_not_take_cost_neither_the_classifier_nor_its_scores(
    penult, photos, toy, extracted, tmp_path, monkeypatch, as_json
):
    def full(*_, **__):
        raise OutputError("results/scores.json cannot be written: no space left on device")

    extracted(photos, tmp_path / "f.h5", toy)
    monkeypatch.setattr("penult.reporting.results.write_results", full)
    y, results = tmp_path / "y.skops", tmp_path / "results"
    done = penult("train", tmp_path / "f.h5", "-o", y, "--results", results, *["--json"] * as_json)
    assert done.code == 1
    assert done.err.splitlines()[-1] == (
        f"penult: results/scores.json cannot be written: no space left on device; {y} is written"
    )
    if as_json:
        assert json.loads(done.out)["scores"]["accuracy"] == pytest.approx(
            load_classifier(y).scores.accuracy
        )
    else:
        assert "accuracy" in done.out
        assert "next:" not in done.err
