import io
import json
import typing
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from archives import unsealed
from scipy.spatial.distance import cdist
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import LinearSVC

from penult.classify.kinds.calibration import found_sharpness
from penult.classify.kinds.forest import _are_sound
from penult.classify.kinds.registry import all_kinds, find_kind, kind_names
from penult.classify.loading import load_classifier
from penult.classify.pipeline import make_pipeline
from penult.classify.preparation import make_steps
from penult.classify.training.grid import expand_grids
from penult.classify.training.train import train
from penult.cli.training import Grid
from penult.errors import ClassifierFileError, UnknownNameError, UsageError
from penult.interface import serving_command_line

COUNTS = {"daisy": 20, "rose": 20, "tulip": 20}
QUICK = {"C": [1], "alpha": [1], "n_neighbors": [3], "max_features": ["sqrt"]}


def quick(name):
    return {k: v for k, v in QUICK.items() if k in find_kind(name).grid}


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", kind_names())
def test_every_classifier_learns_and_comes_back_from_its_file(
    make_features, tmp_path, name, classes
):
    features = make_features(dict(list(COUNTS.items())[:classes]))
    classifier = train(features, classifier=name, grid=quick(name))
    assert classifier.scores.accuracy == 1
    rows = np.random.default_rng(1).normal(size=(30, 6)).astype(np.float32)
    said = classifier.predict_features(rows)
    np.testing.assert_allclose(said.sum(axis=1), 1, rtol=1e-6)
    classifier.save(tmp_path / "a.skops")
    np.testing.assert_array_equal(
        load_classifier(tmp_path / "a.skops").predict_features(rows), said
    )


@pytest.mark.parametrize("classes", [2, 4])
def test_the_centroid_classifier_names_the_nearest_mean(make_features, classes):
    counts = dict.fromkeys("abcd"[:classes], 20)
    features = make_features(counts, noise=2)
    classifier = train(features, classifier="centroid", scale="none", refit=True)
    means = np.stack([features.features[features.labels == k].mean(axis=0) for k in range(classes)])
    rows = np.random.default_rng(2).normal(size=(50, 6)).astype(np.float32)
    nearest = cdist(rows, means).argmin(axis=1)
    assert (classifier.predict_features(rows).argmax(axis=1) == nearest).all()


def test_the_centroid_classifier_is_as_sure_as_it_is_right(make_features):
    features = make_features({"a": 200, "b": 200}, noise=2, width=4)
    classifier = train(features, classifier="centroid", scale="none")
    assert classifier.scores.calibration_error < 0.15
    assert 0.6 < np.mean(classifier.held_out.probability) < 0.99


