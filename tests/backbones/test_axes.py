"""Networks whose tokens are worked out by hand, and some of timm's that put them in odd places."""

import json

import numpy as np
import pytest
import timm
import torch
from torch import nn

from penult.backbones.backbone import Backbone
from penult.backbones.layer import find_layer
from penult.backbones.metadata import BackboneMetadata
from penult.backbones.torch_cut import list_layers
from penult.backbones.torch_network import TorchNetwork
from penult.backbones.weights.info import WeightsInfo
from penult.engines.registry import open_engine
from penult.engines.row_network import RowNetwork
from penult.errors import UsageError
from penult.recipe import Preprocessing

SEEN = Preprocessing(
    resize=(40, 40), crop=None, interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3
)


class Mix(nn.Module):
    """Every token takes a tenth of the mean of all, as attention would."""

    def forward(self, tokens):
        return tokens + 0.1 * tokens.mean(1, keepdim=True)


class Tokens(nn.Module):
    """5 × 5 patches of 8 × 8 pixels as tokens (their mean colours), and extra tokens of 0.5.

    Parameters
    ----------
    extra : parameter name to number of tokens, put in front
    behind : how many more are put behind
    late : whether they come after the first block
    whole : whether no module sees the tokens before they are mixed
    """

    def __init__(self, extra, *, behind=0, late=False, whole=False):
        super().__init__()
        self.embed = nn.Conv2d(3, 3, 8, 8, bias=False)
        self.embed.weight.data = torch.eye(3)[:, :, None, None].expand(3, 3, 8, 8) / 64
        for name, count in extra.items():
            self.register_parameter(name, nn.Parameter(torch.full((1, count, 3), 0.5)))
        self.names, self.late, self.behind = tuple(extra), late, behind
        self.patches, self.joined, self.mix, self.norm = (nn.Identity() for _ in range(4))
        if not whole:
            self.mix = Mix()
        self.whole = whole

    def forward(self, images):
        tokens = self.patches(self.embed(images).flatten(2).transpose(1, 2))
        if self.late:
            tokens = Mix()(tokens)
        front = [getattr(self, name).expand(len(tokens), -1, -1) for name in self.names]
        tokens = torch.cat([*front, tokens, tokens.new_ones(len(tokens), self.behind, 3)], 1)
        if self.whole:
            tokens = 5 * tokens * Mix()(Mix()(tokens)).mean(1, keepdim=True)
        return self.norm(self.mix(self.joined(tokens))).mean(1)


def backbone_of(network, preprocessing=SEEN):
    metadata = BackboneMetadata(
        name="toy:tokens",
        architecture="toy/tokens",
        weights=WeightsInfo("toy", "0" * 64),
        preprocessing=preprocessing,
    )
    return Backbone(metadata, lambda: TorchNetwork(network, head=None))


def rows(backbone, layer, pooling, images):
    return RowNetwork(backbone, [backbone.recipe(layer, pooling)]).eval()(images)[0]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    ("extra", "count"),
    [({"cls_token": 1}, 1), ({"cls_token": 1, "reg_token": 4}, 5), ({"class_embedding": 1}, 1)],
)
def test_class_tokens_are_found_where_they_are(extra, count, late):
    backbone = backbone_of(Tokens(extra, late=late))
    images = torch.randint(0, 256, (2, 40, 40, 3), dtype=torch.uint8)
    colours = (images.float() / 255).unflatten(1, (5, 8)).unflatten(3, (5, 8)).mean((2, 4))
    for name, prefix in (("patches", 0), ("joined", count), ("mix", count), ("norm", count)):
        layer = backbone.layer(name)
        assert (layer.layout, layer.prefix_tokens) == ("NTD", prefix)
        assert layer.has_class_token == (prefix > 0)
    mean = colours.mean((1, 2))
    torch.testing.assert_close(rows(backbone, "patches", None, images), mean)
    torch.testing.assert_close(rows(backbone, "joined", "avg", images), mean * (1.1 if late else 1))
    assert rows(backbone, "joined", None, images).tolist() == [[0.5] * 3] * 2
    with pytest.raises(
        UsageError, match=r"'cls' needs .* \(25, 3\), without one; give pooling='avg'"
    ):
        backbone.recipe("patches", "cls")


def test_registers_alone_are_no_class_token():
    backbone = backbone_of(Tokens({"reg_token": 2}))
    layer = backbone.layer("mix")
    assert (layer.prefix_tokens, layer.has_class_token) == (2, False)
    assert backbone.recipe("mix").pooling == "avg"
    with pytest.raises(UsageError, match="without one"):
        backbone.recipe("mix", "cls")


@pytest.mark.parametrize(
    "network",
    [
        Tokens({"cls_token": 1}, behind=3),
        Tokens({}, behind=1),
        Tokens({"cls_token": 1}, whole=True),
        Tokens({"summary": 1}, whole=True),
    ],
    ids=["front and back", "back", "mixed unseen", "mixed unseen, by another name"],
)
@pytest.mark.parametrize("pooling", ["avg", "max", "gem", "cls"])
def test_where_it_cannot_be_told_which_tokens_are_patches_they_are_not_pooled(network, pooling):
    backbone = backbone_of(network)
    assert backbone.layer("norm").layout == "other"
    with pytest.raises(UsageError, match="it cannot be told; give pooling='flatten' or none"):
        backbone.recipe("norm", pooling)
    assert backbone.recipe("norm").pooling == "none"
    images = torch.zeros(1, 40, 40, 3, dtype=torch.uint8)
    whole = rows(backbone, "norm", "none", images)
    assert whole.shape == (1, *backbone.layer("norm").pooled_shape("none"))
    assert torch.equal(rows(backbone, "norm", "flatten", images), whole.flatten(1))


