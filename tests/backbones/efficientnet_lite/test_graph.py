import sys

import numpy as np
import onnx
import pytest
import torch
from timm.data import create_transform, resolve_data_config

from penult.backbones.bundled import Bundled
from penult.backbones.efficientnet_lite.graph import fit
from penult.backbones.registry import open_backbone
from penult.backbones.torch_network import TorchNetwork
from penult.backbones.weights.choice import WeightsChoice
from penult.engines.agreement import relative_error
from penult.engines.onnx_export import OPSET, row_graph
from penult.engines.registry import open_engine

NAMES = ["efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"]
SIDE = 96


@pytest.fixture
def small():
    """A bundled network for small images, which all its layers suit as well."""

    def open_small(name, size=(SIDE, SIDE)):
        backbone = open_backbone(name)
        preprocessing = backbone.preprocessing
        changed = preprocessing.__class__(**{**vars(preprocessing), "crop": size})
        return open_backbone(name, WeightsChoice(preprocessing=changed))

    return open_small


@pytest.mark.parametrize("name", NAMES)
def test_every_layer_has_the_name_the_place_and_the_numbers_that_it_has_in_timm(
    name, in_timm, small
):
    backbone = small(name)
    theirs = TorchNetwork(in_timm(name), head="classifier")
    layers = theirs.list_layers((SIDE, SIDE))
    assert backbone.layers == layers
    images = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
    recipes = [backbone.recipe(layer.name, "none") for layer in layers]
    ours = open_engine(backbone, recipes, engine="openvino").run(images)
    with torch.inference_mode():
        pixels = torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1
        expected = theirs.as_torch(layers)(pixels)
    for layer, row, their_row in zip(layers, ours, expected, strict=True):
        assert relative_error(row, their_row.numpy()) <= 1e-4, layer.name


@pytest.mark.parametrize("pooling", ["avg", "max", "gem", "flatten", "none"])
def test_both_engines_pool_a_layer_alike(pooling, small):
    backbone = small("efficientnet_lite0", (50, 70))
    images = np.random.default_rng(1).integers(0, 256, (3, 50, 70, 3), np.uint8)
    recipes = [backbone.recipe("blocks.2", pooling, "l2"), backbone.recipe("logits")]
    ours, theirs = (
        open_engine(backbone, recipes, engine=name).run(images) for name in ("openvino", "torch")
    )
    for a, b in zip(ours, theirs, strict=True):
        assert relative_error(a, b) <= 1e-4


def test_rows_are_those_of_timms_own_transform_and_network(in_timm, pictures, rows_of, worst_error):
    theirs = in_timm("efficientnet_lite0")
    transform = create_transform(**resolve_data_config({}, model=theirs))
    images = torch.stack([transform(picture) for picture in pictures])
    with torch.inference_mode():
        features = theirs.forward_head(theirs.forward_features(images), pre_logits=True)
    (ours,) = rows_of(open_backbone("efficientnet_lite0"), "penultimate")
    assert worst_error(ours, features) <= 1e-4


def test_a_graph_computes_nothing_after_the_last_layer_asked_for():
    backbone = open_backbone("efficientnet_lite0")
    graph = backbone.as_openvino(["blocks.0"]).build(None)
    assert sum("Convolution" in op.get_type_name() for op in graph.get_ops()) == 3


def test_no_conversion_is_kept_on_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("PENULT_CACHE", str(tmp_path))
    backbone = open_backbone("efficientnet_lite0")
    open_engine(backbone, [backbone.recipe()], engine="openvino")
    assert not list(tmp_path.rglob("*.xml"))


def test_tensors_of_another_network_are_refused():
    with pytest.raises(ValueError, match="its tensors have other shapes"):
        fit("efficientnet_lite0", {"a": np.zeros(3)})


def test_cards_are_what_the_networks_are(in_timm):
    for card in Bundled().models():
        name = card.name.removeprefix("bundled:")
        assert card.parameters == sum(p.numel() for p in in_timm(name).parameters())
        assert card.input_size == open_backbone(name).preprocessing.input_size
        assert card.on_this_machine
        assert card.features == 1280


def test_weights_become_constants_without_lists_of_their_numbers(monkeypatch):
    # OpenVINO's operations make such a list of an array, which takes longer than all the rest.
    from openvino.utils import types

    sizes, make = [], types.make_constant_node

    def noted(value, *given, **options):
        sizes.append(np.size(value))
        return make(value, *given, **options)

    monkeypatch.setattr(types, "make_constant_node", noted)
    backbone = open_backbone("efficientnet_lite0")
    open_engine(backbone, [backbone.recipe("logits")], engine="openvino")
    assert max(sizes) <= 4


@pytest.mark.parametrize("normalize", ["none", "l2"])
@pytest.mark.parametrize(
    ("layer", "pooling"),
    [
        ("penultimate", None),
        ("logits", None),
        ("blocks.2", "avg"),
        ("blocks.2.1.conv_pwl", "gem"),
        ("bn1.drop", "max"),
        ("conv_head", "flatten"),
        ("blocks.1", "none"),
    ],
)
def test_as_onnx_it_gives_the_same_rows_and_imports_no_torch(
    layer, pooling, normalize, small, monkeypatch
):
    backbone = small("efficientnet_lite0", (50, 70))
    monkeypatch.setitem(sys.modules, "torch", None)
    recipe = backbone.recipe(layer, pooling, normalize)
    graph = row_graph(backbone, [recipe])  # which compares them
    assert graph.difference <= 1e-5
    assert graph.model.opset_import[0].version == OPSET
    onnx.checker.check_model(graph.model, full_check=True)


def test_layers_of_one_network_share_its_nodes_in_onnx(small):
    backbone = small("efficientnet_lite0", (50, 70))
    ends = [("blocks.2.1.conv_pwl", "gem"), ("penultimate", "none"), ("blocks.2.1.conv_pwl", "max")]
    recipes = [backbone.recipe(layer, pooling, "none") for layer, pooling in ends]

    def convolutions(graph):
        return sum(node.op_type == "Conv" for node in graph.model.graph.node)

    several = row_graph(backbone, recipes)  # which compares them
    assert convolutions(several) == convolutions(row_graph(backbone, recipes[1:2]))
    assert len(several.model.graph.output) == 3
