"""A joined, averaged, reduced classifier: the same from `predict`, from Python and from ONNX."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
from small_images import PACKAGES
from test_docs import ROOT, blocks_of

import penult
from penult.images.listing import list_images
from penult.images.pixels.transform import Transform
from penult.images.read import read_pixels
from penult.recipe import Preprocessing, ProjectedRecipe, Projection, Recipe, View


def reduced(features, components, *, whiten=False):
    """Rows on their principal components, by NumPy."""
    rows = np.asarray(features.features[:], np.float64)
    mean = rows.mean(axis=0)
    _, lengths, directions = np.linalg.svd(rows - mean, full_matrices=False)
    variances = lengths**2 / (len(rows) - 1)
    projection = Projection(
        mean=mean,
        components=directions[:components],
        explained_variance=variances[:components],
        total_variance=float(variances.sum()),
        whiten=whiten,
    )
    return replace(
        features,
        features=projection.apply(features.features[:]),
        recipe=ProjectedRecipe.of(features.recipe, projection),
        name=f"pca{components}",
    )


def inputs_of(session, photos):
    """What the graph takes, by penult's own `Transform`, from what its metadata say."""
    told = session.get_modelmeta().custom_metadata_map
    names, hows = json.loads(told["penult.inputs"]), json.loads(told["penult.preprocessing"])
    hows = hows if isinstance(hows, list) else [hows]
    records = list_images([photos]).records
    images = {}
    for name, how in zip(names, hows, strict=True):
        views = [View(place) for place in how.pop("places", ["center"])]
        transform = Transform(Preprocessing.from_dict(how), views)
        images[name] = np.stack([read_pixels(record, transform)[0] for record in records])
    return [record.id for record in records], images


def agree(file, graph, photos):
    """The same probabilities from the file, from the graph, and from Python's rows."""
    classifier = penult.load_classifier(file)
    session = onnxruntime.InferenceSession(graph)
    ids, images = inputs_of(session, photos)
    probabilities, labels = session.run(["probabilities", "label"], images)
    predictions = penult.predict(file, photos, top=3)
    assert [one.id for one in predictions] == ids
    with penult.Extractor(classifier.recipe) as extractor:
        rows = extractor([photos / name for name in ids])
    by_hand = classifier.predict_features(rows)
    for one, ours, by_rows, label in zip(predictions, probabilities, by_hand, labels, strict=True):
        told = [dict(one.top)[name] for name in classifier.label_names]
        np.testing.assert_allclose(by_rows, told, atol=1e-6)
        np.testing.assert_allclose(ours, told, atol=1e-4)
        assert classifier.label_names[label] == one.label


@pytest.mark.parametrize("whiten", [False, True])
def test_two_toys_joined_flipped_and_reduced_give_the_same_everywhere(
    photos, toy, tiny, tmp_path, whiten
):
    features = penult.extract(photos, model=[toy, tiny], views="flip")
    classifier = penult.train(reduced(features, 4, whiten=whiten), grid={"C": [1]})
    classifier.save(tmp_path / "f.skops")
    made = penult.export(tmp_path / "f.skops", tmp_path / "f.onnx")
    assert made.network == f"{toy} + {tiny}"
    assert [(one.name, one.shape) for one in made.inputs] == [
        ("images_0", (None, 8, 8, 3)),
        ("images_1", (None, 32, 32, 3)),
    ]
    assert made.row_difference < 1e-5
    agree(tmp_path / "f.skops", tmp_path / "f.onnx", photos)
    told = onnxruntime.InferenceSession(tmp_path / "f.onnx").get_modelmeta().custom_metadata_map
    assert Recipe.from_json(told["penult.recipe"]) == classifier.recipe


def test_rows_of_a_tree_are_scored_exported_and_pickled_as_others_are(photos, toy, tiny, tmp_path):
    features = reduced(penult.extract(photos, model=[toy, tiny], views="flip"), 4)
    classifier = pickle.loads(pickle.dumps(penult.train(features, grid={"C": [1]})))
    of_photos, of_rows = (penult.evaluate(classifier, one) for one in (photos, features))
    assert of_photos.scores.accuracy == of_rows.scores.accuracy
    assert of_photos.scores.images == of_rows.scores.images
    penult.export_rows(features, tmp_path / "rows.npz")
    with np.load(tmp_path / "rows.npz") as rows:
        assert Recipe.from_json(str(rows["recipe"])) == features.recipe
        assert rows["features"].shape == (36, 4)


def test_rows_reduced_inside_training_are_exported_of_a_tree_too(photos, toy, tiny, tmp_path):
    features = penult.extract(photos, model=[toy, tiny], views="flip")
    penult.train(features, grid={"C": [1]}, reduce=3).save(tmp_path / "f.skops")
    penult.export(tmp_path / "f.skops", tmp_path / "f.onnx")
    agree(tmp_path / "f.skops", tmp_path / "f.onnx", photos)


@pytest.mark.slow
def test_the_bundled_networks_joined_flipped_and_reduced_give_the_same_everywhere(
    photos, tmp_path, monkeypatch
):
    monkeypatch.setattr("penult.backbones.bundled._PACKAGES", PACKAGES)
    for photo in sorted(photos.rglob("*.jpg")):  # four of a class are as good as twelve
        if int(photo.stem[-2:]) > 4:
            photo.unlink()
    features = penult.extract(
        photos, model=["efficientnet_lite0", "efficientnet_lite1"], views="flip"
    )
    penult.train(reduced(features, 8), grid={"C": [1]}).save(tmp_path / "f.skops")
    penult.export(tmp_path / "f.skops", tmp_path / "f.onnx")
    agree(tmp_path / "f.skops", tmp_path / "f.onnx", photos)


def test_the_documented_program_prepares_what_transform_does(
    photos, margins, tiny, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    models = [margins, tiny]
    averaged = penult.extract(photos, model=margins, views="ten-crop")
    joined = penult.extract(photos, model=models)
    parts = (averaged.recipe, joined.recipe.parts[1])
    recipe = replace(joined.recipe, parts=parts, weights=(1, 0.5))
    rows = recipe.join([averaged.features[:], joined.features[:, 3:]])
    classifier = penult.train(replace(joined, features=rows, recipe=recipe), grid={"C": [1]})
    classifier.save("two.skops")
    penult.export("two.skops", "two.onnx")
    agree(tmp_path / "two.skops", tmp_path / "two.onnx", photos)

    page = (ROOT / "docs/combine.md").read_text("utf-8")
    (program,) = [one.text for one in blocks_of(page, "combine.md") if "onnxruntime" in one.text]
    names = {}
    exec(program, names)
    ids, expected = inputs_of(names["session"], photos)
    prepared = names["prepare"]([photos / name for name in ids])
    assert expected["images_0"].shape == (36, 5, 8, 8, 3)
    assert {k: v.shape for k, v in prepared.items()} == {k: v.shape for k, v in expected.items()}
    for name, images in expected.items():
        np.testing.assert_array_equal(prepared[name], images)
