import copy
import json

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save, save_file
from timm.data import create_transform, resolve_data_config

from penult.backbones.registry import open_backbone
from penult.backbones.timm.source import Timm, _preprocessing, _registered
from penult.backbones.weights.choice import WeightsChoice
from penult.engines.row_network import RowNetwork
from penult.errors import BackboneError, UnknownNameError, WeightsError
from penult.images.pixels.transform import Transform

RANDOM = WeightsChoice(weights="random")


def open_random(name):
    return open_backbone(f"timm:{name}", RANDOM)


def disturb(network):
    """Give a fresh network's normalisations and biases values, which are all 0 or 1 at first."""
    generator = torch.Generator().manual_seed(0)
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point() and tensor.ndim <= 1:
            noise = torch.rand(tensor.shape, generator=generator)
            tensor.add_(0.2 * noise if name.endswith("var") else 0.2 * (noise - 0.5))


@pytest.fixture
def small(hub):
    """A small network of timm's layout in a repository of the hub, with its own classes."""
    torch.manual_seed(3)
    network = timm.create_model("test_resnet", num_classes=4).eval()
    hub.files["someone/flowers/model.safetensors"] = save(network.state_dict())
    config = {
        "architecture": "test_resnet",
        "num_classes": 4,
        "pretrained_cfg": {
            "input_size": [3, 96, 96],
            "interpolation": "bilinear",
            "crop_pct": 0.75,
            "mean": [0.1, 0.2, 0.3],
            "std": [0.4, 0.5, 0.6],
            "classifier": "fc",
            "num_classes": 4,
            "custom_load": False,
        },
    }
    hub.files["someone/flowers/config.json"] = json.dumps(config).encode()
    return network


@pytest.mark.parametrize(
    ("name", "canonical", "length"),
    [
        ("EfficientNetB7", "timm:tf_efficientnet_b7.aa_in1k", 2560),
        ("NASNetLarge", "timm:nasnetalarge.tf_in1k", 4032),
        ("Xception", "timm:legacy_xception.tf_in1k", 2048),
        ("MobileNet", "timm:mobilenetv1_100.ra4_e3600_r224_in1k", 1024),
    ],
)
def test_rows_are_those_of_timms_own_transform_and_network(
    name, canonical, length, pictures, worst_error
):
    backbone = open_backbone(name, RANDOM)
    assert backbone.name == canonical
    disturb(backbone.network.module)
    with torch.device("meta"):
        theirs = timm.create_model(canonical.removeprefix("timm:")).eval()
    theirs.load_state_dict(backbone.network.module.state_dict(), assign=True)
    transform = create_transform(**resolve_data_config({}, model=theirs))
    images = torch.stack([transform(picture) for picture in pictures])
    network = RowNetwork(backbone, [backbone.recipe()])
    pixels = np.stack([Transform(backbone.preprocessing)(picture) for picture in pictures])
    ours = network.normalize(torch.from_numpy(pixels))
    assert torch.allclose(ours, images, atol=1e-5)
    # A part of the image will do for two networks that take seconds for the whole.
    part = slice(100, 260 if length > 2048 else None)
    with torch.inference_mode():
        maps = theirs.forward_features(images[:1, :, part, part])
        features = theirs.forward_head(maps, pre_logits=True)
        (rows,) = network.cut(ours[:1, :, part, part])
    assert rows.shape == (1, length)
    assert worst_error(rows, features) <= 1e-4


