"""A plan says what an extraction would give, and it does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import penult
from penult.backbones.registry import load_source
from penult.backbones.weights.info import WeightsInfo
from penult.errors import (
    PenultError,
    RecipeMismatchError,
    SourceError,
    UnknownNameError,
    UsageError,
    WeightsError,
)
from penult.planning import plan
from penult.records import Changes


def test_shapes_images_and_classes_are_those_of_the_extraction(photos, toy):
    options = {"model": toy, "layer": ["pixels", "mean", "logits"], "pooling": "none"}
    planned = plan(photos, **options)
    features = penult.extract(photos, **{**options, "layer": "pixels"})
    assert [layer.name for layer in planned.layers] == ["pixels", "mean", "logits"]
    assert [layer.shape for layer in planned.layers] == [(3, 8, 8), (3,), (2,)]
    assert planned.layers[0].shape == features.features.shape[1:]
    assert planned.layers[0].length == 192
    assert (planned.images, planned.classes) == (36, {"daisy": 12, "rose": 12, "tulip": 12})


@pytest.fixture
def many(tmp_path):
    """500 small images with names of a usual length."""
    for number in range(500):
        path = tmp_path / "many" / f"class {number % 7}" / f"photo_{number:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (2, 2), (number % 256, 0, 0)).save(path)
    return tmp_path / "many"


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"layer": "pixels", "pooling": "flatten"}, id="rows of 192"),
        pytest.param(
            {"layer": "pixels", "pooling": "none", "dtype": "float16"}, id="maps, float16"
        ),
        pytest.param({"layer": ["pixels", "mean.0"], "pooling": "flatten"}, id="two layers"),
        pytest.param({}, id="rows of 3"),
    ],
)
def test_the_size_is_within_two_percent(many, tmp_path, toy, options):
    penult.extract(many, tmp_path / "f.h5", model=toy, **options)
    real = (tmp_path / "f.h5").stat().st_size
    assert plan(many, model=toy, **options).bytes == pytest.approx(real, rel=0.02)


def test_the_size_of_more_images_than_are_measured(many, tmp_path, toy, monkeypatch):
    penult.extract(many, tmp_path / "f.h5", model=toy, layer="pixels", pooling="flatten")
    monkeypatch.setattr("penult.features.estimate._MEASURED", 400)
    planned = plan(many, model=toy, layer="pixels", pooling="flatten")
    assert planned.bytes == pytest.approx((tmp_path / "f.h5").stat().st_size, rel=0.1)


def test_the_size_of_real_rows(many, tmp_path):
    """Written by the writer with rows as long as EfficientNet's; the network need not run for that."""
    from penult.features.estimate import estimate_bytes
    from penult.features.write import Columns, FeatureWriter
    from penult.images.listing import list_images
    from penult.recipe import Preprocessing, Recipe

    preprocessing = Preprocessing(
        resize=256, crop=(224, 224), interpolation="bicubic", mean=(0.5,) * 3, std=(0.5,) * 3
    )
    recipe = Recipe(
        architecture="a", weights_sha256="0", layer="b", pooling="none", preprocessing=preprocessing
    )
    records = list_images([many]).records
    assert sum(len(record.labels) for record in records) == 500
    writer = FeatureWriter(tmp_path / "f.h5", [recipe], Columns.of(records))
    rows = np.random.default_rng(0).random((500, 1280), np.float32)
    for start in range(0, 500, 32):
        part = records[start : start + 32]
        writer.append(part, ["ab" * 16] * len(part), [rows[start : start + 32]])
    writer.finish([])
    writer.close()
    estimated = estimate_bytes(records, [recipe], [(1280,)])
    assert estimated == pytest.approx((tmp_path / "f.h5").stat().st_size, rel=0.02)


@pytest.mark.parametrize(
    "options",
    [
        # Each HDF5 part has a chunk of 256 KiB at least, of each set of rows, and of views.
        pytest.param({"part_images": 5}, id="of five images"),
        pytest.param({"part_images": 200}, id="the last one of fewer"),
        pytest.param({"part_images": 5, "layer": ["pixels", "mean"]}, id="of two sets"),
        pytest.param({"part_images": 20, "augment": 1}, id="with augmented views"),
        pytest.param(
            {"part_images": 2, "part_format": "parquet"},
            marks=pytest.mark.needs("pyarrow"),
            id="as Parquet",
        ),
    ],
)
def test_the_size_of_a_folder_of_rows_is_right_to_a_twentieth(photos, toy, tmp_path, options):
    folder = tmp_path / "f.rows"
    planned = plan(photos, folder, model=toy, **options)
    penult.extract(photos, folder, model=toy, **options)
    size = sum(one.stat().st_size for one in folder.iterdir())
    assert planned.bytes == pytest.approx(size, rel=0.05)


def test_parts_that_cannot_hold_augmented_views_are_refused_as_the_run_refuses_them(
    photos, toy, tmp_path
):
    options = {"model": toy, "augment": 1, "part_format": "parquet"}
    with pytest.raises(UsageError, match="Parquet parts cannot hold rows of augmented views"):
        plan(photos, tmp_path / "f.rows", **options)


