import dataclasses
import json

import numpy as np
import onnxruntime
import pytest

import penult
from penult.classify.export.export import export
from penult.classify.export.graph import probe_graph
from penult.classify.kinds.registry import find_kind
from penult.classify.training.train import train
from penult.engines.onnx_export import run_graph
from penult.engines.openvino.precision import capabilities
from penult.errors import (
    EngineError,
    MissingExtraError,
    OutputError,
    OutputExistsError,
    PathNotFoundError,
    UnknownNameError,
)
from penult.images.listing import list_images
from penult.images.pixels.transform import Transform
from penult.images.read import read_pixels
from penult.openvino import import_openvino
from penult.recipe import Preprocessing, Recipe

COUNTS = {"daisy": 15, "rose": 15, "tulip": 15}
GRIDS = {
    "svm": {"C": [0.1]},
    "ridge": {"alpha": [1.0]},
    "knn": {"n_neighbors": [5]},
    "forest": {"max_features": ["sqrt"]},
}


@pytest.fixture
def flowers(photos, toy, tmp_path):
    penult.extract(photos, tmp_path / "f.h5", model=toy)
    return penult.train(tmp_path / "f.h5")


def decoded(photos, preprocessing):
    transform = Transform(preprocessing)
    records = list_images([photos]).records
    return [r.id for r in records], np.stack([read_pixels(r, transform)[0] for r in records])


def agree(classifier, path, photos):
    """Run the file as another program would, and compare it with `predict` on the photos."""
    ids, images = decoded(photos, classifier.recipe.preprocessing)
    session = onnxruntime.InferenceSession(path)
    probabilities, labels = session.run(["probabilities", "label"], {"images": images})
    assert probabilities.dtype == np.float32
    predictions = classifier.predict(photos, top=len(classifier.label_names))
    assert [p.id for p in predictions] == ids
    for prediction, row, label in zip(predictions, probabilities, labels, strict=True):
        told = dict(prediction.top)
        expected = [told[name] for name in classifier.label_names]
        np.testing.assert_allclose(row, expected, atol=1e-4)
        assert classifier.label_names[label] == prediction.label


@pytest.mark.parametrize("scale", ["l2", "standard", "none"])
@pytest.mark.parametrize("kind", ["logistic", "svm", "ridge", "knn", "forest", "centroid"])
@pytest.mark.parametrize("classes", [2, 3])
def test_every_classifier_gives_the_same_probabilities(make_features, kind, scale, classes):
    counts = dict(list(COUNTS.items())[:classes])
    features = make_features(counts, noise=1.5)
    classifier = train(features, classifier=kind, scale=scale, grid=GRIDS.get(kind))
    graph = probe_graph(classifier).model
    # Rows it was trained on too, and a row of zeros.
    other = make_features(counts, noise=3, seed=1).features
    rows = np.concatenate([features.features, other, np.zeros((1, 6), np.float32)])
    probabilities, labels = run_graph(graph.SerializeToString(), rows)
    expected = classifier.predict_features(rows)
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    sure = np.sort(expected, axis=1)[:, -1] - np.sort(expected, axis=1)[:, -2] > 1e-4
    assert sure.mean() > 0.5
    assert (labels == expected.argmax(axis=1))[sure].all()


def test_neighbours_that_count_alike_do_so_in_onnx(make_features):
    features = make_features(COUNTS, noise=1.5)
    grid = {"n_neighbors": [3], "weights": ["uniform"]}
    classifier = train(features, classifier="knn", grid=grid)
    probabilities, _ = run_graph(
        probe_graph(classifier).model.SerializeToString(), features.features
    )
    expected = classifier.predict_features(features.features)
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    assert set(np.round(3 * expected.ravel(), 6)) <= {0, 1, 2, 3}


