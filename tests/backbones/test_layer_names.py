"""A layer by the name that another library has for it."""

import os
import subprocess
import sys
from functools import cache

import pytest
import torch

from penult.backbones.layer import Layer, find_layer
from penult.backbones.layer_names import layer_here, source_that_has
from penult.errors import UnknownNameError


@cache
def layers_of(architecture):
    """The names of a network's modules; on the device meta, where nothing is allocated."""
    library, name = architecture.split("/")
    with torch.device("meta"):
        if library == "torchvision":
            from torchvision.models import get_model

            options = {"init_weights": False} if name == "inception_v3" else {}
            network = get_model(name, weights=None, **options)
        else:
            import timm

            network = timm.create_model(name)
    return [*filter(None, dict(network.named_modules())), "penultimate", "logits"]


@cache
def layers_of_keras(name):
    """The names of a model's layers; it is made where nothing is allocated."""
    os.environ["KERAS_BACKEND"] = "torch"  # which the first import reads
    keras = pytest.importorskip("keras")
    with keras.device("meta"), pytest.MonkeyPatch.context() as patch:
        unset = lambda _self, shape, dtype=None: torch.empty(shape, device="meta")  # noqa: E731
        patch.setattr(keras.initializers.VarianceScaling, "__call__", unset)
        return [layer.name for layer in getattr(keras.applications, name)(weights=None).layers]


@pytest.mark.parametrize(
    ("architecture", "asked", "here"),
    [
        ("torchvision/vgg16", "block5_pool", "features"),
        ("torchvision/vgg16", "block1_pool", "features.4"),  # convolution, ReLU, twice
        ("torchvision/vgg16", "block4_conv3", "features.22"),  # with its ReLU, as in Keras
        ("torchvision/vgg16", "fc2", "penultimate"),
        ("torchvision/vgg16", "predictions", "logits"),
        ("torchvision/vgg19", "block5_pool", "features"),
        ("torchvision/vgg19", "block4_pool", "features.27"),  # 2 × (2 + 2 + 4 + 4) + 3
        ("timm/vgg16", "block5_pool", "features"),
        ("torchvision/resnet50", "conv5_block3_out", "layer4.2"),
        ("torchvision/resnet50", "conv2_block1_out", "layer1.0"),
        ("torchvision/resnet50", "avg_pool", "penultimate"),
        ("timm/resnet50", "conv1_relu", "act1"),
        ("torchvision/inception_v3", "mixed10", "Mixed_7c"),
        ("torchvision/inception_v3", "mixed0", "Mixed_5b"),
        ("torchvision/mobilenet_v2", "out_relu", "features"),
        ("torchvision/densenet121", "pool3_pool", "features.transition2"),
        ("timm/tf_efficientnet_b0", "top_activation", "bn2"),
        ("timm/legacy_xception", "block14_sepconv2_act", "act4"),
        ("timm/resnetv2_50", "avg_pool", "penultimate"),
    ],
)
def test_keras_names_lead_to_the_same_place_in_torchs_networks(architecture, asked, here):
    assert layer_here(architecture, asked, layers_of(architecture)) == here


def test_the_places_of_vgg16_are_the_last_relu_and_the_pooling_of_their_blocks():
    from torchvision.models import vgg16

    with torch.device("meta"):
        network = vgg16()
    assert isinstance(network.get_submodule("features.22"), torch.nn.ReLU)
    assert isinstance(network.get_submodule("features.4"), torch.nn.MaxPool2d)
    assert isinstance(network.features[-1], torch.nn.MaxPool2d)  # so features ends with block 5


@pytest.mark.parametrize(
    ("architecture", "asked", "here"),
    [
        ("keras/VGG16", "features", "block5_pool"),
        ("keras/VGG16", "features.22", "block4_conv3"),
        ("keras/ResNet50", "layer4", "conv5_block3_out"),
        ("keras/ResNet50", "layer3.2", "conv4_block3_out"),
        ("keras/ResNet50", "fc", "predictions"),
        ("keras/MobileNetV2", "features", "out_relu"),
    ],
)
def test_torchs_names_lead_to_the_same_place_in_kerass_networks(architecture, asked, here):
    layers = layers_of_keras(architecture.removeprefix("keras/"))
    assert layer_here(architecture, asked, layers) == here


@pytest.mark.parametrize(
    ("architecture", "asked", "source"),
    [
        ("torchvision/vgg16", "block5_conv1", "keras:VGG16"),
        ("torchvision/resnet50", "conv2_block1_1_relu", "keras:ResNet50"),
        ("timm/resnetv2_50", "post_relu", "keras:ResNet50V2"),
        ("timm/mobilenetv1_100", "conv_pw_13_relu", "keras:MobileNet"),
        ("timm/tf_efficientnet_b0", "block7a_project_bn", "keras:EfficientNetB0"),
        ("keras/ResNet50", "layer4.2.conv3", "torchvision:resnet50"),
        pytest.param("torchvision/vgg16", "block6_pool", None, id="a name that VGG never had"),
        pytest.param("torchvision/resnet50", "block5_pool", None, id="another network's name"),
        pytest.param("timm/vit_small_patch14_dinov2", "block5_pool", None, id="not in Keras"),
        pytest.param("onnx/graph", "block5_pool", None, id="of no library"),
    ],
)
def test_the_source_that_has_such_names_is_named(architecture, asked, source):
    assert source_that_has(architecture, asked) == source


@pytest.mark.parametrize("name", ["ResNet50", "InceptionV3", "MobileNetV2", "DenseNet121"])
def test_all_that_keras_calls_a_layer_is_known_as_keras_name(name):
    names = [layer for layer in layers_of_keras(name) if not layer.startswith("input_layer")]
    assert {source_that_has(f"timm/{name.lower()}", x) for x in names} == {f"keras:{name}"}


def test_the_message_says_the_name_here_and_the_source_and_imports_no_keras():
    layers = [Layer("features", "Sequential", (512, 7, 7), "NCHW")]
    with pytest.raises(UnknownNameError) as caught:
        find_layer(
            layers, "block5_pool", backbone="torchvision:vgg16", architecture="torchvision/vgg16"
        )
    assert str(caught.value) == (
        "unknown layer 'block5_pool' of torchvision:vgg16; did you mean features? "
        "(keras:VGG16 has layers of such names; penult.layers('torchvision:vgg16'))"
    )
    code = "import penult.backbones.layer, sys; print('keras' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
