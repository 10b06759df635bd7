"""One file under several labels is named."""

from __future__ import annotations

import numpy as np

from penult.features.contradictions import find_contradictions


def test_images_that_are_one_file_with_several_labels_are_named(make_features):
    features = make_features(
        {"rose": 4, "tulip": 2},
        ids=["a", "b", "c", "d", "e", "f"],
        labels=np.array([0, 1, 0, 0, -1, 1]),
        label_names=("rose", "tulip"),
        content=["1", "1", "2", "2", "1", ""],
    )
    assert find_contradictions(features) == (
        "the same file is in two classes: a (rose) and b (tulip)",
    )


def test_images_without_digests_contradict_nothing(make_features):
    features = make_features({"x": 1, "y": 1}, content=["", ""])
    assert find_contradictions(features) == ()
