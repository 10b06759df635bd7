"""Each reason why nothing can be learned has its own line, and the remedy that helps there."""

import numpy as np
import pytest

from penult.errors import TrainingError
from penult.interface import serving_command_line
from penult.partition.splits import hold_out


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        pytest.param({}, "one folder a class, or extract again with --labels", id="folders"),
        pytest.param({"labels": "none"}, "extracted with --labels none", id="labels none"),
        pytest.param(
            {"labels": "parent", "label_pattern": "x_(?P<label>.+)"},
            r"the pattern 'x_\(\?P<label>.\+\)' matched no file name",
            id="pattern",
        ),
        pytest.param({"labels": "t.csv"}, "the labels of t.csv are of other images", id="table"),
    ],
)
def test_no_label_at_all(make_features, origin, said):
    features = make_features({"daisy": 4, "rose": 4}, labels=np.full(8, -1), origin=origin)
    with serving_command_line(), pytest.raises(TrainingError, match=said):
        hold_out(features)


def test_folders_are_asked_for_only_where_they_are_missing(make_features):
    with pytest.raises(TrainingError, match=r"one class only \(daisy\).*: put the images into one"):
        hold_out(make_features({"daisy": 9}))
    with pytest.raises(TrainingError, match="add images of another, or extract again"):
        hold_out(make_features({"daisy": 9}, origin={"labels": "t.csv", "label_pattern": None}))


@pytest.mark.parametrize(
    ("least", "said"),
    [
        pytest.param(10, r"one class only \(rose\).*--min-per-class 10 left out 1 class, daisy;"),
        pytest.param(50, "no class; .*--min-per-class 50 left out 2 classes, daisy, rose;"),
    ],
    ids=["one is left", "none is left"],
)
def test_classes_left_out_because_they_are_small(make_features, least, said):
    features = make_features({"daisy": 9, "rose": 20})
    with serving_command_line(), pytest.raises(TrainingError, match=said):
        hold_out(features, min_per_class=least)


# Twelve images a class; daisies, then roses.
HALVES = ["train"] * 6 + ["test"] * 6


@pytest.mark.parametrize(
    ("splits", "content", "said"),
    [
        pytest.param(
            ["train"] * 12 + ["test"] * 12,
            range(24),
            r"the training part has images of one class only \(daisy\), and .*; mend the splits, "
            "or give --ignore-splits",
            id="the split has one class",
        ),
        pytest.param(
            HALVES * 2,
            [*range(12), *range(12, 18), *range(12, 18)],
            r"images of one class only \(daisy\), once 6 images that the held-out split has too "
            "are left out, .*; score with other images, or give --ignore-splits",
            id="copies moved a class to one side",
        ),
        pytest.param(
            HALVES * 2,
            [*range(6), *range(6), *range(6, 12), *range(6, 12)],
            "the training part has no image, once 12 images that the held-out split has too are "
            "left out, .*; score with other images",
            id="the test split repeats the training split",
        ),
    ],
)
def test_a_training_part_that_lost_its_classes(make_features, splits, content, said):
    features = make_features(
        {"daisy": 12, "rose": 12}, splits=splits, content=[f"c{n}" for n in content]
    )
    with serving_command_line(), pytest.raises(TrainingError, match=said) as error:
        hold_out(features)
    assert "folder" not in str(error.value)


def test_test_features_that_hold_all_of_a_class(make_features):
    there = np.arange(24) >= 12
    said = "one class only .daisy., once 12 images that the test features have too"
    with pytest.raises(TrainingError, match=said) as error:
        hold_out(make_features({"daisy": 12, "rose": 12}), in_test_file=there)
    assert "folder" not in str(error.value)
    assert "ignore_splits" not in str(error.value)


def test_copies_count_once_where_images_are_too_few(make_features):
    content = [f"c{n}" for n in [*range(12), *[12] * 10, 13, 14]]
    features = make_features({"daisy": 12, "rose": 12}, content=content)
    with pytest.raises(TrainingError, match=r"too few different images .* rose .3. \(identical"):
        hold_out(features, folds=4)
