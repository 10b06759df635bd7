"""Files of others that nest so deeply that a parser's stack would end; each is one line."""

from __future__ import annotations

import json
import struct
import zipfile

import numpy as np
import pytest

from penult.backbones.checkpoint import read_checkpoint
from penult.backbones.metadata_cache import load_cached
from penult.backbones.registry import open_backbone
from penult.backbones.weights.choice import WeightsChoice
from penult.backbones.weights.load import load_state
from penult.classify.classifier_file import read_all, read_description
from penult.errors import BackboneError, ClassifierFileError, FileFormatError, WeightsError
from penult.features.h5_file import read
from penult.features.resume.manifest import Manifest
from penult.features.write import Columns, FeatureWriter
from penult.recipe import Preprocessing, Recipe
from penult.records import ImageRecord

# The first exhausts the parser; the second passes it, but nothing that goes through the result.
DEEP = [pytest.param("[" * 20_000, id="endless"), pytest.param("[" * 900 + "]" * 900, id="deep")]
TOO_DEEP = "nested more than 100 levels deep"


def safetensors(path, header):
    path.write_bytes(struct.pack("<Q", len(header)) + header.encode())
    return path


@pytest.mark.parametrize("deep", DEEP)
def test_a_recipe(deep):
    for text in (deep, f'{{"kind": "backbone", "layer": {deep}}}'):
        with pytest.raises(FileFormatError, match=f"not a recipe .* {TOO_DEEP}"):
            Recipe.from_json(text)


@pytest.mark.parametrize("deep", DEEP)
def test_what_a_checkpoint_says_of_itself(tmp_path, deep):
    header = json.dumps({"__metadata__": {"penult": deep}})
    path = safetensors(tmp_path / "a.safetensors", header)
    with pytest.raises(
        FileFormatError, match=rf"a\.safetensors is a damaged checkpoint.*{TOO_DEEP}"
    ):
        read_checkpoint(path)


@pytest.mark.parametrize("deep", DEEP)
def test_the_header_of_a_safetensors_file(tmp_path, deep):
    path = safetensors(tmp_path / "a.safetensors", f'{{"__metadata__": {deep}}}')
    with pytest.raises(WeightsError, match=r"a\.safetensors is no whole safetensors file"):
        load_state(path)


def test_an_int8_checkpoint(tmp_path):
    header = json.dumps({"__metadata__": {"penult.int8": DEEP[0].values[0]}})
    path = safetensors(tmp_path / "a.int8.safetensors", header)
    with pytest.raises(FileFormatError, match=f"is a damaged checkpoint.*{TOO_DEEP}"):
        open_backbone(str(path))


@pytest.mark.parametrize("deep", DEEP)
@pytest.mark.parametrize("member", ["penult.json", "schema.json"])
def test_a_classifier(tmp_path, member, deep):
    path = tmp_path / "a.skops"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("penult.json", "schema.json"):
            archive.writestr(name, deep if name == member else '{"format": 1}')
    with pytest.raises(ClassifierFileError, match=rf"a\.skops cannot be read.*{TOO_DEEP}"):
        (read_description if member == "penult.json" else read_all)(path)


@pytest.mark.parametrize("deep", DEEP)
def test_the_origin_of_a_feature_file(deep):
    seen = Preprocessing(resize=2, crop=(2, 2), interpolation="box", mean=(0.5,), std=(1.0,))
    recipe = Recipe(
        architecture="a", weights_sha256="0", layer="l", pooling="none", preprocessing=seen
    )
    writer = FeatureWriter(None, [recipe], Columns(()))
    writer.append([ImageRecord("a.jpg", open)], [""], [np.zeros((1, 2), np.float32)])
    writer.finish([])
    file = writer.in_memory()
    assert read(file, name="f.h5").origin == {}
    file.attrs["origin"] = deep
    with pytest.raises(FileFormatError, match=f"f.h5 is damaged or incomplete.*{TOO_DEEP}"):
        read(file, name="f.h5")


@pytest.mark.parametrize("deep", DEEP)
def test_what_the_cache_and_an_interrupted_run_hold_is_not_trusted(tmp_path, monkeypatch, deep):
    from penult.backbones import metadata_cache

    (tmp_path / "run.json").write_text(deep)
    assert Manifest.read(tmp_path) is None
    (tmp_path / "cached.json").write_text(f"digest\n{deep}")
    monkeypatch.setattr(metadata_cache, "_cache_file", lambda *_: tmp_path / "cached.json")
    monkeypatch.setattr(metadata_cache, "_digest", lambda *_: "digest")
    assert load_cached("timm:x", WeightsChoice(), lambda: None) is None


@pytest.mark.parametrize("deep", DEEP)
def test_the_preprocessing_beside_an_onnx_file(tmp_path, deep):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    image = onnx.helper.make_tensor_value_info("x", 1, ["N", 3, 8, 8])
    node = onnx.helper.make_node("Flatten", ["x"], ["y"])
    row = onnx.helper.make_tensor_value_info("y", 1, ["N", 192])
    onnx.save(
        onnx.helper.make_model(onnx.helper.make_graph([node], "g", [image], [row])),
        tmp_path / "a.onnx",
    )
    (tmp_path / "a.onnx.json").write_text(deep)
    with pytest.raises(BackboneError, match=rf"a\.onnx\.json is no preprocessing: .*{TOO_DEEP}"):
        open_backbone(str(tmp_path / "a.onnx"))
    (tmp_path / "a.onnx.json").write_bytes(b"\xff")
    with pytest.raises(BackboneError, match=r"a\.onnx\.json is no preprocessing: .*decode"):
        open_backbone(str(tmp_path / "a.onnx"))


@pytest.mark.parametrize("file", ["config.json", "preprocessor_config.json"])
def test_the_configuration_of_a_transformers_model(tmp_path, file):
    pytest.importorskip("transformers")
    sound = {"model_type": "vit", "image_processor_type": "ViTImageProcessor"}
    for name in ("config.json", "preprocessor_config.json"):
        (tmp_path / name).write_text("[" * 20_000 if name == file else json.dumps(sound))
    with pytest.raises(BackboneError, match=f"hf:{tmp_path} .*recursion"):
        open_backbone(f"hf:{tmp_path}")
