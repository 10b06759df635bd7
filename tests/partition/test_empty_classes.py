from dataclasses import replace

import numpy as np
import pytest

import penult
from penult.images.notes import label_messages
from penult.partition.empty_classes import without_empty_classes


@pytest.fixture
def with_empty(make_features):
    """Twelve rows of daisy and twelve of tulip; rose, between the two, has none."""
    two = make_features({"daisy": 12, "tulip": 12})
    labels = np.where(np.asarray(two.labels) == 1, 2, two.labels)
    labels[5] = -1
    return replace(two, labels=labels, label_names=("daisy", "rose", "tulip"))


def test_classes_without_a_row_are_left_out_and_the_others_numbered_anew(with_empty):
    left = without_empty_classes(with_empty)
    assert left.label_names == ("daisy", "tulip")
    assert left.labels.tolist() == [0] * 5 + [-1] + [0] * 6 + [1] * 12


def test_labels_of_images_that_may_have_several_are_left_out_likewise(with_empty):
    targets = np.array(with_empty.labels)[:, None] == np.arange(3)
    left = without_empty_classes(replace(with_empty, targets=targets))
    assert left.targets.tolist() == targets[:, [0, 2]].tolist()
    assert left.label_names == ("daisy", "tulip")


def test_where_every_class_has_a_row_nothing_is_made_anew(make_features):
    features = make_features({"daisy": 1, "tulip": 1})
    assert without_empty_classes(features) is features


@pytest.mark.parametrize("memory", [1 << 30, 2000])  # of these, the rows do not fit into the second
def test_a_classifier_has_no_class_without_a_row_and_a_line_says_so(
    with_empty, memory, caplog, monkeypatch
):
    monkeypatch.setattr("penult.tasks.train.in_bytes", lambda _: memory)
    trained = penult.train(with_empty, folds=2)
    assert trained.label_names == ("daisy", "tulip")
    assert [one.label for one in trained.scores.classes] == ["daisy", "tulip"]
    assert "penult: rose has no row, and is left out" in caplog.messages


def test_of_several_labels_an_image_one_without_a_row_is_left_out(with_empty, caplog):
    targets = np.array(with_empty.labels)[:, None] == np.arange(3)
    trained = penult.train(replace(with_empty, targets=targets), folds=2)
    assert trained.label_names == ("daisy", "tulip")
    assert "penult: rose has no row, and is left out" in caplog.messages


def test_an_extraction_says_which_classes_have_no_row_and_does_not_count_them(with_empty):
    assert "2 classes" in repr(with_empty)
    assert label_messages(with_empty)[-1] == "rose has no row, and is not counted as a class"
