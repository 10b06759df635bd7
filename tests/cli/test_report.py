"""`penult report`: which files it writes, of images and of a feature file, and what can be left out."""

from __future__ import annotations

import csv
import html
import json
import re
import shlex
import shutil
from urllib.parse import unquote

import pytest

import penult
from penult.classify.loading import load_classifier
from penult.errors import UsageError

FILES = ["classifier.skops", "confusion_matrix.png", "held_out.csv", "index.html", "label_errors.csv", "scores.json"]  # fmt: skip


LOOKS = "test_of_images_the_page_and_all_that_it_rests_on"


@pytest.fixture(autouse=True)
def _without_looks(request):
    """Made in one test, left out in the others."""
    if request.node.originalname != LOOKS:
        request.getfixturevalue("without_looks")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def sections(folder):
    return re.findall(r'<section id="(\w+)"', (folder / "index.html").read_text())


@pytest.fixture
def layers(penult, photos, toy, tmp_path):
    path = tmp_path / "layers.h5"
    made = penult("extract", photos, "-o", path, "-m", toy, "-l", "mean", "-l", "logits", "-q")
    assert made.code == 0, made
    return path


@pytest.mark.light
def test_of_images_the_page_and_all_that_it_rests_on(penult, photos, toy, tmp_path):
    folder = tmp_path / "my repört"
    done = penult("report", photos, "-o", folder, "--model", toy)
    accuracy, few, _grid, more, clusters, unusual, copies, page = done.out.splitlines()[-8:]
    assert accuracy.startswith("accuracy 100% on 9 images (25% held out, stratified, seed 0)")
    assert few == "9 images are few: the true accuracy may be anywhere between 66.4% and 100%"
    assert "95% interval: 66.4% to 100%" in (folder / "index.html").read_text()
    assert more == "Whether more photos would help cannot be told from 9 held-out images."
    assert re.match(r"\d+ clusters of 36 rows by k-means", clusters)
    assert unusual.endswith("unusual") or " unusual: " in unusual
    assert copies.endswith(" of duplicates")
    assert page == str(folder / "index.html")
    address = re.fullmatch("next: open file://([!-~]*) in a browser", done.err.splitlines()[-1])[1]
    assert unquote(address) == page
    assert names(folder) == sorted([*FILES, "features.h5"])
    shown = sections(folder)
    assert {"scores", "confusion", "curve", "retrieval", "map", "clusters", "outliers"} <= set(
        shown
    )
    assert not {"layers", "labels", "failures"} & set(shown)  # of which there is nothing to show
    for step in ("extract: 36 of 36 images", "train: 19 of 19 fits", "label errors: 5 of 5 fits"):
        assert step in done.err
    assert re.search(r"learning curve: (\d+) of \1 fits", done.err)
    again = penult("report", photos, "-o", folder, "--model", toy, "-q")
    assert again.code == 2
    assert "--overwrite" in again.err


def test_what_takes_time_can_be_left_out(penult, photos, toy, tmp_path):
    folder = tmp_path / "report"
    less = ["--no-label-errors", "--no-curve", "--no-retrieval", "--no-duplicates"]
    less += ["--no-map", "--no-clusters", "--no-outliers", "--no-class-maps"]
    done = penult("report", photos, "-o", folder, "-m", toy, *less)
    assert done.code == 0
    looked = {"labels", "curve", "retrieval", "duplicates", "map", "clusters", "outliers"}
    assert not looked & set(sections(folder))
    assert "label_errors.csv" not in names(folder)
    assert "label errors" not in done.err


def test_a_report_that_came_to_nothing_is_tried_again_without_overwrite(
    penult, photos, toy, tmp_path
):
    folder = tmp_path / "report"
    shutil.copytree(photos / "rose", tmp_path / "few" / "rose")
    (tmp_path / "few" / "tulip").mkdir()
    shutil.copy(photos / "tulip" / "tulip_01.jpg", tmp_path / "few" / "tulip")
    too_few = penult("report", tmp_path / "few", "-o", folder, "--model", toy, "-q")
    assert (too_few.code, names(folder)) == (1, ["report.parts"])
    done = penult("report", photos, "-o", folder, "--model", toy, "-q")
    assert done.code == 0, done.err
    assert names(folder) == sorted([*FILES, "features.h5"])
    refused = penult("report", photos, "-o", folder, "--model", toy, "-q")
    assert (refused.code, "give --overwrite" in refused.err) == (2, True)


