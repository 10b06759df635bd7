"""Weights files of a stored tree that have moved: each goes to the network whose digest it has."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from toys import _build_tiny

import penult
from penult.errors import UsageError, WeightsError
from penult.recipe import AveragedRecipe, JoinedRecipe


@pytest.fixture
def files(tmp_path):
    """Two files of weights: those of `tiny:network`, and twice as large ones."""
    paths = (tmp_path / "first.pth", tmp_path / "second.pth")
    for factor, path in enumerate(paths, 1):
        torch.save({k: factor * v for k, v in _build_tiny().state_dict().items()}, path)
    return paths


@pytest.fixture
def flowers(photos, tiny, twin, files, tmp_path):
    """A classifier of both networks' rows, joined; and what it said of the photos then."""
    alone = [
        penult.extract(photos, model=model, weights=file, views="flip")
        for model, file in zip((tiny, twin), files, strict=True)
    ]
    recipe = JoinedRecipe(tuple(one.recipe for one in alone))
    assert all(isinstance(part, AveragedRecipe) for part in recipe.parts)
    rows = recipe.join([one.features[:] for one in alone])
    features = penult.Features(
        features=rows,
        ids=alone[0].ids,
        labels=alone[0].labels,
        label_names=alone[0].label_names,
        recipe=recipe,
    )
    classifier = penult.train(features, grid={"C": [1]})
    return classifier, said(classifier.predict(photos))


def said(predictions):
    return [(one.id, one.label, pytest.approx(one.probability)) for one in predictions]


def moved(path):
    return path.rename(path.with_name(f"moved_{path.name}"))


def test_one_that_moved_is_found_by_its_digest(flowers, photos, files):
    classifier, before = flowers
    for path in files:
        place = moved(path)
        with pytest.raises(WeightsError, match=rf"{path.name}, which is not there; give weights="):
            classifier.predict(photos)
        assert said(classifier.predict(photos, weights=place)) == before
        place.rename(path)


def test_where_both_moved_both_are_given_in_any_order(flowers, photos, files, tmp_path):
    classifier, before = flowers
    first, second = map(moved, files)
    for weights in ([first, second], [str(second), str(first)]):
        assert said(classifier.predict(photos, weights=weights)) == before
        assert penult.evaluate(classifier, photos, weights=weights).scores.images == 36
        rows = penult.Extractor(classifier.recipe, weights=weights)([np.zeros((9, 9, 3), np.uint8)])
        assert rows.shape == (1, 32)
    made = penult.export(classifier, tmp_path / "f.onnx", weights=[second, first])
    assert made.row_difference < 1e-5
    with pytest.raises(WeightsError, match=r"first.pth, which is not there; give weights="):
        classifier.predict(photos, weights=second)


def test_a_file_of_none_of_them_is_refused(flowers, photos, files, tmp_path):
    classifier, _ = flowers
    other = tmp_path / "other.pth"
    torch.save({k: 3 * v for k, v in _build_tiny().state_dict().items()}, other)
    for weights in (other, [files[0], other]):
        with pytest.raises(
            WeightsError, match=r"other.pth has the weights of none of the networks"
        ):
            classifier.predict(photos, weights=weights)
    with pytest.raises(WeightsError, match=r"there is no weights file .*none.pth"):
        classifier.predict(photos, weights=tmp_path / "none.pth")
    with pytest.raises(UsageError, match="weights was given 2 times, and not always a file"):
        classifier.predict(photos, weights=[files[0], "random"])
    with pytest.raises(UsageError, match=r"weights is \[.*; give a path, 'random', or None"):
        penult.Extractor("efficientnet_lite0", weights=[files[0]])