@pytest.mark.parametrize(
    "name",
    [
        "caformer_s18",  # a classifier of several layers
        "convnext_atto",  # NHWC inside
        "crossvit_tiny_240",  # two classifiers on two token widths
        "deit_tiny_distilled_patch16_224",  # two classifiers on two tokens
        "dla46_c",  # a convolution for classifier
        pytest.param(  # a classifier a stage
            "efficientvim_m1",
            marks=pytest.mark.skipif(
                not timm.is_model("efficientvim_m1"), reason="timm has it since 1.0.30"
            ),
        ),
        "levit_128s",  # batch normalisation inside the classifier
        "mobilenetv3_small_050",
        "resnetv2_18",  # a convolution for classifier
        "swin_tiny_patch4_window7_224",  # NHWC maps
        "test_byobnet",
        "test_efficientnet",
        "test_vit",
        "test_vit3",  # attention pooling, and a token of no class
    ],
)
def test_the_penultimate_row_is_what_timm_calls_pre_logits(name, worst_error):
    backbone = open_random(name)
    network = backbone.network.module
    disturb(network)
    size = network.pretrained_cfg["input_size"][1:]
    if not network.pretrained_cfg.get("fixed_input_size"):
        size = (128, 128)  # quicker, and the pooling does not mind
    images = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = network.forward_head(network.forward_features(images), pre_logits=True)
        ends = ["penultimate", "logits"] if network.num_classes else ["penultimate"]
        outputs = backbone.cut(ends)(images)
        (alone,) = backbone.cut(["penultimate"])(images[:1])
    assert outputs[0].ndim == 2
    assert worst_error(outputs[0], expected) <= 1e-6
    assert worst_error(alone, expected[:1]) <= 1e-4
    if network.num_classes:
        assert torch.allclose(outputs[1], network(images), atol=1e-5)


def test_a_copy_of_a_network_runs_the_copy():
    network = open_random("levit_128s").network.module
    twin = copy.deepcopy(network)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
    images = torch.rand(1, 3, 224, 224)
    assert twin(images).abs().sum() == 0
    assert network(images).abs().sum() > 0


def test_class_token_and_registers_are_told_from_patches():
    backbone = open_random("test_vit4")
    layer = backbone.layer("blocks")
    assert (layer.layout, layer.prefix_tokens) == ("NTD", backbone.network.module.num_prefix_tokens)
    assert layer.shape[0] == backbone.network.module.patch_embed.num_patches + layer.prefix_tokens


def test_a_network_without_a_classifier_has_no_logits(small, hub):
    config = json.loads(hub.files["someone/flowers/config.json"])
    config["num_classes"] = 0
    hub.files["someone/features/config.json"] = json.dumps(config).encode()
    backbone = open_random("someone/features")
    assert backbone.network.head is None
    names = [layer.name for layer in backbone.layers]
    assert names[-1] == "penultimate"
    assert "logits" not in names
    images = torch.rand(2, 3, 96, 96)
    (rows,) = backbone.cut(["penultimate"])(images)
    assert torch.equal(rows, backbone.network.module(images))


@pytest.mark.parametrize(
    ("name", "resize"),
    [
        ("resnet50.a1_in1k", 235),
        ("vgg16.tv_in1k", 256),
        ("convnext_base.fb_in22k_ft_in1k_384", (384, 384)),  # squashed
    ],
)
def test_preprocessing_is_what_timms_own_transform_does(name, resize):
    cfg = timm.get_pretrained_cfg(name).to_dict()
    theirs = create_transform(**resolve_data_config(pretrained_cfg=cfg)).transforms
    ours = _preprocessing(_registered(name))
    assert ours.resize == theirs[0].size == resize
    assert ours.crop == tuple(theirs[1].size)
    assert ours.interpolation == theirs[0].interpolation.value
    assert torch.allclose(torch.tensor(ours.mean), theirs[3].mean)
    assert torch.allclose(torch.tensor(ours.std), theirs[3].std)


def test_a_bare_architecture_is_its_default_tag():
    assert open_random("test_resnet").name == "timm:test_resnet.r160_in1k"


def test_a_name_that_timm_has_given_up_is_its_new_one():
    assert Timm().knows("xception")
    assert _registered("xception").name == "legacy_xception.tf_in1k"


