"""One file under several labels is named."""

from __future__ import annotations

import dataclasses
import tracemalloc

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


def test_of_several_labels_all_count(make_features):
    features = make_features(
        {"rose": 3, "tulip": 3},
        ids=["a", "b", "c", "d", "e", "f"],
        label_names=("rose", "tulip"),
        targets=np.array([[1, 0], [1, 1], [1, 0], [1, 0], [0, 0], [1, 1]], bool),
        content=["1", "1", "2", "2", "1", "1"],
    )
    assert find_contradictions(features) == (
        "the same file is in two classes: a (rose) and b (rose|tulip) and f (rose|tulip)",
    )


def test_a_search_costs_a_few_bytes_an_image(make_features):
    count = 20_000
    features = make_features({"rose": count // 2, "tulip": count // 2})
    content = [f"{k:032x}" for k in range(count)]
    content[0] = content[-1]
    features = dataclasses.replace(features, content=content)
    tracemalloc.start()
    found = find_contradictions(features)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == 1
    assert peak / count < 150


def test_of_many_files_one_of_each_label_comes_first(make_features):
    features = make_features({"rose": 9, "tulip": 1}, content=["1"] * 10)
    (told,) = find_contradictions(features)
    assert told.startswith(
        "the same file is in two classes: rose/000.jpg (rose), tulip/009.jpg (tulip), rose/001.jpg"
    )
