import hashlib
import io

import pytest
import torch
from smaller_networks import vgg_of_64, vit_of_two_layers
from torch import nn
from torchvision import models

from penult.backbones import torchvision
from penult.backbones.catalogue import list_models
from penult.backbones.registry import open_backbone
from penult.backbones.torchvision import Torchvision, _rename_layers
from penult.backbones.weights.choice import WeightsChoice
from penult.backbones.weights.info import WeightsInfo
from penult.errors import UnknownNameError, WeightsError

RANDOM = WeightsChoice(weights="random")


def open_random(name):
    return open_backbone(f"torchvision:{name}", RANDOM)


@pytest.fixture
def stored(hub, monkeypatch):
    """SqueezeNet's weights, untrained, where torchvision says that they are."""
    torch.manual_seed(1)
    network = models.squeezenet1_1()
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    content = file.getvalue()
    name = f"squeezenet1_1-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    hub.files[name] = content
    entry = models.SqueezeNet1_1_Weights.IMAGENET1K_V1
    monkeypatch.setattr(entry.value, "url", f"{hub.url}/{name}")
    return network, name


@pytest.fixture
def _unset(monkeypatch):
    """Networks whose numbers nobody looks at do without random ones, which take longest."""
    for name in ("kaiming_normal_", "kaiming_uniform_", "normal_", "trunc_normal_", "uniform_"):
        monkeypatch.setattr(nn.init, name, lambda tensor, *_, **__: tensor)
    # Nor asks anybody for the digest of such numbers.
    monkeypatch.setattr(torchvision, "random_weights", lambda _: WeightsInfo("random", "0" * 64))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "head", "length"),
    [
        ("alexnet", "classifier.6", 4096),
        ("googlenet", "fc", 1024),
        ("inception_v3", "fc", 2048),
        ("resnet50", "fc", 2048),
        ("vgg16", "classifier.6", 64),
    ],
)
def test_rows_are_those_of_torchvisions_own_transforms_and_network(
    name, head, length, rows_of, pictures, worst_error, monkeypatch
):
    vgg_of_64(monkeypatch)
    backbone = open_random(name)
    # Weights that came from TensorFlow go with a normalisation inside the network.
    special = {"transform_input": True, "init_weights": False}
    options = special if name in ("googlenet", "inception_v3") else {}
    with torch.device("meta"):
        theirs = models.get_model(name, weights=None, **options).eval()
    theirs.load_state_dict(backbone.network.module.state_dict(), assign=True)
    transforms = models.get_model_weights(name).DEFAULT.transforms()
    images = torch.stack([transforms(picture) for picture in pictures])
    with torch.inference_mode():
        logits = theirs(images)
        theirs.set_submodule(head, nn.Identity())
        features = theirs(images)
    assert features.shape == (2, length)
    ours = rows_of(backbone, "penultimate", "logits")
    assert worst_error(ours[0], features) <= 1e-4
    assert worst_error(ours[1], logits) <= 1e-4


@pytest.mark.usefixtures("_unset")
@pytest.mark.parametrize(
    ("name", "head", "length"),
    [
        ("efficientnet_b0", "classifier.1", 1280),
        ("mnasnet0_5", "classifier.1", 1280),
        ("mobilenet_v3_small", "classifier.3", 1024),
        ("regnet_y_400mf", "fc", 440),
        ("shufflenet_v2_x0_5", "fc", 1024),
        ("squeezenet1_1", "classifier.1", 512),
    ],
)
def test_the_classifier_is_found_and_its_input_is_the_row(name, head, length):
    backbone = open_random(name)
    assert backbone.network.head == head
    assert backbone.layer("penultimate").shape == (length,)
    assert backbone.layer("logits").shape == (1000,)


def test_squeezenets_row_is_the_average_over_what_its_convolution_reads(rows_of, worst_error):
    backbone = open_random("squeezenet1_1")
    row, maps = rows_of(backbone, "penultimate", "features")
    assert worst_error(row, maps) <= 1e-6  # `features` is averaged by default


@pytest.mark.usefixtures("_unset")
def test_vgg16_features_flattened_are_the_25088_numbers_of_the_tutorials():
    backbone = open_backbone("VGG16", RANDOM)
    layer = backbone.layer("features")
    recipe = backbone.recipe("features", "flatten")
    assert backbone.name == "torchvision:vgg16.IMAGENET1K_V1"
    assert layer.pooled_shape(recipe.pooling) == (25_088,)
    assert backbone.layer("penultimate").shape == (4096,)


def test_a_class_token_is_taken_and_the_average_leaves_it_out(rows_of, monkeypatch):
    vit_of_two_layers(monkeypatch)
    backbone = open_random("vit_b_32")
    assert backbone.network.head == "heads.head"
    layer = backbone.layer("encoder")
    assert (layer.layout, layer.shape) == ("NTD", (50, 768))
    assert layer.default_pooling == "cls"
    row, token = rows_of(backbone, "penultimate", "encoder")
    assert (row == token).all()