def test_a_class_token_that_is_alone_has_no_patches_to_average():
    class Alone(Tokens):
        def forward(self, images):
            super().forward(images)
            return self.alone(self.tokens[:, :1]).mean(1)

        def __init__(self):
            super().__init__({"cls_token": 1})
            self.alone = nn.Identity()
            self.mix.register_forward_hook(lambda _m, _a, out: setattr(self, "tokens", out))

    backbone = backbone_of(Alone())
    assert backbone.layer("alone").shape == (1, 3)
    assert backbone.recipe("alone").pooling == "cls"
    with pytest.raises(UsageError, match="has 1 tokens that are none; give pooling='cls'"):
        backbone.recipe("alone", "avg")


class Map(nn.Module):
    """Activations of a given shape, of the images' mean."""

    def __init__(self, *shapes):
        super().__init__()
        self.layers = nn.ModuleList(nn.Identity() for _ in shapes)
        self.shapes = shapes

    def forward(self, images):
        mean = images.mean((1, 2, 3))
        for layer, shape in zip(self.layers, self.shapes, strict=True):
            layer(mean.view(-1, 1, 1, 1).expand(-1, *shape))
        return mean[:, None]


@pytest.mark.parametrize(
    ("size", "shape", "layout"),
    [
        ((32, 32), (3, 8, 8), "NCHW"),
        ((32, 32), (8, 8, 3), "NHWC"),
        ((32, 32), (3, 17, 64), "other"),  # heads, tokens, width
        ((32, 32), (16, 4, 64), "other"),  # windows, tokens, width
        ((96, 64), (3, 24, 16), "NCHW"),
        ((96, 64), (24, 16, 3), "NHWC"),
        ((100, 60), (8, 7, 4), "NCHW"),  # rounded up
        ((96, 64), (3, 17, 64), "other"),
    ],
)
def test_maps_have_the_proportions_of_the_images(size, shape, layout):
    (layer, _) = list_layers(Map(shape), size, head=None)
    assert (layer.shape, layer.layout) == (shape, layout)


@pytest.mark.parametrize(
    ("name", "layer", "tokens", "before"),
    [
        ("coat_lite_tiny", "norm4", 5, "patch_embed4.norm"),  # a class token a scale
        ("xcit_nano_12_p8_224", "cls_attn_blocks.0.norm1", 65, "blocks.11"),  # in the last blocks
        ("pit_ti_224", "transformers.2.norm", 5, None),  # carried from stage to stage
        ("test_vit", "norm", 17, None),
    ],
)
def test_class_tokens_of_timms_networks_in_odd_places(name, layer, tokens, before):
    network = timm.create_model(name, img_size=64).eval()
    backbone = backbone_of(network, Preprocessing(**{**vars(SEEN), "resize": (64, 64)}))
    found = backbone.layer(layer)
    assert found.shape[0] == tokens
    assert (found.prefix_tokens, backbone.recipe(layer).pooling) == (1, "cls")
    if before:
        assert backbone.layer(before).shape[0] == tokens - 1
        assert backbone.recipe(before).pooling == "avg"
    images = torch.randint(0, 256, (1, 64, 64, 3), dtype=torch.uint8)
    recipes = [backbone.recipe(layer, pooling) for pooling in ("none", "avg", "cls")]
    with torch.inference_mode():
        whole, average, first = RowNetwork(backbone, recipes).eval()(images)
    torch.testing.assert_close(average, whole[:, 1:].mean(1))
    assert torch.equal(first, whole[:, 0])


def test_tokens_of_a_network_in_onnx_are_told_likewise(tmp_path):
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    from penult.backbones.onnx.source import Onnx

    kernel = np.eye(3, dtype=np.float32)[:, :, None, None].repeat(8, 2).repeat(8, 3) / 64
    arrays = {
        "kernel": kernel,
        "cls_token": np.full((1, 1, 3), 0.5, np.float32),
        "tokens": np.array([1, 3, 25], np.int64),
    }
    nodes = [
        helper.make_node("Conv", ["images", "kernel"], ["maps"], strides=[8, 8]),
        helper.make_node("Reshape", ["maps", "tokens"], ["flat"]),
        helper.make_node("Transpose", ["flat"], ["patches"], perm=[0, 2, 1]),
        helper.make_node("Concat", ["cls_token", "patches"], ["joined"], axis=1),
        helper.make_node("ReduceMean", ["joined"], ["mean"], axes=[1], keepdims=0),
    ]
    sizes = [1, 3, 40, 40]
    graph = helper.make_graph(
        nodes,
        "vit",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, sizes)],
        [helper.make_tensor_value_info("mean", TensorProto.FLOAT, [1, 3])],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    stated = {**vars(SEEN), "resize": [40, 40]}
    helper.set_model_props(model, {"penult.preprocessing": json.dumps(stated)})
    onnx.save(model, tmp_path / "vit.onnx")
    from penult.backbones.weights.choice import WeightsChoice

    backbone = Onnx().open(str(tmp_path / "vit.onnx"), WeightsChoice())
    assert find_layer(backbone.layers, "flat", backbone="x").layout == "other"  # channels first
    assert backbone.layer("patches").prefix_tokens == 0
    assert backbone.layer("joined").prefix_tokens == 1
    images = np.random.default_rng(0).integers(0, 256, (2, 40, 40, 3), np.uint8)
    recipes = [backbone.recipe("joined", pooling) for pooling in ("avg", "cls")]
    colours, tokens = open_engine(backbone, recipes, device="cpu").run(images)
    np.testing.assert_allclose(colours, images.mean((1, 2)) / 255, rtol=1e-5)
    assert tokens.tolist() == [[0.5] * 3] * 2