@pytest.mark.parametrize("scale", ["l2", "standard"])
@pytest.mark.parametrize("kind", ["logistic", "svm", "ridge", "knn", "forest", "centroid"])
def test_classifiers_of_several_labels_give_the_same_labels(make_features, kind, scale):
    rng = np.random.default_rng(0)
    targets = rng.random((60, 4)) < 0.5
    targets[:2] = [[True] * 4, [False] * 4]
    rows = (3 * targets @ np.eye(4, 6) + rng.normal(size=(60, 6))).astype(np.float32)
    labels = np.where(targets.sum(axis=1) == 1, targets.argmax(axis=1), -1)
    features = make_features(
        {"a": 15, "b": 15, "c": 15, "d": 15}, features=rows, labels=labels, targets=targets
    )
    classifier = train(features, classifier=kind, scale=scale, grid=GRIDS.get(kind))
    probabilities, found = run_graph(probe_graph(classifier).model.SerializeToString(), rows)
    expected = classifier.predict_features(rows)
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    sure = np.abs(expected - classifier.thresholds) > 1e-4
    assert sure.mean() > 0.5
    assert ((expected > classifier.thresholds) == found)[sure].all()


def test_a_neighbour_at_distance_zero_counts_alone(make_features):
    features = make_features({"a": 12, "b": 12}, noise=0.1)
    features.features[:] = np.repeat([[1, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0]], 12, axis=0)
    classifier = train(features, classifier="knn", grid={"n_neighbors": [10]}, scale="none")
    graph = probe_graph(classifier).model.SerializeToString()
    rows = np.array([[4, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]], np.float32)
    np.testing.assert_allclose(run_graph(graph, rows)[0], classifier.predict_features(rows))
    assert run_graph(graph, rows)[0][0].tolist() == [1, 0]


def test_a_class_without_a_training_image_has_probability_zero(make_features):
    classifier = train(make_features({"a": 12, "c": 12}))
    classifier.pipeline[-1].classes_ = np.array([0, 2])
    classifier = dataclasses.replace(classifier, label_names=("a", "b", "c"))
    rows = 3 * np.eye(2, 6, dtype=np.float32)
    probabilities, labels = run_graph(probe_graph(classifier).model.SerializeToString(), rows)
    assert probabilities[:, 1].tolist() == [0, 0]
    assert labels.tolist() == [0, 2]


def test_a_graph_that_gives_other_probabilities_is_refused(make_features, monkeypatch):
    from penult.classify.kinds.onnx import convert_pipeline

    classifier = train(make_features(COUNTS), classifier="knn", grid=GRIDS["knn"])
    # What skops' sister made of neighbours by cosine, and the reason for a graph of our own.
    monkeypatch.setattr(find_kind("knn"), "to_onnx", convert_pipeline)
    with pytest.raises(EngineError, match="probabilities that differ by"):
        probe_graph(classifier)


@pytest.mark.parametrize("kind", ["logistic", "knn"])
def test_a_file_gives_what_predict_gives(flowers, photos, tmp_path, kind):
    classifier = penult.train(tmp_path / "f.h5", classifier=kind)
    export(classifier, tmp_path / "m.onnx")
    agree(classifier, tmp_path / "m.onnx", photos)


@pytest.mark.slow
def test_a_real_network_with_unit_rows_gives_what_predict_gives(photos, tmp_path):
    for photo in photos.rglob("*_[01][02468].jpg"):  # six of each class are enough
        photo.unlink()
    penult.extract(photos, tmp_path / "f.h5", model="efficientnet_lite0", normalize="l2")
    classifier = penult.train(tmp_path / "f.h5", grid={"C": [10]})
    export(classifier, tmp_path / "m.onnx")
    agree(classifier, tmp_path / "m.onnx", photos)


def test_maps_are_flattened_into_rows(photos, toy, tmp_path):
    penult.extract(photos, tmp_path / "f.h5", model=toy, layer="pixels", pooling="none")
    classifier = penult.train(tmp_path / "f.h5")
    export(classifier, tmp_path / "m.onnx")
    agree(classifier, tmp_path / "m.onnx", photos)