@pytest.mark.parametrize("prefix", ["", "hf-hub:", "hf_hub:"])
def test_a_model_of_the_hub_is_downloaded_with_its_configuration(small, hub, prefix, worst_error):
    backbone = open_backbone(f"timm:{prefix}someone/flowers")
    assert backbone.name == "timm:someone/flowers"
    assert backbone.weights.name == "someone/flowers"
    assert backbone.preprocessing.resize == 128
    assert backbone.preprocessing.crop == (96, 96)
    assert backbone.preprocessing.mean == (0.1, 0.2, 0.3)
    images = torch.rand(2, 3, 96, 96)
    rows, logits = backbone.cut(["penultimate", "logits"])(images)
    with torch.inference_mode():
        assert torch.allclose(rows, small.forward_head(small.forward_features(images), True))
        assert torch.allclose(logits, small(images))
    hub.stop()
    offline = open_backbone("timm:someone/flowers", WeightsChoice(offline=True))
    assert offline.recipe() == backbone.recipe()


def test_a_pickle_on_the_hub_that_would_run_code_is_refused(small, hub, tmp_path):
    torch.save({"fc.weight": torch.zeros(1), "hook": print}, tmp_path / "evil.bin")
    del hub.files["someone/flowers/model.safetensors"]
    hub.files["someone/flowers/pytorch_model.bin"] = (tmp_path / "evil.bin").read_bytes()
    with pytest.raises(WeightsError, match="weights_only=True blocked") as raised:
        _ = open_backbone("timm:someone/flowers").network.module
    assert "\n" not in str(raised.value)


def test_weights_that_do_not_fit_their_configuration_are_one_line(small, hub):
    other = timm.create_model("test_vit", num_classes=4)
    hub.files["someone/flowers/model.safetensors"] = save(other.state_dict())
    with pytest.raises(WeightsError, match=r"does not fit timm's test_resnet: it lacks") as raised:
        _ = open_backbone("timm:someone/flowers").network.module
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"architecture": None, "model_type": "vit"}, "not timm's .*; for a model of the tr"),
        ({"architecture": "no_such_net"}, "is a 'no_such_net', which this timm lacks"),
        ({"model_args": {"checkpoint_path": "/etc/passwd"}}, "refused: its config.json sets"),
        ({"model_args": {"no_such": 1}}, "cannot be built with .*no_such"),
        ({"pretrained_cfg": {"input_size": [1, 28, 28]}}, "in a way that penult lacks: 1 channels"),
        ({"pretrained_cfg": {"crop_mode": "border"}}, "in a way that penult lacks: .* 'border'"),
        ({"model_args": {"in_chans": 4}}, "in a way that penult lacks: 4 channels"),
        ({"pretrained_cfg": {"crop_pct": 0}}, "states crop_pct 0, which cannot be"),
        ({"pretrained_cfg": {"input_size": [3, 0, 0]}}, r"states input_size \[3, 0, 0\]"),
        ({"pretrained_cfg": {"input_size": 224}}, "states input_size 224"),
        ({"pretrained_cfg": {"mean": [0.5]}}, r"lacks: mean is \[0.5\], and may be three numbers"),
        ({"pretrained_cfg": {"mean": 0.5}}, "mean is 0.5, and may be three numbers"),
        ({"pretrained_cfg": {"std": [1, 0, 1]}}, "three numbers other than 0"),
        ({"pretrained_cfg": {"interpolation": "random"}}, 'interpolation is "random"'),
        ({"pretrained_cfg": [1]}, r"not timm's \(its pretrained_cfg is \[1\]\)"),
        ({"model_args": "x"}, r"not timm's \(its model_args is \"x\"\)"),
    ],
)
def test_a_configuration_that_is_not_timms_is_refused(small, hub, change, complaint):
    config = json.loads(hub.files["someone/flowers/config.json"]) | change
    config = {key: value for key, value in config.items() if value is not None}
    hub.files["someone/flowers/config.json"] = json.dumps(config).encode()
    with pytest.raises(BackboneError, match=complaint):
        _ = open_random("someone/flowers").network.module


