import pytest
import timm
import torch
from torch import nn

from penult.backbones.layer import Layer, find_layer, match_layers, one_by_one
from penult.backbones.network import Network
from penult.backbones.registry import open_backbone
from penult.backbones.torch_cut import TorchCut, list_layers
from penult.backbones.weights.choice import WeightsChoice
from penult.errors import BackboneError, UnknownNameError
from penult.recipe import Preprocessing

RANDOM = WeightsChoice(weights="random")


class Late(nn.Module):
    """Fails when it runs: what comes after the layers asked for must not."""

    def forward(self, images):
        raise AssertionError("computed too much")


class Small(nn.Module):
    """Doubles three times with one module, adds up each channel, and gives two logits."""

    def __init__(self, end=None):
        super().__init__()
        self.twice = Times(2)
        self.relu = nn.ReLU(inplace=True)
        self.sum = Sum()
        self.fc = nn.Linear(3, 2, bias=False)
        self.end = end or nn.Identity()
        self.fc.weight.data = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]])

    def forward(self, images):
        for _ in range(3):
            images = self.twice(images)
        return self.end(self.fc(self.sum(self.relu(images))))


class Times(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, images):
        return images * self.factor


class Sum(nn.Module):
    def forward(self, images):
        return images.sum((2, 3))


IMAGES = torch.tensor([[[[1.0]], [[-2.0]], [[3.0]]]])


def test_layers_are_listed_in_execution_order_with_shapes():
    layers = list_layers(Small(), (4, 5), head="fc")
    assert [(x.name, x.shape, x.layout, x.calls) for x in layers] == [
        ("twice", (3, 4, 5), "NCHW", 3),
        ("relu", (3, 4, 5), "NCHW", 1),
        ("sum", (3,), "vector", 1),
        ("fc", (2,), "vector", 1),
        ("end", (2,), "vector", 1),
        ("penultimate", (3,), "vector", 1),
        ("logits", (2,), "vector", 1),
    ]


def test_a_cut_gives_each_layers_output_in_the_order_asked_for():
    cut = TorchCut(Small(), {"logits": 1, "penultimate": 1, "relu": 1, "twice": 3}, "fc")
    logits, penultimate, relu, twice = cut(IMAGES)
    assert twice.flatten().tolist() == [8, -16, 24]  # as it was before ReLU worked in place
    assert relu.flatten().tolist() == [8, 0, 24]
    assert penultimate.tolist() == [[8, 0, 24]]
    assert logits.tolist() == [[8, 24]]


@pytest.mark.parametrize("layer", ["twice", "relu", "sum", "penultimate", "fc"])
def test_nothing_after_the_last_layer_is_computed(layer):
    calls = {layer: 3 if layer == "twice" else 1}
    TorchCut(Small(end=Late()), calls, "fc")(IMAGES)
    with pytest.raises(BackboneError, match="computed too much"):
        TorchCut(Small(end=Late()), calls | {"logits": 1}, "fc")(IMAGES)


def test_two_cuts_of_one_network_do_not_meet():
    network = Small()
    first, second = TorchCut(network, {"twice": 3}, "fc"), TorchCut(network, {"logits": 1}, "fc")
    assert len(first(IMAGES)) == len(second(IMAGES)) == 1
    assert not network.twice._forward_hooks


def test_a_network_in_training_mode_is_put_into_eval_mode():
    network = nn.Sequential(nn.BatchNorm2d(3), nn.Dropout(0.9), nn.Flatten()).train()
    images = torch.rand(4, 3, 2, 2)
    cut = TorchCut(network, {"penultimate": 1}, None)
    (first,), (second,), (alone,) = cut(images), cut(images), cut(images[:1])
    assert torch.equal(first, second)
    assert torch.equal(first[:1], alone)
    assert torch.allclose(first, images.flatten(1), atol=1e-4)


def test_a_classifier_that_is_a_convolution_reads_a_row_of_averages():
    network = nn.Sequential(nn.Conv2d(3, 2, 1), nn.Flatten())
    (row,) = TorchCut(network, {"penultimate": 1}, "0")(torch.arange(12.0).reshape(1, 3, 2, 2))
    assert row.tolist() == [[1.5, 5.5, 9.5]]


def test_a_layer_may_give_its_tensor_within_others_or_none_at_all():
    class Named(nn.Module):
        def forward(self, images):
            return {"first": images.sum((2, 3)), "second": images}

    class Counting(nn.Module):
        def forward(self, images):
            return torch.arange(len(images))

    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.named, self.counting, self.empty = Named(), Counting(), Empty()

        def forward(self, images):
            self.counting(images), self.empty(images)
            return self.named(images)["first"]

    class Empty(nn.Module):
        def forward(self, images):
            return ()

    assert [layer.name for layer in list_layers(Both(), (1, 1), head=None)] == [
        "named",
        "penultimate",
    ]
    (row,) = TorchCut(Both(), {"named": 1}, None)(IMAGES)
    assert row.tolist() == [[1, -2, 3]]
    with pytest.raises(
        BackboneError, match="layer 'empty' gives no tensor that could become a row"
    ):
        TorchCut(Both(), {"empty": 1}, None)(IMAGES)