def test_no_image_is_read_and_no_weights_are_needed(photos, toy, monkeypatch):
    for path in photos.rglob("*.jpg"):
        path.write_bytes(b"not an image")
    assert plan(photos, model=toy).images == 36


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"layer": "penultimat"}, UnknownNameError, "did you mean penultimate"),
        ({"pooling": "gem"}, UsageError, "a vector of 3 already"),
        ({"dtype": "int8"}, UnknownNameError, "allowed: float32, float16"),
    ],
)
def test_what_extract_would_refuse_is_refused(photos, toy, options, error, message):
    with pytest.raises(error, match=message):
        plan(photos, **{"model": toy, **options})


def test_no_images_no_plan(tmp_path, toy):
    with pytest.raises(SourceError, match="no images"):
        plan(tmp_path, model=toy)


def test_a_plan_needs_no_pretrained_weights(photos, monkeypatch):
    monkeypatch.setenv("PENULT_OFFLINE", "1")
    planned = plan(photos, model="timm:test_vit", layer="*attn.proj", pooling="avg")
    assert {layer.shape for layer in planned.layers} == {(64,)}


@pytest.mark.parametrize(
    "otherwise",
    [
        {"decode": "scaled"},
        {"resize": "fast"},
        {"precision": "bfloat16"},
        {"dtype": "float16"},
        {"max_pixels": 10_000},
        {"allow_truncated": True},
        {"normalize": "l2"},
        {"layer": "pixels"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_an_update_that_extract_refuses_is_refused_in_the_same_words(
    photos, toy, tmp_path, otherwise
):
    file = tmp_path / "f.h5"
    penult.extract(photos, file, model=toy)
    asked = {"model": toy, "update": True, **otherwise}
    with pytest.raises(RecipeMismatchError, match="was made with another recipe") as refused:
        penult.extract(photos, file, **asked)
    with pytest.raises(RecipeMismatchError) as planned:
        plan(photos, file, **asked)
    assert str(planned.value) == str(refused.value)


def test_an_update_with_the_options_of_the_file_is_planned(photos, toy, tmp_path):
    options = {"model": toy, "decode": "scaled", "resize": "fast", "max_pixels": 1_000_000}
    penult.extract(photos, tmp_path / "f.h5", **options)
    assert plan(photos, tmp_path / "f.h5", update=True, **options).changes == Changes()


@pytest.fixture
def without_weights(monkeypatch):
    """Of the toy, from when it is called: its weights are not on this machine any more."""
    source = load_source("toy")
    opened = source.open

    def fails(name, choice):
        if choice.weights is None:
            raise WeightsError("they are not here")
        random = WeightsInfo("random", "0" * 64)
        return opened(name, replace(choice, weights=None)).replace(weights=random)

    return lambda: monkeypatch.setattr(source, "open", fails)


def test_weights_that_are_not_here_are_taken_for_those_of_the_file(
    photos, toy, tmp_path, without_weights
):
    penult.extract(photos, tmp_path / "f.h5", model=toy)
    without_weights()
    assert plan(photos, tmp_path / "f.h5", model=toy, update=True).changes == Changes()
    with pytest.raises(RecipeMismatchError, match=r"\(normalize: 'none' then, 'l2' now\)"):
        plan(photos, tmp_path / "f.h5", model=toy, normalize="l2", update=True)


def test_weights_that_are_not_here_are_no_random_ones(photos, toy, tmp_path, without_weights):
    without_weights()
    penult.extract(photos, tmp_path / "f.h5", model=toy, weights="random")
    with pytest.raises(RecipeMismatchError, match=r"then, 'of the pretrained weights' now"):
        plan(photos, tmp_path / "f.h5", model=toy, update=True)


@pytest.mark.parametrize(
    ("output", "options"),
    [
        ("f.h5", {"part_images": 3}),
        ("f.h5", {"part_format": "parquet"}),
        ("f.rows", {"part_images": 0}),
        (None, {"part_images": 3}),
        (None, {"update": True}),
        ("f.h5", {"engine": "onnx"}),
        ("f.h5", {"device": "gpu"}),
        ("f.h5", {"ray_workers": 2}),
        ("f.h5", {"ray": True, "ray_workers": "4:2"}),
        ("f.h5", {"ray": True, "ray_cpus": 0}),
        ("f.h5", {"ray": True, "ray_gpus": 1.5}),
        ("f.h5", {"ray": "ray://head:10001"}),
        ("f.h5", {"ray": True, "device": "cuda:1"}),
        ("f.h5", {"ray": True, "part_images": 3}),
        ("memory://f.rows", {"ray": True}),
        (None, {"ray": True}),
    ],
)
def test_options_of_a_run_are_refused_as_the_run_refuses_them(
    photos, toy, tmp_path, monkeypatch, output, options
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PenultError) as refused:
        penult.extract(photos, output, model=toy, **options)
    with pytest.raises(PenultError) as planned:
        plan(photos, output, model=toy, **options)
    assert (type(planned.value), str(planned.value)) == (type(refused.value), str(refused.value))


@pytest.mark.needs("ray")
def test_a_run_on_a_cluster_is_planned_without_one(photos, toy, tmp_path, monkeypatch):
    import ray

    # Tests before this one may have connected to a cluster.
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda **_: pytest.fail("a plan connects to a cluster"))
    options = {"ray": True, "ray_workers": 2, "part_images": 3}
    assert plan(photos, tmp_path / "f.rows", model=toy, **options).images == 36