def test_a_configuration_that_is_no_object_is_refused(small, hub):
    for name, text, why in (("list", "[1]", "it is no object"), ("half", "{", "it is no JSON: ")):
        hub.files[f"someone/{name}/config.json"] = text.encode()
        with pytest.raises(BackboneError, match=rf"not timm's \({why}"):
            open_random(f"someone/{name}")


def test_a_mean_of_0_is_a_mean(small, hub):
    config = json.loads(hub.files["someone/flowers/config.json"])
    config["pretrained_cfg"] |= {"mean": [0, 0, 0], "std": [1, 1, 1]}
    hub.files["someone/black/config.json"] = json.dumps(config).encode()
    assert open_random("someone/black").preprocessing.mean == (0, 0, 0)


def test_arguments_of_the_constructor_are_part_of_the_recipe(small, hub):
    config = json.loads(hub.files["someone/flowers/config.json"])
    config["model_args"] = {"global_pool": "max"}
    hub.files["someone/max/config.json"] = json.dumps(config).encode()
    average, largest = open_random("someone/flowers"), open_random("someone/max")
    assert average.weights.sha256 == largest.weights.sha256
    assert average.recipe() != largest.recipe()


def test_given_weights_may_have_other_classes_and_wrappers(tmp_path):
    network = timm.create_model("test_resnet", num_classes=5)
    state = {f"module.{key}": value for key, value in network.state_dict().items()}
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "run.pth")
    backbone = open_backbone("timm:test_resnet", WeightsChoice(tmp_path / "run.pth"))
    assert torch.equal(backbone.network.module.fc.weight, network.fc.weight)
    assert backbone.layer("logits").shape == (5,)


def test_given_weights_in_an_older_layout_go_through_timms_own_conversion(tmp_path):
    network = timm.create_model("test_vit")
    save_file(network.state_dict(), tmp_path / "now.safetensors")
    # The original files of DeiT and others wrap the tensors and name the patch embedding otherwise.
    old = {"model": dict(network.state_dict())}
    weight = old["model"]["patch_embed.proj.weight"]
    old["model"]["patch_embed.proj.weight"] = weight.flatten(1)
    torch.save(old, tmp_path / "old.pth")
    opened = open_backbone("timm:test_vit", WeightsChoice(tmp_path / "old.pth")).network.module
    assert torch.equal(opened.patch_embed.proj.weight, weight)
    assert "state_dict" not in opened.pretrained_cfg


def test_given_weights_of_another_network_are_refused(tmp_path):
    save_file(timm.create_model("test_vit").state_dict(), tmp_path / "vit.safetensors")
    backbone = open_backbone("timm:test_resnet", WeightsChoice(tmp_path / "vit.safetensors"))
    complaint = r"vit.safetensors does not fit timm:test_resnet[.\w]*: it lacks conv1"
    with pytest.raises(WeightsError, match=complaint):
        _ = backbone.network.module


def test_an_architecture_without_weights_says_so():
    with pytest.raises(WeightsError, match="has no pretrained weights in timm"):
        open_backbone("timm:efficientnet_b7")
    name = open_random("test_resnet").name
    assert open_backbone(name, RANDOM).name == name


@pytest.mark.parametrize("name", ["resnet500", "resnet50.a1_in2k", "resnet50.", "."])
def test_an_unknown_name_or_tag_gets_close_ones(name):
    with pytest.raises(UnknownNameError, match="unknown timm model"):
        open_random(name)


def test_cards_come_from_the_registry_alone(monkeypatch):
    monkeypatch.setattr(timm, "create_model", None)
    cards = {card.name: card for card in Timm().models()}
    card = cards["timm:resnet50.a1_in1k"]
    assert (card.name, card.input_size, card.licence) == (
        "timm:resnet50.a1_in1k",
        (224, 224),
        "apache-2.0",
    )
    assert (card.parameters, card.features, card.top1) == (25_557_032, 2048, None)
    assert (card.weights, card.on_this_machine) == ("timm/resnet50.a1_in1k", False)
    assert len(cards) > 1000