def test_a_network_has_no_form_that_it_does_not_say_it_has():
    class Bare(Network):
        def list_layers(self, input_size):
            return ()

    preprocessing = Preprocessing(
        resize=2, crop=(2, 2), interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3
    )
    layer = Layer("penultimate", "output", (3,), "vector")
    for form, what in (
        (lambda: Bare().as_torch([layer]), "Bare cannot be cut as a torch module"),
        (lambda: Bare().as_onnx(layer), "Bare cannot be written as ONNX without torch"),
        (lambda: Bare().as_openvino([layer], preprocessing), "Bare is no OpenVINO graph"),
    ):
        with pytest.raises(NotImplementedError, match=what):
            form()


def test_several_layers_in_one_word_are_to_be_given_as_a_list():
    layers = list_layers(Small(), (4, 5), head="fc")
    with pytest.raises(UnknownNameError, match=r"several are a list: layer=\['relu', 's\*'\]; "):
        find_layer(layers, "relu, s*", backbone="own:small")
    with pytest.raises(UnknownNameError, match=r"layer='\*' takes all"):
        find_layer(layers, "all", backbone="own:small")
    assert one_by_one("relu,nothing", ["relu"]) == ""


def test_a_network_that_gives_no_row_an_image_says_so():
    with pytest.raises(BackboneError, match=r"no row an image, but \(3, 2, 2\)"):
        TorchCut(nn.Identity(), {"penultimate": 1}, None)(torch.zeros(1, 3, 2, 2))


def test_a_network_that_does_not_take_the_images_says_so_in_one_line():
    grey = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten())
    for run in (
        lambda: list_layers(grey, (8, 6), head=None),
        lambda: TorchCut(grey, {"penultimate": 1}, None)(torch.zeros(1, 3, 8, 6)),
    ):
        with pytest.raises(BackboneError, match=r"images of 3 channels, 8 × 6: .*channels") as told:
            run()
        assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", ["test_maxvit", "test_vit_relpos", "test_mambaout", "test_resnet"])
def test_every_layer_that_is_listed_gives_a_row_an_image_of_its_shape(name):
    if not timm.is_model(name):
        pytest.skip("an older timm, which lacks the network")
    backbone = open_backbone(f"timm:{name}", RANDOM)
    layers = backbone.layers
    names = [layer.name for layer in layers]
    assert len(names) > 20
    size = backbone.preprocessing.input_size
    images = torch.rand(3, 3, *size, generator=torch.Generator().manual_seed(0))
    cut = backbone.cut(names)
    with torch.inference_mode():
        together, alone = cut(images), cut(images[2:])
    for layer, all_rows, row in zip(layers, together, alone, strict=True):
        assert all_rows.shape == (3, *layer.shape), layer.name
        assert torch.allclose(all_rows[2], row[0], atol=1e-4), layer.name


def test_exact_names_and_globs_select_layers_once_and_in_execution_order():
    layers = list_layers(Small(), (2, 2), head="fc")

    def names(*patterns):
        return [layer.name for layer in match_layers(layers, patterns, backbone="x")]

    assert names("fc", "twice") == ["twice", "fc"]
    assert names("*e", "relu") == ["twice", "relu", "penultimate"]
    with pytest.raises(UnknownNameError, match=r"unknown layer 'relv' of x; did you mean relu\?"):
        names("relv")
    with pytest.raises(UnknownNameError, match=r"unknown layer 'z\*' of x"):
        names("fc", "z*")


def test_an_unknown_layer_gets_close_names_and_the_command_that_lists_them():
    layers = list_layers(Small(), (2, 2), head="fc")
    assert find_layer(layers, "sum", backbone="x").length == 3
    with pytest.raises(UnknownNameError, match=r"\(penult\.layers\('timm:x'\)\)"):
        find_layer(layers, "layer9", backbone="timm:x")


def test_a_layer_whose_very_name_looks_like_a_glob_is_found_by_it():
    layers = [Layer(name, "Relu", (3,), "vector") for name in ("a", "[a]", "x", "x*", "[red]")]

    def names(*patterns):
        return [layer.name for layer in match_layers(layers, patterns, backbone="x")]

    assert names("[a]") == ["[a]"]
    assert names("x*", "[red]") == ["x*", "[red]"]
    assert names("[ax]") == ["a", "x"]
    with pytest.raises(UnknownNameError, match="y"):
        names("[y]")