def test_the_file_says_what_goes_in_and_what_comes_out(flowers, tmp_path):
    export(flowers, tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    (images,) = session.get_inputs()
    assert (images.name, images.type) == ("images", "tensor(uint8)")
    assert isinstance(images.shape[0], str)
    assert images.shape[1:] == [8, 8, 3]
    assert [o.name for o in session.get_outputs()] == ["probabilities", "label"]
    told = session.get_modelmeta().custom_metadata_map
    assert json.loads(told["penult.label_names"]) == ["daisy", "rose", "tulip"]
    assert Recipe.from_json(told["penult.recipe"]) == flowers.recipe
    preprocessing = Preprocessing.from_dict(json.loads(told["penult.preprocessing"]))
    assert preprocessing == flowers.recipe.preprocessing


def test_an_existing_file_is_replaced_only_on_request(flowers, tmp_path):
    (tmp_path / "m.onnx").write_text("before")
    with pytest.raises(OutputExistsError, match="give overwrite=True"):
        export(flowers, tmp_path / "m.onnx")
    assert (tmp_path / "m.onnx").read_text() == "before"
    export(flowers, tmp_path / "m.onnx", overwrite=True)
    assert (tmp_path / "m.onnx").read_bytes()[:6] != b"before"
    with pytest.raises(PathNotFoundError, match="no folder"):
        export(flowers, tmp_path / "none" / "m.onnx")


def test_other_formats_and_a_missing_extra_are_one_clear_line(flowers, tmp_path, monkeypatch):
    with pytest.raises(UnknownNameError, match="allowed: onnx"):
        export(flowers, tmp_path / "m.tflite", format="tflite")
    monkeypatch.setattr("penult.extras.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"penult\[onnx\]"):
        export(flowers, tmp_path / "m.onnx")


def test_a_network_of_one_engine_is_refused_with_what_to_do(flowers, tmp_path, monkeypatch):
    from penult.backbones.registry import recorded

    opened = recorded.open_backbone
    monkeypatch.setattr(  # as an int8 checkpoint says
        recorded, "open_backbone", lambda *a, **k: opened(*a, **k).replace(forms=("openvino",))
    )
    with pytest.raises(EngineError, match=r"runs with the engine openvino alone; train on rows"):
        export(flowers, tmp_path / "m.onnx")


@pytest.mark.parametrize("failure", ["an operator without a counterpart", "a frozen trace"])
def test_a_network_that_cannot_be_written_is_refused_and_leaves_nothing(
    flowers, tmp_path, monkeypatch, failure, capfd
):
    import torch

    import penult.engines.row_network as graph

    class Fails(graph.RowNetwork):
        def forward(self, images):
            rows = super().forward(images)[0]
            if failure == "a frozen trace":
                return (torch.tensor(rows.numpy()),)
            return (torch.special.airy_ai(rows),)

    monkeypatch.setattr(graph, "RowNetwork", Fails)
    with pytest.raises(EngineError, match=r"toy:mean-colour (cannot be written as|as ONNX gives)"):
        export(flowers, tmp_path / "m.onnx")
    assert capfd.readouterr().out == ""
    assert [p.name for p in tmp_path.iterdir() if "onnx" in p.name] == []


def test_a_classifier_of_bfloat16_rows_is_told_that_its_file_computes_in_float32(
    photos, toy, tmp_path, caplog
):
    if "BF16" not in capabilities(import_openvino()):
        pytest.skip("this processor has no bfloat16")
    rows = penult.extract(photos, model=toy, precision="bfloat16")
    export(train(rows, classifier="centroid"), tmp_path / "half.onnx")
    assert "computes in float32; the classifier's rows were in bfloat16" in caplog.text


def test_neighbours_by_another_distance_are_refused_with_it(make_features):
    classifier = train(make_features(COUNTS), classifier="knn", grid={"n_neighbors": [5]})
    classifier.pipeline[-1].effective_metric_ = classifier.pipeline[-1].metric = "euclidean"
    with pytest.raises(EngineError, match="written as ONNX: neighbours by euclidean distance, wei"):
        probe_graph(classifier)


def test_a_file_that_one_onnx_cannot_hold_is_refused_and_leaves_nothing(
    flowers, tmp_path, monkeypatch
):
    import onnx

    written = onnx.ModelProto.SerializeToString

    def refuse(model):
        if model.doc_string:  # the whole file
            raise ValueError("Message onnx.ModelProto exceeds maximum protobuf size of 2GB")
        return written(model)

    monkeypatch.setattr(onnx.ModelProto, "SerializeToString", refuse)
    before = [*tmp_path.iterdir()]
    with pytest.raises(OutputError, match="larger than the 2 GB that one ONNX file"):
        export(flowers, tmp_path / "f.onnx")
    assert [*tmp_path.iterdir()] == before
