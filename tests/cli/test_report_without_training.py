"""`penult report` of images without labels, and of a classifier that is given."""

from __future__ import annotations

import csv
import json
import re
import shutil

import numpy as np
import pytest

import penult as library
from penult.classify.evaluation.seen import is_seen
from penult.errors import UsageError

pytestmark = pytest.mark.light

COLLECTION = ["map", "clusters", "outliers", "duplicates", "making"]
NOTHING = dict.fromkeys(["map", "clusters", "outliers", "duplicates", "retrieval"], False)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def page_of(folder):
    return (folder / "index.html").read_text("utf-8")


def sections(folder):
    return re.findall(r'<section id="(\w+)"', page_of(folder))


def words_of(folder):
    html = re.sub(r"<(style|script).*?</\1>", " ", page_of(folder), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def map_data(folder):
    (text,) = re.findall(r'id="map-data">(.*?)</script>', page_of(folder), re.DOTALL)
    return json.loads(text)


@pytest.fixture
def flat(photos, tmp_path):
    """`flat/daisy_01.jpg` … `flat/tulip_12.jpg`: all photos in one folder."""
    (tmp_path / "flat").mkdir()
    for path in photos.rglob("*.jpg"):
        shutil.copy(path, tmp_path / "flat")
    return tmp_path / "flat"


@pytest.fixture
def classifier(photos, toy, tmp_path):
    """Trained on all photos but those of daisies."""
    for label in ("rose", "tulip"):
        shutil.copytree(photos / label, tmp_path / "two" / label)
    rows = library.extract(tmp_path / "two", model=toy)
    library.train(rows, tmp_path / "flowers.skops", folds=2)
    return tmp_path / "flowers.skops"


def test_of_photos_without_labels_the_page_shows_what_is_there_without(
    penult, flat, toy, tmp_path, caplog
):
    folder, photos = tmp_path / "r", sorted(path.name for path in flat.iterdir())
    (flat / "broken.jpg").write_bytes(b"")
    done = penult("report", flat, "-o", folder, "-m", toy, "-q")
    assert done.code == 0, done.err
    assert [one for one in caplog.messages if "label" in one] == [
        "penult: none of 36 images has a label, so no classifier was trained; a folder for each "
        "class, --labels FILE or --label-pattern REGEX gives labels"
    ]
    assert names(folder) == ["features.h5", "index.html"]
    assert sections(folder) == [*COLLECTION[:-1], "failures", "making"]
    text = words_of(folder)
    assert "None of 36 images has a label, so no classifier was trained and there are no" in text
    for never in ("accuracy", "held-out", "Different labels", "Search among"):
        assert never not in text
    # Another number of clusters is asked for by a command, of the file that the report made.
    html = page_of(folder)
    (command,) = re.findall(r"<code>(penult cluster \S+ --layer \S+ -k \d+ -o clusters.html)", html)
    assert command.split()[2] == str(folder / "features.h5")
    assert f", then {command.split()[6]} (" in text
    # Three colours: three clusters, and all that is known of a photo can colour the map.
    assert "3 clusters of 36 rows by k-means" in done.out
    data = map_data(folder)
    assert sorted(data["ids"]) == photos
    known = {column["name"]: column for column in data["columns"]}
    assert next(iter(known)) == "cluster"
    assert known["cluster"]["values"] == ["0", "1", "2"]
    assert not {"label", "predicted", "split"} & known.keys()


def test_of_one_class_and_of_labels_none_there_is_nothing_to_train(photos, toy, tmp_path, caplog):
    shutil.copytree(photos / "rose", tmp_path / "one" / "rose")
    made = library.report(tmp_path / "one", tmp_path / "a", model=toy, **NOTHING)
    assert made.untrained == "all 12 labelled images have one label, rose"
    assert made.classifier is made.predictions is made.clusters is made.map is None
    assert "penult: all 12 labelled images have one label, rose, so no classifier" in caplog.text
    assert sections(tmp_path / "a") == ["making"]
    assert repr(made).startswith("ReportFiles(")
    assert "no classifier was trained" in words_of(tmp_path / "a")
    assert "<b>Report</b>" in made._repr_html_()
    with pytest.raises(
        UsageError, match=r"labels='none' leaves nothing to train on, so folds, runs would"
    ):
        library.report(photos, tmp_path / "b", model=toy, labels="none", folds=5, runs=2)
    assert not (tmp_path / "b").exists()


def test_where_some_photos_have_labels_a_classifier_is_trained(photos, toy, tmp_path):
    for path in (photos / "rose").glob("rose_0[1-4].jpg"):
        path.rename(photos / path.name)
    made = library.report(photos, tmp_path / "r", model=toy, label_errors=False, curve=False)
    assert (made.classifier is not None, made.untrained) == (True, "")
    known = {column["name"]: column for column in map_data(tmp_path / "r")["columns"]}
    assert [*known][:5] == ["label", "predicted", "confidence", "mistake", "cluster"]
    assert known["split"]["values"] == ["train", "held out"]


def test_a_feature_file_without_labels_is_looked_at_by_its_last_layer(penult, flat, toy, tmp_path):
    rows = tmp_path / "rows.h5"
    library.extract(flat, rows, model=toy, layer=["mean", "logits"])
    done = penult("report", rows, "-o", tmp_path / "r", "--json", "-q")
    found = json.loads(done.out)
    assert (found["layer"], found["rows"], found["accuracy"]) == ("logits", 36, None)
    assert found["untrained"] == "none of 36 images has a label"
    assert (found["predicted"], found["label_errors"], found["runs"]) == (None, None, None)
    assert (found["cluster_count"], found["duplicates"]) == (3, 36)
    assert found["unusual"] == len(library.outliers(rows, pictures=False).unusual)
    text = words_of(tmp_path / "r")
    assert "36 pictures could not" not in text
    less = ["-l", "mean", *(f"--no-{name}" for name in NOTHING)]
    done = penult("report", rows, "-o", tmp_path / "s", *less, "--json", "-q")
    assert json.loads(done.out)["layer"] == "mean"
    shutil.rmtree(flat)
    gone = penult("report", rows, "-o", tmp_path / "g", "--no-map", "--no-clusters", "-q")
    assert gone.code == 0, gone.err
    assert "36 pictures could not be opened, or have changed since, and were not measured" in (
        words_of(tmp_path / "g")
    )


def test_what_an_earlier_report_left_is_removed_or_told_of(
    penult, photos, flat, toy, tmp_path, caplog
):
    folder = tmp_path / "r"
    less = ["-m", toy, "-q", *(f"--no-{name}" for name in NOTHING)]
    assert penult("report", photos, "-o", folder, *less).code == 0
    (folder / "mine.txt").write_text("mine")
    (folder / "predictions.csv").write_text("mine")  # of no report: the page says nothing of it
    refused = penult("report", flat, "-o", folder, *less)
    assert (refused.code, "--overwrite" in refused.err) == (2, True)
    assert penult("report", flat, "-o", folder, *less, "--overwrite").code == 0
    left = ["classifier.skops", "features.h5", "index.html", "mine.txt", "predictions.csv"]
    assert names(folder) == left
    assert (
        "classifier.skops is of an earlier report and stays as it is; this one has" in caplog.text
    )


def test_photos_are_put_into_the_classes_of_a_classifier_the_unsure_first(
    penult, flat, classifier, tmp_path
):
    folder = tmp_path / "r"
    (flat / "marred.jpg").write_bytes(b"between daisies and roses")
    done = penult("report", flat, "-o", folder, "--classifier", classifier, "-q")
    assert done.code == 0, done.err
    assert names(folder) == ["features.h5", "index.html", "predictions.csv"]
    assert sections(folder) == ["predictions", *COLLECTION[:-1], "failures", "making"]
    rows = list(csv.DictReader((folder / "predictions.csv").read_text("utf-8").splitlines()))
    assert [row["id"] for row in rows] == sorted(path.name for path in flat.iterdir())
    by_hand = penult("predict", classifier, flat, "-o", tmp_path / "p.csv", "-q")
    assert by_hand.code == 0
    assert (folder / "predictions.csv").read_text() == (tmp_path / "p.csv").read_text()
    html = page_of(folder)
    for label in ("rose", "tulip"):
        images = [row for row in rows if row["label"] == label]
        least = sorted(images, key=lambda row: (float(row["probability"]), row["id"]))
        (gallery,) = re.findall(rf"<h3><bdi>{label}</bdi>(.*?)</article>", html, re.DOTALL)
        shown = re.findall(r'<span class="id" title="([^"]*)"', gallery)
        assert shown == [row["id"] for row in least[: len(shown)]]
        assert f"{len(images)} images" in gallery
    known = {column["name"] for column in map_data(folder)["columns"]}
    assert {"predicted", "confidence", "cluster"} <= known
    assert not {"mistake", "label"} & known
    text = words_of(folder)
    assert "No image has a label, so there are no scores" in text
    assert "18 images trained it, byte for byte: what it says of them is no test" in text
    # Some of those are pictured, and marked; no daisy is.
    marked = re.findall(r"trained it</span>\s*<span class=\"id\" title=\"(\w+?)_", html)
    assert "daisy_" in html
    assert "rose" in marked
    assert "daisy" not in marked


def test_photos_with_labels_are_scored_and_those_that_trained_it_told_apart(
    penult, photos, classifier, tmp_path
):
    folder = tmp_path / "r"
    done = penult("report", photos, "-o", folder, "--classifier", classifier, "--json", "-q")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    evaluated = library.evaluate(classifier, photos)
    assert found["accuracy"] == evaluated.apart.accuracy
    assert sum(found["predicted"].values()) == 36
    scores = json.loads((folder / "scores.json").read_text())
    assert (scores["accuracy"], scores["trained"]) == (evaluated.scores.accuracy, 18)
    text = words_of(folder)
    assert "The number is of 6 images that did not train it; 18 others did, and are no" in text
    assert "12 images of labels that it has never seen are in no score" in text
    assert "held-out" not in text
    assert "on 6 images: a rough figure 95% interval: " in text
    assert 'class="gauge"' in page_of(folder)
    assert "trained it" in text
    assert {"confusion_matrix.png", "held_out.csv", "scores.json"} <= set(names(folder))
    assert len((folder / "held_out.csv").read_text().splitlines()) == 1 + 6


def test_what_trained_it_and_lies_in_another_folder_is_shown_and_said_to_have_trained_it(
    penult, photos, toy, classifier, tmp_path
):
    rows = library.extract(photos, tmp_path / "rows.h5", model=toy)
    trained = library.load_classifier(classifier).trained_on
    seen = {str(rows.ids[k]) for k in np.flatnonzero(is_seen(rows, np.arange(36), trained))}
    moved = sorted(one for one in seen if one.startswith("rose"))[0].removeprefix("rose/")
    shutil.move(photos / "rose" / moved, photos / "tulip" / moved)
    folder = tmp_path / "r"
    done = penult("report", photos, "-o", folder, "--classifier", classifier, "-q")
    line = (
        "1 of 18 images that trained it is called otherwise than it is labelled: its label may be"
    )
    assert line in done.out
    text = words_of(folder)
    assert line in text
    assert "6 scored images that did not train it was put into its class" in text
    assert "18 others did, and are no test: 17 of them, 94.4%, are called as labelled." in text
    (section,) = re.findall('<section id="contradictions".*?</section>', page_of(folder), re.DOTALL)
    assert re.findall(r'<span class="id" title="(.*?)"', section) == [f"tulip/{moved}"]
    said = " ".join(re.sub("<.*?>", " ", section).split())
    assert "labelled tulip called rose" in said
    assert f"trained it tulip/ {moved}" in said
    # It is marked in the gallery of roses as well, and counted there.
    (roses,) = re.findall(r"<h3><bdi>rose</bdi>(.*?)</article>", page_of(folder), re.DOTALL)
    assert "1 labelled otherwise" in roses
    # Where all of them trained it, it is a mistake as any, and the page says what that means.
    for one in photos.glob("*/*.jpg"):
        if one.parent.name == "daisy" or f"{one.parent.name}/{one.name}" not in seen | {
            f"tulip/{moved}"
        }:
            one.unlink()
    library.report(photos, folder, classifier=classifier, overwrite=True, **NOTHING)
    assert "contradictions" not in sections(folder)
    assert "all of these images trained it" in words_of(folder)
    assert line in words_of(folder)


def test_labels_that_the_classifier_does_not_know_are_no_reason_to_fail(
    photos, classifier, tmp_path
):
    for label in ("rose", "tulip"):
        shutil.rmtree(photos / label)
    made = library.report(photos, tmp_path / "r", classifier=classifier, **NOTHING)
    assert (made.evaluation, len(made.predictions)) == (None, 12)
    assert "They are not scored: none of the 12 labelled images has a label of the" in words_of(
        tmp_path / "r"
    )
    assert "Predictions(" in repr(made)


def test_a_table_of_predictions_goes_with_the_page_that_it_is_of(photos, classifier, toy, tmp_path):
    folder = tmp_path / "r"
    library.report(photos, folder, classifier=str(classifier), **NOTHING)
    assert "predictions.csv" in names(folder)
    library.report(photos, folder, model=toy, overwrite=True, curve=False, **NOTHING)
    assert "predictions.csv" not in names(folder)


def test_what_has_no_effect_beside_a_classifier_is_refused_in_a_line(
    penult, photos, classifier, toy, tmp_path
):
    def refused(*words):
        done = penult("report", photos, "-o", tmp_path / "r", "-q", *words)
        assert (done.code, done.out) == (2, "")
        assert not (tmp_path / "r").exists()
        assert len(done.err.splitlines()) == 1
        return done.err

    given = ["--classifier", classifier]
    line = refused(*given, "--folds", 5, "--grid", "C=1")
    assert (
        f"{classifier} is applied as it is, so --grid, --folds would have no effect; leave them out"
        in line
    )
    assert "says itself how the rows are made" in refused(*given, "-m", toy)
    assert "says itself how the rows are made" in refused(*given, "-l", "mean")
    assert "give it alone, or kinds of" in refused(*given, "--classifier", "svm")
    assert "missing.skops" in refused("--classifier", tmp_path / "missing.skops")
    assert "svn" in refused("--classifier", "svn")  # neither a file nor a kind
