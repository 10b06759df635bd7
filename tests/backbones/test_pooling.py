import pytest
import torch

from penult.backbones.layer import Layer
from penult.backbones.pooling import POOLINGS, check_pooling, pool
from penult.backbones.registry import open_backbone
from penult.errors import UnknownNameError, UsageError

MAPS = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]], [[0.0, 0.0], [0.0, 4.0]]]])  # (1, 2, 2, 2)
TOKENS = torch.tensor([[[9.0, 9.0], [1.0, 2.0], [3.0, 6.0]]])  # (1, 3, 2): class token, two patches
GEM = [((1 + 8 + 27 + 216) / 4) ** (1 / 3), (64 / 4) ** (1 / 3)]


@pytest.mark.parametrize(
    ("how", "row"),
    [
        ("avg", [3.0, 1.0]),
        ("max", [6.0, 4.0]),
        ("gem", GEM),
        ("flatten", [1.0, 2.0, 3.0, 6.0, 0.0, 0.0, 0.0, 4.0]),
    ],
)
def test_maps_are_pooled_as_worked_out_by_hand(how, row):
    assert pool(MAPS, how, "NCHW").tolist()[0] == pytest.approx(row)


@pytest.mark.parametrize("how", ["avg", "max", "gem", "none"])
def test_channels_last_gives_the_same_but_for_flatten(how):
    behind = MAPS.permute(0, 2, 3, 1)
    assert torch.equal(pool(behind, how, "NHWC"), pool(MAPS, how, "NCHW"))
    # `flatten` keeps the network's own order.
    assert pool(behind, "flatten", "NHWC").tolist()[0] == [1, 0, 2, 0, 3, 0, 6, 4]


@pytest.mark.parametrize(
    ("how", "row"),
    [
        ("avg", [2.0, 4.0]),
        ("max", [3.0, 6.0]),
        ("cls", [9.0, 9.0]),
        ("flatten", [9.0, 9.0, 1.0, 2.0, 3.0, 6.0]),
        ("gem", [((1 + 27) / 2) ** (1 / 3), ((8 + 216) / 2) ** (1 / 3)]),
    ],
)
def test_tokens_are_pooled_without_the_class_token(how, row):
    assert pool(TOKENS, how, "NTD", prefix_tokens=1).tolist()[0] == pytest.approx(row)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC", "NTD", "vector"])
@pytest.mark.parametrize("how", POOLINGS)
def test_the_shape_of_a_row_is_known_beforehand(layout, how):
    shapes = {"NCHW": (4, 3, 2), "NHWC": (3, 2, 4), "NTD": (5, 4), "vector": (4,)}
    layer = Layer("x", "X", shapes[layout], layout)
    if (layout == "vector" and how != "none") or (how == "cls" and layout != "NTD"):
        return
    row = pool(torch.ones(2, *shapes[layout]), how, layout, prefix_tokens=1)
    assert row.shape == (2, *layer.pooled_shape(how))


def test_a_vector_has_nothing_to_pool(toy):
    backbone = open_backbone(toy)
    mean, pixels = backbone.layer("mean"), backbone.layer("pixels")
    assert check_pooling("flatten", mean, backbone.layers, backbone=backbone.name) == "none"
    with pytest.raises(UsageError, match=r"'avg' has nothing to pool: mean .* e.g. layer='mean.0'"):
        check_pooling("avg", mean, backbone.layers, backbone=backbone.name)
    with pytest.raises(UsageError, match="'cls' needs a layer of tokens with a class token"):
        check_pooling("cls", pixels, backbone.layers, backbone=backbone.name)
    with pytest.raises(UnknownNameError, match="unknown pooling 'mean'"):
        check_pooling("mean", pixels, backbone.layers, backbone=backbone.name)


def test_the_default_pooling_is_what_the_networks_own_heads_do(toy):
    backbone = open_backbone(toy)
    assert backbone.recipe("pixels").pooling == "avg"
    assert backbone.recipe("mean").pooling == backbone.recipe().pooling == "none"
