"""A kind of classifier that is not penult's: what it takes to add one, and what comes with it."""

from types import MappingProxyType

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

from penult.classify.export.graph import probe_graph
from penult.classify.kinds import registry
from penult.classify.kinds.base import ClassifierKind
from penult.classify.kinds.registry import kind_names, register_kind
from penult.classify.loading import load_classifier
from penult.classify.training.train import train
from penult.engines.onnx_export import run_graph
from penult.errors import ClassifierFileError, TrainingError, UsageError

COUNTS = {"daisy": 20, "rose": 20, "tulip": 20}


class NaiveBayes(ClassifierKind):
    name = "bayes"
    grid = MappingProxyType({"var_smoothing": (1e-9, 1e-3)})
    trusted = MappingProxyType({"ObjectNode": {"sklearn.naive_bayes.GaussianNB"}})

    def make(self, seed, **params):
        return GaussianNB(**params)


@pytest.fixture
def bayes(monkeypatch):
    monkeypatch.setattr(registry, "_kinds", dict(registry._kinds))
    register_kind(NaiveBayes())


@pytest.mark.usefixtures("bayes")
def test_it_is_trained_saved_loaded_and_exported_as_any_other(make_features, tmp_path):
    features = make_features(COUNTS)
    classifier = train(features, classifier=["bayes", "centroid"], scale="none")
    assert kind_names()[-1] == "bayes"
    assert classifier.settings.classifier == "bayes"
    assert [r.params for r in classifier.settings.grid[:2]] == [
        {"var_smoothing": 1e-9},
        {"var_smoothing": 1e-3},
    ]
    assert classifier.scores.accuracy == 1
    classifier.save(tmp_path / "a.skops")
    expected = classifier.predict_features(features.features)
    loaded = load_classifier(tmp_path / "a.skops")
    np.testing.assert_array_equal(loaded.predict_features(features.features), expected)
    graph = probe_graph(classifier).model.SerializeToString()
    np.testing.assert_allclose(run_graph(graph, features.features)[0], expected, atol=1e-5)


@pytest.mark.usefixtures("bayes")
def test_what_it_does_not_do_is_refused(make_features):
    with pytest.raises(TrainingError, match="bayes needs all of them at once; take logistic, svm"):
        train(make_features(COUNTS), classifier="bayes", max_memory=1)
    targets = np.eye(3, dtype=bool)[np.arange(60) % 3]
    several = make_features(COUNTS, targets=targets)
    with pytest.raises(TrainingError, match="bayes learns one an image; take logistic, svm, ridge"):
        train(several, classifier="bayes")


def test_its_file_is_refused_where_nobody_registered_it(make_features, tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "_kinds", dict(registry._kinds))
        register_kind(NaiveBayes())
        train(make_features(COUNTS), classifier="bayes").save(tmp_path / "a.skops")
    with pytest.raises(
        ClassifierFileError, match=r"holds sklearn\.naive_bayes\.GaussianNB \(loaders of skops: Obj"
    ):
        load_classifier(tmp_path / "a.skops")


def test_a_file_that_could_not_be_opened_again_is_not_written(bayes, make_features, tmp_path):
    class Forgetful(NaiveBayes):
        name = "forgetful"
        trusted = MappingProxyType({})

    register_kind(Forgetful())
    registry.unregister_kind("bayes")
    classifier = train(make_features(COUNTS), classifier="forgetful")
    with pytest.raises(
        ClassifierFileError,
        match=r"put ObjectNode: sklearn\.naive_bayes\.GaussianNB into `trusted`",
    ):
        classifier.save(tmp_path / "a.skops")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("bayes")
def test_an_estimator_without_probabilities_is_refused_before_training(make_features):
    class Undecided(NaiveBayes):
        name = "undecided"
        grid = MappingProxyType({})

        def make(self, seed, **params):
            return LinearSVC()

    register_kind(Undecided())
    with pytest.raises(UsageError, match="undecided makes a LinearSVC, which has no predict_proba"):
        train(make_features(COUNTS), classifier="undecided")


@pytest.mark.usefixtures("bayes")
def test_a_grid_of_its_own_that_cannot_be_is_refused_before_training(make_features):
    class Wrong(NaiveBayes):
        name = "wrong"
        grid = MappingProxyType({"var_smoothing": (-1.0,)})

    register_kind(Wrong())
    with pytest.raises(UsageError, match=r"^wrong cannot have .*'var_smoothing': -1.0"):
        train(make_features(COUNTS), classifier="wrong")


@pytest.mark.usefixtures("bayes")
def test_what_does_not_stream_says_so():
    with pytest.raises(NotImplementedError, match="bayes does not stream"):
        NaiveBayes().solve_streamed(None, [], lambda: None)