def test_the_options_of_train_are_taken_shown_and_to_be_typed_again(
    penult, photos, toy, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (photos / "weed").mkdir()
    (photos / "weed" / "1.jpg").write_bytes(next(photos.glob("rose/*.jpg")).read_bytes() + b"x")
    folder = tmp_path / "report"
    asked = [
        "report",
        photos,
        "-o",
        folder,
        "-m",
        toy,
        "-l",
        "mean",
        "--no-label-errors",
        "--no-curve",
    ]
    failed = penult(*asked)
    assert failed.code == 1
    assert "--min-per-class" in failed.err
    options = ["--min-per-class", 2, "--runs", 2, "--test-size", 0.5, "--grid", "C=1,10", "--refit"]
    done = penult(*asked, *options)
    assert done.code == 0, done.err
    assert "2 runs, seeds 0 to 1: accuracy" in done.out
    assert re.search(r"logistic, C=\d+: the best of 2 by 3-fold cross-validation", done.out)
    assert re.search("C is the .* of those tried; --grid C=", done.out)  # the page says it, too
    page = " ".join((folder / "index.html").read_text().split())
    assert re.search(r"over 2 runs, each with another part held out: [\d.]+% ± [\d.]+ \(mean", page)
    assert re.search(r"<dt>classes</dt><dd>3</dd>", page)
    # Whether to act is said: a wider grid is to be typed, or promises nothing.
    assert re.search("C is the .* tried.*(--grid C=.* goes further|a wider grid promises no)", page)
    (typed,) = re.findall(r"penult (train [^<]*?) penult predict", page)
    trained = load_classifier(folder / "classifier.skops")
    again = penult(*typed.replace("features.h5", str(folder / "features.h5")).split(), "-q")
    assert again.code == 0, again.err
    assert load_classifier("classifier.skops").scores == trained.scores
    (said,) = re.findall("made again by: penult (.*)", penult("info", "classifier.skops").out)
    assert said == typed.replace("--seed 0", "--seed 0 --layer mean")


def test_what_training_cannot_take_is_refused_before_anything_is_extracted(
    penult, photos, toy, tmp_path
):
    folder = tmp_path / "report"
    for wrong in (["--classifier", "knnn"], ["--test-size", "2"], ["--near-duplicates", "3"], ["--grid", "D=1"]):  # fmt: skip
        assert penult("report", photos, "-o", folder, "-m", toy, *wrong).code == 2
        assert not folder.exists()


@pytest.mark.parametrize("there", [True, False])
def test_open_shows_the_page_or_says_where_it_is(
    penult, layers, tmp_path, monkeypatch, caplog, there
):
    folder, opened = tmp_path / "my report", []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or there)
    done = penult("report", layers, "-o", folder, "-l", "mean", "--no-label-errors", "--no-curve", "--open")  # fmt: skip
    assert opened == [(folder / "index.html").as_uri()]
    assert "my%20report" in opened[0]
    assert ("no browser was found here; open file://" in caplog.text) is not there
    assert "next:" not in done.err


def test_of_several_layers_all_are_shown_and_the_best_is_kept(penult, photos, toy, tmp_path):
    folder = tmp_path / "report"
    done = penult("report", photos, "-o", folder, "-m", toy, "-l", "mean", "-l", "logits", "--json", "-q")  # fmt: skip
    assert json.loads(done.out)["layer"] == "mean"
    assert load_classifier(folder / "classifier.skops").recipe.layer == "mean"
    assert "layers" in sections(folder)
    page = (folder / "index.html").read_text()
    assert "--layer mean --layer logits" in page
    assert "--seed 0 --layer all" in page


@pytest.mark.light
def test_of_a_feature_file_nothing_is_extracted(penult, layers, photos, tmp_path):
    folder = tmp_path / "report"
    done = penult("report", layers, "-o", folder)
    assert done.code == 0, done
    assert "extract" not in done.err
    assert names(folder) == sorted([*FILES, "layers.png"])
    page = (folder / "index.html").read_text()
    assert "data:image/webp" in page
    assert "penult extract" not in page
    assert re.search(r"layer +numbers", done.out)
    one = tmp_path / "one"
    assert penult("report", layers, "-o", one, "-l", "logits", "--classifier", "centroid", "-q").code == 0  # fmt: skip
    assert load_classifier(one / "classifier.skops").recipe.layer == "logits"
    assert load_classifier(one / "classifier.skops").settings.classifier == "centroid"
    assert "--layer logits --classifier centroid" in (one / "index.html").read_text()


