"""Linear classifiers predict without scikit-learn, what scikit-learn would."""

import copy
import io
import json
import pickle
import subprocess
import sys
from contextlib import suppress

import numpy as np
import pytest
from archives import forge, rewrite
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

from penult.classify.linear_rule import LinearRule
from penult.classify.loading import load_classifier
from penult.classify.pipeline import row_width
from penult.classify.training.train import train
from penult.classify.unbuilt import Unbuilt, read_unbuilt
from penult.errors import ClassifierFileError

THREE = {"daisy": 12, "rose": 12, "tulip": 12}
TWO = {"daisy": 12, "rose": 12}
# The logistic function of float32 is right to the last bit but one.
LAST_BIT = 1.2e-7


def is_unbuilt(classifier):
    return isinstance(vars(classifier)["pipeline"], Unbuilt)


def some_rows(width):
    rows = np.random.default_rng(1).normal(size=(300, width)).astype(np.float32)
    rows[0] = 0
    return rows * np.logspace(-3, 3, 300, dtype=np.float32)[:, None]


def saved(classifier, tmp_path):
    classifier.save(tmp_path / "flowers.skops")
    return tmp_path / "flowers.skops"


@pytest.mark.parametrize("scale", ["l2", "standard", "none"])
@pytest.mark.parametrize("kind", ["logistic", "svm", "ridge", "centroid"])
@pytest.mark.parametrize(("counts", "within"), [(THREE, 0), (TWO, LAST_BIT)])
def test_what_a_linear_file_predicts_is_what_scikit_learn_does(
    make_features, tmp_path, kind, scale, counts, within
):
    trained = train(make_features(counts, noise=1), classifier=kind, scale=scale)
    loaded = load_classifier(saved(trained, tmp_path))
    rows = some_rows(6)
    found = loaded.predict_features(rows)
    assert is_unbuilt(loaded)
    np.testing.assert_allclose(found, loaded.pipeline.predict_proba(rows), rtol=0, atol=within)
    np.testing.assert_array_equal(found, trained.predict_features(rows))


@pytest.mark.parametrize("scale", ["l2", "standard", "none"])
@pytest.mark.parametrize("kind", ["logistic", "svm", "ridge", "centroid"])
def test_of_several_labels_too(make_features, tmp_path, kind, scale):
    targets = np.random.default_rng(0).random((36, 3)) < 0.5
    features = make_features(THREE, noise=1, targets=targets)
    trained = train(features, classifier=kind, scale=scale)
    loaded = load_classifier(saved(trained, tmp_path))
    rows = some_rows(6)
    found = loaded.predict_features(rows)
    assert is_unbuilt(loaded)
    expected = loaded.pipeline.predict_proba(rows)
    np.testing.assert_allclose(found, expected, rtol=0, atol=LAST_BIT)
    np.testing.assert_array_equal(found, trained.predict_features(rows))


@pytest.mark.parametrize("kind", ["knn", "forest"])
def test_what_is_not_linear_is_built_at_once(make_features, tmp_path, kind):
    trained = train(make_features(THREE, noise=1), classifier=kind)
    loaded = load_classifier(saved(trained, tmp_path))
    assert not is_unbuilt(loaded)
    rows = some_rows(6)
    np.testing.assert_array_equal(loaded.predict_features(rows), trained.predict_features(rows))


def test_the_pipeline_is_built_from_what_was_read_whatever_lies_there_then(make_features, tmp_path):
    path = saved(train(make_features(THREE, noise=1)), tmp_path)
    loaded = load_classifier(path)
    path.unlink()
    assert isinstance(loaded.pipeline, Pipeline)
    assert loaded.pipeline is loaded.pipeline
    loaded.save(tmp_path / "again.skops")
    again, rows = load_classifier(tmp_path / "again.skops"), some_rows(6)
    np.testing.assert_array_equal(again.predict_features(rows), loaded.predict_features(rows))


def test_a_classifier_that_is_not_built_can_be_pickled_and_copied(make_features, tmp_path):
    loaded = load_classifier(saved(train(make_features(THREE, noise=1)), tmp_path))
    rows = some_rows(6)
    for other in (pickle.loads(pickle.dumps(loaded)), copy.deepcopy(loaded)):
        assert is_unbuilt(other)
        np.testing.assert_array_equal(other.predict_features(rows), loaded.predict_features(rows))
        assert isinstance(other.pipeline, Pipeline)


def test_a_file_that_says_two_things_of_one_object_is_read_by_skops_alone(make_features, tmp_path):
    # skops gives the second place what is at the first, and so would read other numbers.
    path = saved(train(make_features(THREE, noise=1)), tmp_path)

    def same_id(members):
        schema = json.loads(members["schema.json"])
        model = schema["content"]["content"]["steps"]["content"][1]["content"][1]
        attributes = model["content"]["content"]
        attributes["intercept_"]["__id__"] = attributes["classes_"]["__id__"]
        return members | {"schema.json": json.dumps(schema).encode()}

    forge(path, same_id)
    loaded = load_classifier(path)
    assert not is_unbuilt(loaded)
    assert loaded.pipeline[-1].intercept_ is loaded.pipeline[-1].classes_


