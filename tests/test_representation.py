"""Whatever is in a record, its repr is a few lines; in a notebook it is a table, and no markup."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Mapping
from importlib.util import find_spec

import h5py
import numpy as np
import pytest

import penult
from penult.cli.predictions import Tally
from penult.extractor import Extractor
from penult.records import Prediction
from penult.representation import html_table, one_line, short, short_text

EVIL = "<script>x</script>\x1b[2J\u202e" + "z" * 300
MANY = tuple(f"{EVIL}{k}" for k in range(5000))
LONGEST = 700


def public_records():
    """Every dataclass that a public module of penult names, by its full name."""
    found = {}
    for module in pkgutil.walk_packages(penult.__path__, "penult."):
        if any(part in module.name for part in ("testing", ".cli", "_main__", "keras", "timm")):
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and dataclasses.is_dataclass(value):
                found[f"{value.__module__}.{value.__qualname__}"] = value
    return found


# Those whose reprs are their own, and tested by themselves.
OWN = {
    "Joined",
    "Classifier",
    "ClassifierInfo",
    "Clustering",
    "Comparison",
    "Duplicates",
    "FeaturesInfo",
    "HeldOut",
    "Index",
    "Int8Info",
    "Plan",
    "ReportFiles",
    "TrainingSettings",
    "Evaluation",
    "Features",
    "Finetuned",
    "Recipe",
    "MachinePlan",
    "Outliers",
    "RowMap",
    "Scores",
    "SearchScores",
    "Summary",
    "Verification",
}
RETURNED = [
    cls
    for name, cls in sorted(public_records().items())
    if cls.__name__ in {*penult.__all__, "Agreement", "Average", "ClassScore", "ComparedModel", "Copied", "CurvePoint",
                        "GridResult", "HeldOut", "ImageRecord", "LabelIssue", "LabelSearchScore", "LayerCosine",
                        "LayerResult", "Listing", "ModelCost", "ModelDifference", "PlannedLayer", "ProbeAccuracy", "Progress",
                        "RunScores", "ScoreInterval", "SeedRuns", "SimilarityMatrix", "SkippedModel",
                        "TrainingSettings", "Unfinished"} - OWN
]  # fmt: skip


@pytest.fixture
def features(make_features):
    counts = {f"{name}{k}": 40 for k, name in enumerate([EVIL] * 40)}
    failures = tuple(penult.Failure(name, EVIL) for name in MANY)
    return make_features(counts, width=64, failures=failures, layers=MANY)


@pytest.fixture
def classifier(features):
    return penult.train(features, folds=2, grid={"C": [1]})


@pytest.mark.parametrize("cls", RETURNED, ids=lambda cls: cls.__name__)
def test_a_record_full_of_large_things_has_a_short_repr(cls):
    record = cls.__new__(cls)
    for k, field in enumerate(dataclasses.fields(cls)):
        value = [MANY, np.zeros((1000, 1000)), dict.fromkeys(MANY, MANY), EVIL][k % 4]
        object.__setattr__(record, field.name, value)
    assert "\x1b" not in repr(record)
    assert "array(" not in repr(record)
    assert len(repr(record)) < 1.5 * LONGEST


def test_what_people_look_at_is_a_line_or_two_and_a_table(features, classifier):
    recipe = dataclasses.replace(features.recipe, backbone=EVIL, layer=EVIL)
    evaluation = penult.evaluate(classifier, features)
    predictions = penult.Predictions(
        classifier.predictions(features.ids, classifier.predict_features(features.features)),
        features.failures,
    )
    shown = [features, classifier, classifier.scores, evaluation, recipe, predictions]
    for one in shown:
        assert len(repr(one)) < LONGEST / 2
        page = one._repr_html_()
        assert "<table" in page
        assert "color" not in page  # but the notebook's own
        for text in (repr(one), page):
            assert "\x1b" not in text
            assert "\u202e" not in text
        assert "<script" not in page
        assert len(page) < 40_000
    for one in (classifier.settings, classifier.held_out, penult.plan, predictions[0]):
        assert len(repr(one)) < LONGEST
    assert repr(features).startswith("Features(1,600 rows of 64 float32, 40 classes, ")
    assert "40 classes" in repr(classifier)
    assert repr(predictions).startswith("Predictions(1,600 predictions: 40 <script>")
    assert repr(predictions).endswith("; 5,000 images failed)")


def test_a_classifier_shows_its_runs_and_what_it_was_compared_with(make_features):
    features = make_features({"daisy": 12, "rose": 12})
    found = penult.train(
        features, classifier=["centroid", "svm"], grid={"C": [0.01, 0.1]}, runs=2, folds=2
    )
    found = dataclasses.replace(  # whichever it chose
        found,
        settings=dataclasses.replace(
            found.settings, classifier="svm", params={"C": 0.1}, edges={"C": "largest"}
        ),
    )
    runs = "2 runs, seeds 0 to 1: accuracy 100% ± 0.0"
    assert runs in repr(found)
    assert "svm 100% ± 0.0" in repr(found)
    page = found._repr_html_()
    assert runs in page
    for cell in ("svm", "C=0.1", "centroid", "100%"):
        assert f">{cell}</td>" in page
    assert "C is the largest of those tried; grid=" in page
    assert "100.0%" not in repr(found) + page


def test_a_table_without_facts_does_not_begin_with_an_empty_one():
    assert html_table("T", [], [("n",), (1,)]).count("<table") == 1


def test_an_extractor_of_many_layers_is_one_line(toy):
    extractor = Extractor(toy, layer=["pixels", "mean", "logits"] * 30)
    assert len(repr(extractor)) < 200


def test_short_things_are_whole_and_long_ones_are_cut():
    assert short(("a", 1, 0.1234567)) == "('a', 1, 0.123457)"
    assert short(tuple("abcde")) == "('a', 'b', 'c', … 5 in all)"
    assert short(np.zeros((2, 3), np.float32)) == "<2 × 3 float32>"
    assert isinstance({}, Mapping)
    assert short({"a": 1}) == "{'a': 1}"
    assert short_text("a" * 100, 9) == "aaaa…aaaa"
    assert one_line("X", [("kind", "svm"), ("layer", "l"), ("other", None)]) == "X(svm, layer l)"


def test_a_table_shows_some_of_many_rows_and_says_how_many_there_are():
    page = html_table("T", [("a", None), ("b", "<")], [("n",), *[(k,) for k in range(100)]])
    assert page.count("<tr>") == 1 + 1 + 30
    assert "and 70 more" in page
    assert "&lt;" in page


def test_unlike_and_unsure_predictions_are_counted_apart_everywhere():
    def told(name, label, **marks):
        return Prediction(name, label, 0.9, ((label, 0.9), ("b", 0.1)), similarity=0.25, **marks)

    predictions = penult.Predictions(
        [
            told("1", "a", unlike=False),
            told("2", "a", unlike=True),
            told("3", "a", unlike=True, unsure=True),
            told("4", "b", unlike=False, unsure=True),
        ]
    )
    assert repr(predictions) == "Predictions(4 predictions: 1 a, 1 unsure, 2 unlike)"
    tally = Tally()
    for one in predictions:
        tally.add(one)
    assert (tally.unsure, tally.unlike, dict(tally.classes)) == (1, 2, {"a": 1})
    page = predictions._repr_html_()
    assert page.count(">unlike</td>") == 3  # two rows, and how many there are
    assert predictions[1].to_dict()["top"] == [["a", 0.9], ["b", 0.1]]


def test_predictions_are_a_table_of_pandas_with_the_columns_of_the_csv():
    if find_spec("pandas") is None:
        pytest.skip(
            "pandas is in no environment of penult's: scikit-learn would import it each time"
        )
    top = (("a", 0.9), ("b", 0.1))
    predictions = penult.Predictions(
        Prediction(str(k), "a", 0.9, top, unlike=unlike, similarity=0.25)
        for k, unlike in enumerate([False, True, None])
    )
    frame = predictions.to_dataframe()
    assert list(frame.dtypes.astype(str).items()) == [
        ("id", "string"),
        ("label", "string"),
        ("probability", "float64"),
        ("unsure", "boolean"),
        ("unlike", "boolean"),
        ("similarity", "float64"),
        ("label_2", "string"),
        ("probability_2", "float64"),
    ]
    assert frame.unlike.tolist()[:2] == [False, True]
    assert frame.unlike.isna().tolist() == [False, False, True]
    assert penult.Predictions().to_dataframe().shape == (0, 6)


def test_reasons_and_paths_stand_whole():
    from pathlib import Path

    from penult.records import Copied, Failure

    reason = "is truncated: it ends after 1,234 bytes, before the picture does " + "x" * 120
    assert reason in repr(Failure("tulip/a photo with quite a long name.jpg", reason))
    path = Path("/data/" + "a_folder/" * 18 + "photo.jpg")
    assert str(path) in repr(Copied(path=path, new=True, renamed=False))


def test_lists_plans_and_checks_are_tables_in_a_notebook(photos, toy, tmp_path):
    import penult

    penult.extract(photos, tmp_path / "f.h5", model=toy)
    passed = penult.verify(tmp_path / "f.h5", 2)
    assert repr(passed) == "Verification(passed, 2 of 36 rows compared)"
    plan = penult.plan(photos, model=toy)
    for value, told in (
        (penult.models("toy:"), "1 model"),
        (penult.layers(toy), "layers"),
        (penult.info(tmp_path / "f.h5"), "<td"),
        (plan, "tulip"),
        (passed, "worst cosine"),
    ):
        page = value._repr_html_()
        assert told in page
        assert page.count("<table") >= 1
    assert isinstance(penult.models("toy:"), list)
    assert repr(penult.models("toy:")) == "<1 model: toy:mean-colour>"


@pytest.mark.parametrize("rows", [[5, 0], np.arange(6) % 5 == 0])
def test_some_rows_of_a_file_are_taken_with_all_that_is_known_of_them(
    make_features, rows, tmp_path
):
    features = make_features({"daisy": 3, "rose": 3}, splits=list("abcdef"))
    taken = features.take(rows)
    places = [5, 0] if isinstance(rows, list) else [0, 5]
    assert taken.ids == [features.ids[k] for k in places]
    assert taken.splits == [features.splits[k] for k in places]
    np.testing.assert_array_equal(taken.features, features.features[places])
    np.testing.assert_array_equal(taken.labels, features.labels[places])
    path = tmp_path / "f.h5"
    with h5py.File(path, "w") as file:
        file["rows"] = features.features
        on_disk = dataclasses.replace(features, features=file["rows"]).take(rows)
    np.testing.assert_array_equal(on_disk.features, taken.features)


def test_rows_are_taken_by_their_ids_in_that_order(make_features):
    features = make_features({"daisy": 3, "rose": 3})
    wanted = [features.ids[4], features.ids[1]]
    assert list(features.take(wanted).ids) == list(features.take(np.array(wanted)).ids) == wanted
    with pytest.raises(penult.errors.UnknownNameError, match=r"unknown id '.*x'; did you mean"):
        features.take([features.ids[0] + "x"])
    for wrong, told in (([6], r"\[6\]"), ([True], r"\[True\]"), ([0.5], r"\[0\.5\]")):
        with pytest.raises(penult.errors.UsageError, match=f"^rows is {told}, of 6 rows; give"):
            features.take(wrong)


def test_of_no_rows_nothing_is_taken(make_features):
    assert len(make_features({"daisy": 3, "rose": 3}).take([])) == 0


def test_nothing_in_a_repr_is_cut_through(features, classifier, photos, toy):
    from penult.classify.settings import GridResult

    results = tuple(GridResult("logistic", {"C": k}, 0.5, 0.1, 0.205689) for k in range(9))
    many = dataclasses.make_dataclass("Many", [(f"field_{k}", tuple) for k in range(30)])
    many.__module__ = "penult"
    record = penult.representation.short_repr(many)(*[results] * 30)
    assert repr(record).startswith("Many(field_0=(… 9 in all), field_1=(… 9 in all), ")
    assert repr(record).endswith(" more)")
    assert short(dict.fromkeys("abcde", 1)) == "{'a': 1, 'b': 1, 'c': 1, … 5 in all}"
    assert short([results[0]]) == f"[{results[0]!r}]"
    assert short([features.recipe] * 2).count("layer ") == 2
    recipe = dataclasses.replace(features.recipe, layer="x" * 300)
    assert short((recipe, recipe)).count("…") <= 4
    plan = penult.plan(photos, model=toy)
    assert repr(plan) == (
        "Plan(36 images, 3 classes, toy:mean-colour, layer penultimate 3 float32, about 0.3 MB)"
    )
    settings = penult.train(features, folds=2, grid={"C": [1, 10]}).settings
    assert repr(settings).startswith("TrainingSettings(logistic C=")
    page = settings._repr_html_()
    assert all(f">{cell}</td>" in page for cell in ("C=1", "C=10", "logistic"))


def test_what_info_says_and_a_report_made_is_one_line(photos, toy, tmp_path):
    rows = penult.extract(photos, tmp_path / "f.h5", model=toy)
    assert repr(penult.info(tmp_path / "f.h5")) == (
        "FeaturesInfo(36 rows of 3 float32, 3 classes, toy:mean-colour, layer penultimate)"
    )
    penult.train(rows, tmp_path / "c.skops", classifier="centroid")
    told = repr(penult.info(tmp_path / "c.skops"))
    assert told.startswith("ClassifierInfo(centroid, 3 classes, toy:mean-colour, layer penultimate")
    assert len(told) < 200
    page = rows.recipe._repr_html_()
    assert "Preprocessing(" not in page
    assert ">interpolation</td>" in page
    made = penult.report(
        tmp_path / "f.h5",
        tmp_path / "report",
        map=False,
        clusters=False,
        outliers=False,
        curve=False,
        label_errors=False,
    )
    assert repr(made).startswith("ReportFiles(")
    assert len(repr(made)) < 400


def test_a_class_is_not_left_out_to_save_its_name():
    def said(classes):
        names = [f"class{k}" for k in range(classes)]
        return repr(penult.Predictions(Prediction("x", n, 0.9, ((n, 0.9),)) for n in names))

    assert "1 class4)" in said(5)
    assert said(8).endswith("1 class0, 1 class1, 1 class2, and 5 more classes)")


def test_held_out_images_and_scores_are_tables(make_features, tmp_path):
    features = make_features({"daisy": 12, "rose": 12})
    found = penult.train(features, classifier="centroid", folds=2)
    held_out, scores = found.held_out, found.scores
    assert repr(held_out) == f"HeldOut({len(held_out)} images, 0 in the wrong class)"
    assert held_out._repr_html_().count("<tr>") == 1 + len(held_out)
    lines = str(scores).splitlines()
    assert lines[0].split() == ["class", "precision", "recall", "F1", "support"]
    assert lines[2].split()[0] == "daisy"
    assert lines[-1].startswith("accuracy 100% on 6 images (")
    assert scores.to_dict()["classes"][0]["label"] == "daisy"
    if find_spec("pandas") is None:
        pytest.skip("pandas is in no environment of penult's")
    frame = held_out.to_dataframe()
    assert list(frame) == ["id", "label", "predicted", "probability", "run"]
    assert tuple(frame.id) == held_out.ids
    assert list(scores.to_dataframe()) == ["label", "precision", "recall", "f1", "support"]
