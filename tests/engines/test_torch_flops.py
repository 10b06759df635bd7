import torch
from torch import nn
from toys import TinyNetwork

from penult.backbones.backbone import Backbone
from penult.backbones.metadata import BackboneMetadata
from penult.backbones.registry import open_backbone
from penult.backbones.torch_network import TorchNetwork
from penult.backbones.weights.choice import WeightsChoice
from penult.backbones.weights.info import WeightsInfo
from penult.comparison.cost.graph_flops import graph_flops
from penult.engines.openvino.conversion import convert
from penult.engines.torch_flops import module_flops, torch_flops
from penult.recipe import Preprocessing

TINY = 2 * (16 * 16 * 8 * 27 + 16 * 16 * 8 * 9 + 8 * 8 * 16 * 72 + 8 * 8 * 16 * 16)


def flops(module, *shape):
    return module_flops(module.eval().requires_grad_(False), torch.zeros(1, *shape))


def in_graph(backbone, recipes):
    conversion = convert(backbone, recipes)
    conversion.model.reshape([1, *backbone.preprocessing.input_size, 3])
    return graph_flops(conversion.model)


def test_a_network_costs_what_is_worked_out_by_hand_in_torch_as_in_its_graph():
    backbone = TinyNetwork().open("network", WeightsChoice())
    assert torch_flops(backbone, [backbone.recipe()]) == TINY
    assert in_graph(backbone, [backbone.recipe()]) == TINY


def test_what_comes_after_the_layer_is_not_counted():
    backbone = TinyNetwork().open("network", WeightsChoice())
    assert torch_flops(backbone, [backbone.recipe("stem")]) == 2 * 16 * 16 * 8 * 27
    both = [backbone.recipe("stem"), backbone.recipe("logits")]
    assert torch_flops(backbone, both) == TINY + 2 * 16 * 4


def test_a_transposed_convolution_costs_what_it_does_in_a_graph():
    assert flops(nn.ConvTranspose2d(4, 6, 2, 2, groups=2), 4, 5, 5) == 2 * 25 * (4 * 3 * 4)


def test_attention_that_torch_computes_in_one_step_is_counted():
    # torch's own counter finds nothing in it.
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    attention = 2 * 5 * 8 * (24 + 8) + 2 * (5 * 5 * 8) * 2
    assert flops(layer, 5, 8) == attention + 2 * 5 * (8 * 16 + 16 * 8)
    assert torch.backends.mha.get_fastpath_enabled()


def test_products_that_the_counter_does_not_know_are_not_left_out_in_silence():
    assert flops(nn.LSTM(4, 5), 7, 4) is None


class VectorTimesMatrix(nn.Module):
    def forward(self, x):
        return x[0].mv(x[0, 0])


def test_a_vector_times_a_matrix_is_a_product_that_the_counter_does_not_know():
    assert flops(VectorTimesMatrix(), 3, 3) is None


def vision_transformer():
    from timm.models.vision_transformer import VisionTransformer

    torch.manual_seed(0)
    network = VisionTransformer(
        img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=3, num_classes=4
    )
    metadata = BackboneMetadata(
        name="tiny:vit",
        architecture="tiny/vit",
        weights=WeightsInfo("seed 0", "75" * 32),
        preprocessing=Preprocessing(
            resize=(32, 32), crop=None, interpolation="bilinear", mean=(0.5,) * 3, std=(0.5,) * 3
        ),
    )
    return Backbone(metadata, lambda: TorchNetwork(network, head="head"))


def test_a_transformer_costs_what_is_worked_out_by_hand_in_torch_as_in_its_graph():
    backbone = vision_transformer()
    tokens, width = 1 + 16, 24
    patches = 16 * width * (3 * 8 * 8)
    linear = tokens * width * (3 * width + width + 4 * width + 4 * width)
    attention = 2 * tokens * tokens * width
    expected = 2 * (patches + 2 * (linear + attention))
    assert torch_flops(backbone, [backbone.recipe()]) == expected
    assert in_graph(backbone, [backbone.recipe()]) == expected


def test_the_bundled_network_costs_the_same_in_timm_as_in_its_graph():
    backbone = open_backbone("timm:tf_efficientnet_lite0", WeightsChoice(weights="random"))
    recipes = [backbone.recipe(), backbone.recipe("logits")]
    found = torch_flops(backbone, recipes)
    assert found == 767_815_104 + 2 * 1280 * 1000
    # timm's tables have 0.40 GMAC, for fvcore counts two for each number that is normalised.
    normalised = []
    for module in backbone.network.module.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.register_forward_hook(lambda _m, _x, out: normalised.append(out.numel()))
    backbone.network.module(torch.zeros(1, 3, 224, 224))
    assert f"{(found / 2 + 2 * sum(normalised)) / 1e9:.2f}" == "0.40"
