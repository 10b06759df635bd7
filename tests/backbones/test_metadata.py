"""What is known of a backbone apart from its network."""

import json
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from penult.backbones.layer import Layer
from penult.backbones.metadata import BackboneMetadata
from penult.backbones.registry import open_backbone
from penult.backbones.weights.info import WeightsInfo
from penult.errors import FileFormatError, UnknownNameError
from penult.recipe import Preprocessing

SQUARE = Preprocessing(
    resize=(8, 8), crop=None, interpolation="bilinear", mean=(0.5,) * 3, std=(0.5,) * 3
)
METADATA = BackboneMetadata(
    name="timm:net",
    architecture="timm/net",
    weights=WeightsInfo("net.pth", "ab" * 32, Path("/cache/net.pth")),
    preprocessing=SQUARE,
    libraries=("torch", "timm"),
    layers=(
        Layer("blocks", "Block", (5, 4), "NTD", prefix_tokens=1, has_class_token=True),
        Layer("penultimate", "input of fc", (4,), "vector"),
    ),
)


@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param(METADATA, id="all of it"),
        pytest.param(replace(METADATA, layers=None), id="layers that are not known"),
        pytest.param(replace(METADATA, weights=WeightsInfo("random", "00")), id="no file"),
        pytest.param(replace(METADATA, forms=("openvino",), quantized=True), id="integers"),
    ],
)
def test_metadata_come_back_from_json_and_from_a_pickle(metadata):
    assert BackboneMetadata.from_json(metadata.to_json()) == metadata
    assert pickle.loads(pickle.dumps(metadata)) == metadata
    hash(metadata)


@pytest.mark.parametrize(
    "change",
    [
        {"name": 3},
        {"weights": "net.pth"},
        {"weights": {"name": "net.pth"}},
        {"preprocessing": {"resize": 8}},
        {"layers": [{"name": "x"}]},
        {"layers": [{"name": "x", "type": "y", "shape": ["3"], "layout": "vector"}]},
        {"layers": 3},
        {"quantized": "yes"},
        {"libraries": None},
        {"more": 1},
    ],
)
def test_what_is_no_metadata_is_refused(change):
    text = json.dumps(json.loads(METADATA.to_json()) | change)
    with pytest.raises(FileFormatError, match="no metadata of a backbone"):
        BackboneMetadata.from_json(text)


def test_the_network_is_opened_once_however_often_the_metadata_change(toy):
    backbone = open_backbone(toy)
    renamed = backbone.replace(name="toy:other")
    assert (renamed.name, backbone.name) == ("toy:other", toy)
    assert renamed.network is backbone.network


def test_images_of_another_size_give_layers_of_another_shape(toy):
    backbone = open_backbone(toy)
    backbone = backbone.replace(layers=backbone.layers)
    smaller = backbone.replace(preprocessing=replace(SQUARE, resize=(6, 4)))
    assert backbone.layer("pixels").shape == (3, 8, 8)
    assert smaller.layer("pixels").shape == (3, 6, 4)


def test_a_layer_that_is_known_to_be_missing_has_no_recipe(toy):
    backbone = open_backbone(toy)
    headless = backbone.replace(layers=tuple(x for x in backbone.layers if x.name != "logits"))
    with pytest.raises(UnknownNameError, match="unknown layer 'logits' of toy:mean-colour"):
        headless.recipe("logits")