def test_of_several_classifiers_the_best_by_cross_validation_is_trained(make_features):
    # Each class is two clumps on opposite sides: their means say nothing, their neighbours all.
    rng = np.random.default_rng(0)
    corner = np.array([[4, 0], [-4, 0], [0, 4], [0, -4]])[np.arange(80) % 4]
    rows = (corner + 0.2 * rng.normal(size=(80, 2))).astype(np.float32)
    features = make_features({"a": 40, "b": 40}, features=rows, labels=np.arange(80) % 4 // 2)
    classifier = train(features, classifier=["centroid", "knn"], scale="none", grid={"n_neighbors": [3]})  # fmt: skip
    table = {result.classifier: result.mean for result in classifier.settings.grid}
    assert table["knn"] == 1 > table["centroid"]
    assert classifier.settings.classifier == "knn"
    assert classifier.scores.accuracy == 1


def test_a_grid_reaches_the_classifiers_that_have_the_parameter():
    tries = expand_grids(["svm", "knn"], {"C": [3]})
    assert tries["svm"] == [{"C": 3}]
    assert len(tries["knn"]) == len(find_kind("knn").grid["n_neighbors"])
    with pytest.raises(UnknownNameError, match="unknown parameter 'gamma' of svm, knn"):
        expand_grids(["svm", "knn"], {"gamma": [3]})


def test_a_parameter_of_another_kind_says_of_which():
    with pytest.raises(UsageError, match=r"n_estimators is of forest, not of logistic; add cl.*'f"):
        expand_grids(["logistic"], {"n_estimators": [10]})
    with pytest.raises(UsageError, match=r"C is of logistic and svm, not of knn; add .* or "):
        expand_grids(["knn"], {"C": [10]})


def test_several_kinds_in_one_text_are_told_apart():
    with pytest.raises(UsageError, match=r"give classifier=\['svm', 'forest'\]"):
        train("rows.h5", classifier="svm, forest")
    with serving_command_line(), pytest.raises(UsageError) as told:
        train("rows.h5", classifier=["svm,forest"])
    assert str(told.value).endswith("give --classifier svm --classifier forest")


def test_a_file_whose_decisions_were_calibrated_by_platts_method_still_opens(
    make_features, tmp_path
):
    features = make_features(COUNTS)
    pipeline = make_pipeline(find_kind("svm").make(0, C=1), make_steps("l2"))
    pipeline.steps[-1] = ("classifier", CalibratedClassifierCV(pipeline[-1], cv=3, ensemble=False))
    pipeline.fit(features.features, features.labels)
    path = tmp_path / "old.skops"
    replace(train(features), pipeline=pipeline).save(path)
    np.testing.assert_array_equal(
        load_classifier(path).predict_features(features.features),
        pipeline.predict_proba(features.features),
    )


# A node's column and what it is made to say of the root.
ASTRAY = {
    "a child beyond the last node": ("left_child", 10_000),
    "a node that is its own ancestor": ("right_child", 0),
    "a feature beyond the row": ("feature", 6),
    "half a leaf": ("left_child", -1),
}


def test_a_tree_that_points_elsewhere_is_refused_before_it_is_followed(make_features, tmp_path):
    path = tmp_path / "forest.skops"
    train(make_features(COUNTS), classifier="forest", grid={"max_features": [0.5]}).save(path)
    load_classifier(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["penult.json"] = unsealed(members["penult.json"])
    tree, nodes = next(
        (name, nodes)
        for name, data in members.items()
        if name.endswith(".npy")
        and (nodes := np.load(io.BytesIO(data))).dtype.names
        and len(nodes) > 1
    )
    for column, value in ASTRAY.values():
        crafted, changed = nodes.copy(), io.BytesIO()
        crafted[column][0] = value
        np.save(changed, crafted)
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in {**members, tree: changed.getvalue()}.items():
                archive.writestr(name, data)
        with pytest.raises(ClassifierFileError, match="no forest could grow"):
            load_classifier(path)


def test_a_tree_outside_a_forest_is_refused(make_features, tmp_path):
    path = tmp_path / "forest.skops"
    train(make_features(COUNTS), classifier="forest", grid={"max_features": [0.5]}).save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(members["schema.json"])
    forest = schema["content"]["content"]["steps"]["content"][1]["content"][1]
    (calibrated,) = forest["content"]["content"]["calibrated_classifiers_"]["content"]
    forest = calibrated["content"]["content"]["estimator"]["content"]["content"]
    forest["verbose"] = forest["estimators_"]["content"].pop()
    members["schema.json"] = json.dumps(schema).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(ClassifierFileError):
        load_classifier(path)


@pytest.mark.parametrize(
    ("kind", "grid", "made"),
    [
        ("forest", {"n_estimators": [20], "max_depth": [3, None]}, {"n_estimators": 20}),
        ("forest", {"max_features": ["sqrt"]}, {"n_estimators": 300, "max_depth": None}),
        ("knn", {"weights": ["uniform"], "n_neighbors": [3]}, {"weights": "uniform"}),
        ("knn", {"n_neighbors": [3]}, {"weights": "distance"}),
    ],
)
def test_parameters_that_are_not_tried_by_default_may_be_given(kind, grid, made):
    candidates = expand_grids([kind], grid)[kind]
    assert len(candidates) == np.prod([len(v) for v in {**find_kind(kind).grid, **grid}.values()])
    estimator = find_kind(kind).make(0, **candidates[0])
    assert made.items() <= estimator.get_params().items()


@pytest.mark.parametrize(
    ("kind", "grid", "complaint"),
    [
        ("forest", {"n_estimators": [10, "abc"]}, "have n_estimators=abc; give a whole number fr"),
        ("forest", {"max_depth": [0]}, "forest cannot have max_depth=0; give a whole number from"),
        ("forest", {"max_features": ["all"]}, "max_features=all; give sqrt, log2, none"),
        ("knn", {"weights": ["heavy"]}, "knn cannot have weights=heavy; give distance or uniform"),
        ("logistic", {"C": ["a", "b"]}, "logistic cannot have C=a; give a number from 1e-12 to"),
        ("logistic", {"C": np.zeros((50, 50))}, "C=<50 float64>; give a number from 1e-12"),
        ("svm", {"alpha": [1]}, "alpha"),
        ("ridge", {"alpha": [0]}, "alpha"),
        ("centroid", {"C": [1]}, "no parameter"),
    ],
)
def test_a_parameter_that_cannot_be_is_named_in_one_line(kind, grid, complaint):
    with pytest.raises(UsageError) as told:
        expand_grids([kind], grid)
    assert complaint in str(told.value)
    assert "\n" not in str(told.value)


def test_the_help_of_train_names_every_parameter():
    (option,) = typing.get_args(Grid)[1:]
    for kind in all_kinds():
        for name in kind.parameters:
            assert name in option.help


def test_weights_that_belong_to_a_network_are_not_trained_on_rows():
    with pytest.raises(UsageError, match=r"finetuned cannot be trained on rows: .* another kind"):
        find_kind("finetuned").make(0)


def test_without_folds_decisions_are_as_sure_as_they_are():
    assert found_sharpness(find_kind("svm"), SimpleNamespace(folds=()), {}) == 1


@pytest.mark.parametrize("wrong", ["last step", "unknown step", "flat axes"])
def test_a_pipeline_that_no_forest_was_trained_in_is_not_sound(wrong):
    rows = np.random.default_rng(0).normal(size=(12, 4))
    steps = [("reduce", PCA(2)), ("forest", RandomForestClassifier(random_state=0))]
    pipeline = Pipeline(steps).fit(rows, [0, 1] * 6)
    assert _are_sound(pipeline, 10) is True
    if wrong == "last step":
        pipeline.steps[-1] = ("svc", LinearSVC())
    elif wrong == "unknown step":
        pipeline.steps[0] = ("scale", MinMaxScaler().fit(rows))
    else:
        pipeline[0].components_ = pipeline[0].components_[0]
    assert _are_sound(pipeline, 10) is False
