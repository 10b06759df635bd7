"""Training as its command does it: layers, an output, results."""

import json

import pytest

import penult
from penult.errors import OutputExistsError, UnknownNameError, UsageError

pytestmark = pytest.mark.light


@pytest.fixture
def file(photos, toy, tmp_path):
    penult.extract(photos, tmp_path / "f.h5", model=toy, layer=["pixels", "mean", "logits"])
    return tmp_path / "f.h5"


def test_a_layer_is_named_and_of_several_the_best_is_kept(file):
    options = {"classifier": "centroid"}
    assert penult.train(file, **options).recipe.layer == "logits"  # the last
    assert penult.train(file, layer="mean", **options).recipe.layer == "mean"
    for asked in ("all", ["mean", "logits", "pix*"]):
        best = penult.train(file, layer=asked, **options)
        assert [one.layer for one in best.settings.layers] == ["pixels", "mean", "logits"]
        assert best.recipe.layer in ("pixels", "mean", "logits")


def test_the_last_layer_of_several_is_named_in_the_log_and_by_the_classifier(file, caplog):
    caplog.set_level("INFO", "penult")
    trained = penult.train(file, classifier="centroid")
    assert "the layer logits, the last of 3; layer='all' tries all" in caplog.text
    assert "layer logits (the last of 3)" in repr(trained)
    assert trained.settings.to_dict()["file_layers"] == ("pixels", "mean", "logits")


def test_a_layer_that_there_is_not_is_refused_and_so_is_one_of_rows_in_memory(file):
    with pytest.raises(UnknownNameError, match="did you mean mean"):
        penult.train(file, layer="meen")
    with pytest.raises(UnknownNameError, match=r"several are a list: layer=\['mean', 'pix\*'\]"):
        penult.train(file, layer="mean, pix*")
    with pytest.raises(UsageError, match=r"layer is .*; give one alone, a name, or None"):
        penult.load(file, layer=["mean", "logits"])
    with pytest.raises(UsageError, match="rows in memory have one layer, logits; give the feature"):
        penult.train(penult.load(file), layer="mean")
    with pytest.raises(UsageError, match="give one layer, or leave out near_duplicates"):
        penult.train(file, layer="all", near_duplicates=0.95)


def test_the_classifier_and_its_results_are_written_where_they_are_asked_for(file, tmp_path):
    asked = {"classifier": "centroid", "results": tmp_path / "results"}
    trained = penult.train(file, tmp_path / "c.skops", **asked)
    assert penult.load_classifier(tmp_path / "c.skops").scores == trained.scores
    told = json.loads((tmp_path / "results" / "scores.json").read_text())
    assert told["accuracy"] == trained.scores.accuracy
    assert (tmp_path / "results" / "confusion_matrix.png").exists()
    for taken in ({"output": tmp_path / "c.skops"}, {"results": tmp_path / "results"}):
        with pytest.raises(OutputExistsError, match="give overwrite=True to replace "):
            penult.train(file, **taken)
    with pytest.raises(OutputExistsError, match="is what is read"):
        penult.train(file, file, overwrite=True)
    penult.train(file, tmp_path / "c.skops", overwrite=True, **asked)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"confusion": "normal"}, "unknown confusion 'normal'; did you mean normalized"),
        ({"max_memory": "lots"}, "max_memory='lots' is no size; for example max_memory='4GB'"),
        ({"max_memory": "3kB"}, "max_memory='3kB' takes longer than anybody waits; give 1MB"),
        ({"max_memory": "4"}, "max_memory='4' is 4 bytes; did you mean max_memory='4GB'?"),
        ({"max_memory": 0}, "0 bytes of memory hold no row"),
    ],
)
def test_an_option_that_cannot_be_is_refused(file, options, complaint):
    with pytest.raises(UsageError, match=complaint):
        penult.train(file, **options)


def test_memory_is_a_number_of_bytes_or_a_size_in_words(file):
    by_number = penult.train(file, classifier="centroid", max_memory=4_000_000_000)
    in_words = penult.train(file, classifier="centroid", max_memory="4 GB")
    assert in_words.scores == by_number.scores


def test_stored_is_the_old_name_of_ignore_splits_and_says_the_opposite(make_features):
    splits = ["test", *["train"] * 11, "test", *["train"] * 11]
    features = make_features({"a": 12, "b": 12}, splits=splits)
    assert penult.train(features, classifier="centroid").scores.images == 2
    drawn = penult.train(features, classifier="centroid", ignore_splits=True)
    assert drawn.scores.images == 6
    with pytest.warns(FutureWarning, match="stored=False is now written ignore_splits=True"):
        assert penult.train(features, classifier="centroid", stored=False).scores == drawn.scores
    with pytest.raises(UsageError, match="give ignore_splits alone"):
        penult.train(features, stored=False, ignore_splits=True)


def test_results_hold_every_layer_and_the_runs_of_each(photos, toy, tmp_path):
    penult.extract(photos, tmp_path / "f.h5", model=toy, layer=["mean", "penultimate"])
    options = {"layer": "all", "classifier": "centroid", "folds": 2, "runs": 2}
    found = penult.train(tmp_path / "f.h5", results=tmp_path / "r", **options)
    told = json.loads((tmp_path / "r" / "scores.json").read_text())
    assert [one["layer"] for one in told["layers"]] == [x.layer for x in found.settings.layers]
    for one, layer in zip(told["layers"], found.settings.layers, strict=True):
        assert one["cross_validated"] == layer.cross_validated
        assert one["runs"]["accuracies"] == list(layer.runs.accuracies)
        assert layer.runs.accuracies[0] == layer.accuracy
    assert told["runs"]["mean"] == found.settings.runs.mean
    assert "mean of the runs" in found._repr_html_()
    found.save(tmp_path / "c.skops")
    assert penult.load_classifier(tmp_path / "c.skops").settings == found.settings