@pytest.mark.usefixtures("_unset")
def test_weights_by_name_have_their_own_preprocessing():
    first, second = (
        open_random("mobilenet_v2.IMAGENET1K_V1"),
        open_random("MobileNet-V2.imagenet1k_v2"),
    )
    assert (first.preprocessing.resize, second.preprocessing.resize) == (256, 232)
    assert (
        open_random("mobilenet_v2").name == second.name == "torchvision:mobilenet_v2.IMAGENET1K_V2"
    )
    large = open_random("vit_b_16.IMAGENET1K_SWAG_E2E_V1")
    assert large.preprocessing.crop == (384, 384)
    assert large.network.module.seq_length == 1 + 24 * 24


def test_two_untrained_networks_are_the_same_and_the_processs_own_seed_is_kept():
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    first, second = open_random("squeezenet1_1"), open_random("squeezenet1_1")
    assert torch.rand(1) == expected
    assert first.weights == second.weights
    assert first.weights.name == "random"
    assert first.recipe() == second.recipe() != open_random("squeezenet1_0").recipe()


def test_pretrained_weights_are_fetched_once_and_found_offline(stored, hub):
    network, name = stored
    backbone = open_backbone("torchvision:squeezenet1_1")
    ours = backbone.network.module.state_dict()
    assert all(torch.equal(ours[key], value) for key, value in network.state_dict().items())
    assert backbone.weights.name == name
    assert backbone.weights.sha256 == hashlib.sha256(hub.files[name]).hexdigest()
    hub.stop()
    offline = open_backbone("torchvision:squeezenet1_1", WeightsChoice(offline=True))
    assert offline.recipe() == backbone.recipe()


def test_a_download_or_a_cached_file_with_another_digest_is_refused(stored, hub):
    _, name = stored
    hub.corrupt.add(name)
    with pytest.raises(WeightsError, match="not the file it should be and was discarded"):
        open_backbone("torchvision:squeezenet1_1")
    hub.corrupt.clear()
    path = open_backbone("torchvision:squeezenet1_1").weights.path
    path.write_bytes(b"changed")
    with pytest.raises(WeightsError, match=r"delete it, then type: penult\.fetch\('torchvision:sq"):
        open_backbone("torchvision:squeezenet1_1")


def test_a_card_says_what_torchvision_knows(stored):
    (card,) = list_models("torchvision:squeezenet1_1*")
    assert card.name == "torchvision:squeezenet1_1.IMAGENET1K_V1"
    assert (card.parameters, card.input_size, card.features) == (1_235_496, (224, 224), 512)
    assert (card.licence, card.top1, card.on_this_machine) == (None, 58.178, False)
    open_backbone("torchvision:squeezenet1_1")
    (card,) = list_models("torchvision:squeezenet1_1*")
    assert card.on_this_machine


def test_weights_without_a_classifier_are_not_offered():
    # torchvision fills that classifier with NaN.
    assert "vgg16.IMAGENET1K_V1" in set(Torchvision().names())
    with pytest.raises(UnknownNameError, match=r"'IMAGENET1K_FEATURES'.*IMAGENET1K_V1"):
        open_random("vgg16.IMAGENET1K_FEATURES")


def test_given_weights_may_have_other_classes(tmp_path):
    torch.save({"state_dict": models.squeezenet1_1(num_classes=5).state_dict()}, tmp_path / "a.pth")
    backbone = open_backbone("torchvision:squeezenet1_1", WeightsChoice(tmp_path / "a.pth"))
    assert backbone.layer("logits").shape == (5,)
    assert backbone.weights.name == f"file:{tmp_path / 'a.pth'}"


@pytest.mark.parametrize("aux", [True, False])
def test_given_weights_may_lack_the_auxiliary_classifiers(tmp_path, aux):
    network = models.googlenet(init_weights=False, aux_logits=aux)
    torch.save(network.state_dict(), tmp_path / "googlenet.pth")
    backbone = open_backbone("GoogLeNet", WeightsChoice(tmp_path / "googlenet.pth"))
    assert torch.equal(backbone.network.module.fc.weight, network.fc.weight)
    assert backbone.network.module.transform_input


def test_densenets_old_names_of_layers_are_understood():
    with torch.device("meta"):
        now = models.densenet121().state_dict()
    old = {
        key.replace(".norm1.", ".norm.1.").replace(".conv2.", ".conv.2."): value
        for key, value in now.items()
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    _rename_layers(old)
    assert old.keys() == now.keys()


def test_an_unknown_name_gets_close_ones():
    with pytest.raises(UnknownNameError, match=r"did you mean .*resnet50"):
        open_random("resnet55")
