from dataclasses import replace

import h5py
import numpy as np
import pytest

from penult.classify.diagnosis.layers import best_layer, choose_layers, train_layers
from penult.classify.loading import load_classifier
from penult.errors import UnknownNameError, UsageError
from penult.extraction import extract
from penult.features.read import load


@pytest.fixture
def file(photos, toy, tmp_path):
    """Three layers of the toy backbone; what the first had to say is replaced by noise."""
    path = tmp_path / "rows.h5"
    extract(photos, path, model=toy, layer=["pixels", "mean", "logits"])
    with h5py.File(path, "r+") as opened:
        rows = opened["layers/pixels"]
        rows[:] = np.random.default_rng(0).normal(size=rows.shape)
    return path


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["all"], ["pixels", "mean", "logits"]),
        (["logits", "pixels"], ["pixels", "logits"]),
        (["*s"], ["pixels", "logits"]),
        (["mean", "m*"], ["mean"]),
    ],
)
def test_layers_are_chosen_by_name_or_glob_in_execution_order(file, wanted, found):
    assert choose_layers(file, wanted) == found


def test_a_layer_that_is_not_there_is_named_with_a_close_one(file):
    with pytest.raises(UnknownNameError, match="did you mean logits"):
        choose_layers(file, ["mean", "logit"])


def test_every_layer_is_trained_and_scored_on_the_same_images(file):
    told = []
    found = train_layers(file, grid={"C": [1, 10]}, progress=told.append)
    assert list(found) == ["pixels", "mean", "logits"]
    assert found["pixels"].scores.accuracy < 0.7 < found["mean"].scores.accuracy == 1
    assert len({one.held_out.ids for one in found.values()}) == 1
    assert [p.done for p in told] == [
        *range(8),
        *range(7, 15),
        *range(14, 22),
    ]  # 3 layers, 2 values, 3 folds, 1 fit
    assert {p.total for p in told} == {21}


LUCKY = {"mean": 0.1, "pixels": 0.2}


def cross_validated(classifier, mean):
    """The classifier, as if its one candidate had had this score in cross-validation."""
    grid = (replace(classifier.settings.grid[0], mean=mean),)
    return replace(classifier, settings=replace(classifier.settings, grid=grid))


def test_the_layer_is_chosen_by_cross_validation_and_not_by_the_held_out_images(file, tmp_path):
    found = train_layers(file, grid={"C": [1]})
    best = best_layer(found)
    assert best.recipe.layer == "mean"  # as good as logits, and before it
    path = tmp_path / "best.skops"
    best.save(path)
    table = load_classifier(path).settings.layers
    assert [row.layer for row in table] == ["pixels", "mean", "logits"]
    assert [row.width for row in table] == [3, 3, 2]
    for row in table:
        one = found[row.layer]
        assert row.accuracy == one.scores.accuracy
        assert row.cross_validated == one.settings.grid[0].mean
        assert row.interval == one.scores.interval
    # A layer that is better on the held-out images alone is not taken.
    lucky = {layer: cross_validated(found[layer], mean) for layer, mean in LUCKY.items()}
    assert best_layer(lucky).recipe.layer == "pixels"


def test_a_classifier_of_any_layer_is_applied_to_photos(file, photos):
    best = best_layer(train_layers(file, ["logits"]))
    assert best.recipe.layer == "logits"
    assert {p.label for p in best.predict(photos / "rose")} == {"rose"}


def test_another_file_is_scored_layer_by_layer(file, photos):
    found = train_layers(file, ["pixels", "mean"], test_features=file)
    assert {one.scores.images for one in found.values()} == {36}
    assert found["mean"].scores.accuracy == 1
    with pytest.raises(UsageError, match="give the file"):
        train_layers(file, test_features=load(file))


def test_near_duplicates_are_found_in_one_layer_alone(file):
    with pytest.raises(UsageError, match=r"that 3 layers are judged on; give one layer, or leave"):
        train_layers(file, near_duplicates=0.9)