@pytest.mark.parametrize(
    ("name", "forged"),
    [
        ("classes_", lambda x: -x),  # which would name columns from the end
        ("intercept_", lambda x: x[:, None]),
        ("coef_", lambda x: x.astype(complex)),
        ("coef_", lambda x: x.astype(str)),
    ],
)
def test_arrays_that_nothing_fitted_has_are_not_applied_by_the_rule(
    make_features, tmp_path, name, forged
):
    path = saved(train(make_features(THREE, noise=1)), tmp_path)
    assert is_unbuilt(load_classifier(path))

    def other_numbers(members):
        schema = json.loads(members["schema.json"])
        model = schema["content"]["content"]["steps"]["content"][1]["content"][1]
        file = model["content"]["content"][name]["file"]
        changed = io.BytesIO()
        np.save(changed, forged(np.load(io.BytesIO(members[file]))))
        return members | {file: changed.getvalue()}

    forge(path, other_numbers)
    with suppress(ClassifierFileError):  # of skops, or of the trial
        assert not is_unbuilt(load_classifier(path))


def test_numbers_that_do_not_fit_together_are_refused(make_features, tmp_path):
    path = saved(train(make_features(THREE, noise=1)), tmp_path)

    def other_array(members):
        schema = json.loads(members["schema.json"])
        model = schema["content"]["content"]["steps"]["content"][1]["content"][1]
        attributes = model["content"]["content"]
        attributes["coef_"]["file"] = attributes["classes_"]["file"]
        return members | {"schema.json": json.dumps(schema).encode()}

    rewrite(path, other_array)
    with pytest.raises(ClassifierFileError):
        load_classifier(path)


@pytest.mark.parametrize(
    "pipeline",
    [
        make_pipeline(Normalizer("l1"), LogisticRegression()),
        make_pipeline(StandardScaler(with_mean=False), LogisticRegression()),
        make_pipeline(Normalizer(), StandardScaler(), LogisticRegression()),
        make_pipeline(OneVsRestClassifier(LogisticRegression())),
    ],
    ids=["another norm", "another scaling", "two scalings", "one against the rest of the classes"],
)
def test_another_pipeline_has_no_rule(pipeline, make_features):
    features = make_features(THREE, noise=1)
    assert LinearRule.of(pipeline) is None  # not fitted
    pipeline.fit(features.features, features.labels)
    assert LinearRule.of(pipeline) is None
    assert row_width(pipeline) == 6


def test_neither_loading_nor_predicting_imports_scikit_learn(make_features, tmp_path):
    path = saved(train(make_features(THREE, noise=1)), tmp_path)
    code = f"""
import sys
import numpy as np
from penult import load_classifier
classifier = load_classifier({str(path)!r})
rows = np.ones((2, 6), np.float32)
classifier.predictions(["a", "b"], classifier.predict_features(rows))
repr(classifier), classifier._repr_html_()
loaded = {{name.partition(".")[0] for name in sys.modules}}
assert not loaded & {{"sklearn", "skops", "scipy", "torch", "pytest"}}, loaded
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    # In a process that has imported none of them: see test_what_goes_wrong_while_skops_is_imported.
    assert type(load_classifier(path).pipeline).__module__ == "sklearn.pipeline"


def test_numbers_of_another_length_have_no_rule():
    rows = np.random.default_rng(0).normal(size=(12, 4))
    labels = [0, 1, 2] * 4

    def fitted(*steps):
        pipeline = make_pipeline(*steps, LogisticRegression()).fit(rows, labels)
        assert LinearRule.of(pipeline) is not None
        return pipeline

    scaled = fitted(StandardScaler())
    scaled[0].scale_ = scaled[0].scale_[:3]
    reduced = fitted(PCA(2))
    reduced[0].mean_ = reduced[0].mean_[None]
    classes = fitted(Normalizer())
    classes[-1].coef_ = classes[-1].coef_[:2]
    for pipeline in (scaled, reduced, classes):
        assert LinearRule.of(pipeline) is None


def test_of_several_labels_each_has_two_outcomes():
    rows = np.random.default_rng(0).normal(size=(12, 4))
    several = OneVsRestClassifier(LogisticRegression())
    pipeline = make_pipeline(several).fit(rows, np.eye(3, dtype=int)[[0, 1, 2] * 4])
    assert LinearRule.of(pipeline) is not None
    several.estimators_[1].classes_ = np.arange(3)
    assert LinearRule.of(pipeline) is None


def test_a_file_that_holds_anything_else_is_read_by_skops():
    schema = {"protocol": 2, "__loader__": "ObjectNode", "__module__": "a", "__class__": "B"}
    assert read_unbuilt(schema, None) is None