def test_photos_that_have_moved_cost_the_pictures_and_not_the_page(
    penult, layers, photos, tmp_path
):
    photos.rename(tmp_path / "elsewhere")
    folder = tmp_path / "report"
    assert penult("report", layers, "-o", folder, "-q").code == 0
    assert "data:image/webp" not in (folder / "index.html").read_text()


def test_images_too_few_for_a_section_leave_a_line_in_its_place(penult, photos, toy, tmp_path):
    for photo in photos.rglob("*_0[5-9].jpg"):
        photo.unlink()
    for photo in photos.rglob("*_1*.jpg"):
        photo.unlink()
    folder = tmp_path / "report"
    done = penult("report", photos, "-o", folder, "-m", toy, "-q")
    assert done.code == 0, done
    page = (folder / "index.html").read_text()
    assert "Labels that look wrong were not looked for: fewer than two classes have 5" in page


def test_options_of_the_extraction_do_not_go_with_a_feature_file(penult, layers, toy, tmp_path):
    done = penult("report", layers, "-o", tmp_path / "report", "--model", toy)
    assert (done.code, "says itself how" in done.err) == (2, True)
    assert not (tmp_path / "report").exists()


def test_pictures_that_are_not_those_of_the_rows_stay_out_of_the_page(
    penult, layers, photos, tmp_path
):
    # A stranger's file names a folder and files in it, but cannot know their digests.
    for photo in photos.rglob("*.jpg"):
        photo.write_bytes(photo.read_bytes() + b"another")
    assert penult("report", layers, "-o", tmp_path / "report", "-q").code == 0
    assert "data:image/webp" not in (tmp_path / "report" / "index.html").read_text()


@pytest.mark.parametrize(
    "options",
    [{"model": "resnet50"}, {"weights": "random"}, {"labels": "none"}, {"splits": "none"}],
    ids=lambda options: next(iter(options)),
)
def test_a_feature_file_says_itself_how_it_was_made_in_python_too(layers, tmp_path, options):
    with pytest.raises(UsageError, match="says itself how its rows and labels were made"):
        penult.report(layers, tmp_path / "report", **options)
    assert not (tmp_path / "report").exists()


def test_the_images_that_every_run_held_out_are_listed_as_train_lists_them(layers, tmp_path):
    options = {"runs": 2, "layer": "all"}
    penult.report(layers, tmp_path / "report", curve=False, label_errors=False, **options)
    penult.train(layers, results=tmp_path / "results", **options)
    table = (tmp_path / "report" / "held_out.csv").read_text()
    assert table == (tmp_path / "results" / "held_out.csv").read_text()
    assert {row["run"] for row in csv.DictReader(table.splitlines())} == {"1", "2"}


def test_what_to_type_again_trains_the_same_layer(penult, photos, toy, tmp_path):
    file = tmp_path / "rows.h5"
    named = ("-l", "penultimate", "-l", "logits")
    assert penult("extract", photos, "-o", file, "-m", toy, *named, "-q").code == 0
    for wanted, typed in (
        (["penultimate"], "--layer penultimate"),  # not the last, which is taken unasked
        (["logits"], "--layer logits"),
        (["penultimate", "logits"], "--layer all"),
    ):
        penult_options = [word for layer in wanted for word in ("--layer", layer)]
        model = tmp_path / "c.skops"
        assert penult("train", file, "-o", model, *penult_options, "--overwrite").code == 0
        (again,) = re.findall("made again by: (penult train .*)", penult("info", model).out)
        assert typed in again


def test_labels_that_may_be_wrong_are_named_in_the_terminal(penult, photos, toy, tmp_path):
    wrong = next((photos / "rose").iterdir())
    shutil.move(wrong, photos / "tulip" / "wrong.jpg")
    done = penult("report", photos, "-o", tmp_path / "r", "-m", toy, "--no-curve")
    line = "1 label may be wrong: tulip/wrong.jpg (tulip, perhaps rose); see the page, or "
    assert f"{line}{tmp_path / 'r' / 'label_errors.csv'}\n" in done.out
    told = penult("report", photos, "-o", tmp_path / "j", "-m", toy, "--no-curve", "--json")
    (issue,) = json.loads(told.out)["label_errors"]
    assert (issue["id"], issue["suggested"]) == ("tulip/wrong.jpg", "rose")


def commands(folder):
    """What a page says to type: to put labels right, and to get the same again."""
    page = (folder / "index.html").read_text()
    again = re.search("To get the same again:.*?<code>(.*?)</code>", page, re.S)[1].splitlines()
    found = re.findall('class="command">(.*?)</code>', re.sub("</?span.*?>", "", page)), again
    return ([shlex.split(html.unescape(one))[1:] for one in some] for some in found)


def test_the_commands_of_the_page_put_a_label_right_as_the_report_was_asked_for(
    penult, photos, toy, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    shutil.move(next((photos / "rose").iterdir()), photos / "tulip" / "wrong.jpg")
    folder = tmp_path / "my report"
    asked = ["report", photos.name, "-o", folder.name, "--model", toy, "--classifier", "centroid"]
    asked += ["--runs", "2", "--no-curve", "--no-retrieval"]
    assert penult(*asked, "-q").code == 0
    (apply, report), (again, *_) = commands(folder)
    assert again == [*asked, "--overwrite"]
    assert report == [*asked, "--labels", "corrected.csv", "--overwrite"]
    shutil.copy(folder / "label_errors.csv", "reviewed.csv")
    for _ in range(2):
        done = penult(*apply)
        assert shlex.split(done.err) == ["next:", "penult", *report]
        assert penult(*report, "-q").code == 0
        scores = json.loads((folder / "scores.json").read_text())
        assert scores["report"]["options"]["labels"] == "corrected.csv"
        assert sections(folder).count("labels") == 0
        apply.append("--overwrite")
    # From elsewhere it names what the rows are made of, with the same options.
    monkeypatch.chdir(folder)
    shutil.copy("label_errors.csv", "reviewed.csv")
    said = shlex.split(
        penult("labels", "apply", "../reviewed.csv", "features.h5", "-o", "c.csv").err
    )
    assert said[2:6] == ["report", str(photos), "-o", "."]
    assert said[-6:] == [*asked[-6:][1:], "--overwrite"]
    assert said[said.index("--labels") + 1] == "c.csv"


def test_of_a_feature_file_the_rows_get_the_labels_and_then_the_report(
    penult, photos, toy, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    shutil.move(next((photos / "rose").iterdir()), photos / "tulip" / "wrong.jpg")
    assert penult("extract", photos, "-o", "rows.h5", "-m", toy, "-q").code == 0
    asked = ["report", "rows.h5", "-o", "r", "--no-curve"]
    assert penult(*asked, "-q").code == 0
    (apply, extract, report), _ = commands(tmp_path / "r")
    assert report == [*asked, "--overwrite"]
    shutil.copy("r/label_errors.csv", "reviewed.csv")
    for typed in (apply, extract, report):
        done = penult(*typed, "-q")
        assert done.code == 0, done.err
    assert sections(tmp_path / "r").count("labels") == 0


def test_the_folder_of_the_photos_is_not_the_reports(penult, photos, toy):
    before = sorted(photos.rglob("*"))
    done = penult("report", photos, "-o", photos, "-m", toy)
    assert done.code == 2
    assert "is the folder of the photos; give the report another, for example --output" in done.err
    assert sorted(photos.rglob("*")) == before


def test_rows_of_an_earlier_report_that_stay_are_named(
    penult, layers, photos, toy, tmp_path, caplog
):
    quick = ("--no-label-errors", "--no-curve", "--classifier", "centroid", "-q")
    penult("report", photos, "-o", tmp_path / "r", "-m", toy, *quick)
    rows = tmp_path / "r" / "features.h5"
    again = penult("report", layers, "-o", tmp_path / "r", "--overwrite", *quick)
    assert again.code == 0
    assert (
        f"{rows} is of an earlier report and stays as it is; this one is of {layers}" in caplog.text
    )
    caplog.clear()
    own = penult("report", rows, "-o", tmp_path / "r", "--overwrite", *quick)
    assert (own.code, "earlier report" in caplog.text) == (0, False)
