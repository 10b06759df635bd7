"""The names that tutorials use, in any spelling, and the one backbone that each stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

__all__ = ["ALIASES", "canonical", "plain", "spelling"]

# A network of keras.applications that torchvision has no weights for, or has of another training
# than the one that made it known, comes from timm: these are the original TensorFlow weights where
# timm has them.
_TIMM = {
    "ConvNeXtXLarge": "convnext_xlarge.fb_in22k_ft_in1k",
    "EfficientNetB0": "tf_efficientnet_b0.aa_in1k",
    "EfficientNetB1": "tf_efficientnet_b1.aa_in1k",
    "EfficientNetB2": "tf_efficientnet_b2.aa_in1k",
    "EfficientNetB3": "tf_efficientnet_b3.aa_in1k",
    "EfficientNetB4": "tf_efficientnet_b4.aa_in1k",
    "EfficientNetB5": "tf_efficientnet_b5.aa_in1k",
    "EfficientNetB6": "tf_efficientnet_b6.aa_in1k",
    "EfficientNetB7": "tf_efficientnet_b7.aa_in1k",
    "EfficientNetV2B0": "tf_efficientnetv2_b0.in1k",
    "EfficientNetV2B1": "tf_efficientnetv2_b1.in1k",
    "EfficientNetV2B2": "tf_efficientnetv2_b2.in1k",
    "EfficientNetV2B3": "tf_efficientnetv2_b3.in1k",
    "EfficientNetV2L": "tf_efficientnetv2_l.in1k",
    "EfficientNetV2M": "tf_efficientnetv2_m.in1k",
    "EfficientNetV2S": "tf_efficientnetv2_s.in1k",
    "InceptionResNetV2": "inception_resnet_v2.tf_in1k",
    "InceptionV4": "inception_v4.tf_in1k",
    "MobileNet": "mobilenetv1_100.ra4_e3600_r224_in1k",
    "MobileNetV1": "mobilenetv1_100.ra4_e3600_r224_in1k",
    "NASNetLarge": "nasnetalarge.tf_in1k",
    "PNASNetLarge": "pnasnet5large.tf_in1k",
    "ResNet50V2": "resnetv2_50.a1h_in1k",
    "ResNet101V2": "resnetv2_101.a1h_in1k",
    "Xception": "legacy_xception.tf_in1k",
}

# Names that torchvision spells another way than people do.
_TORCHVISION = {
    "InceptionV1": "googlenet",
    "WideResNet50": "wide_resnet50_2",
    "WideResNet101": "wide_resnet101_2",
}

_TORCHVISION_OWN = (
    "alexnet",
    "convnext_base",
    "convnext_large",
    "convnext_small",
    "convnext_tiny",
    "densenet121",
    "densenet161",
    "densenet169",
    "densenet201",
    "googlenet",
    "inception_v3",
    "maxvit_t",
    "mnasnet0_5",
    "mnasnet0_75",
    "mnasnet1_0",
    "mnasnet1_3",
    "mobilenet_v2",
    "mobilenet_v3_large",
    "mobilenet_v3_small",
    "regnet_x_16gf",
    "regnet_x_1_6gf",
    "regnet_x_32gf",
    "regnet_x_3_2gf",
    "regnet_x_400mf",
    "regnet_x_800mf",
    "regnet_x_8gf",
    "regnet_y_128gf",
    "regnet_y_16gf",
    "regnet_y_1_6gf",
    "regnet_y_32gf",
    "regnet_y_3_2gf",
    "regnet_y_400mf",
    "regnet_y_800mf",
    "regnet_y_8gf",
    "resnet101",
    "resnet152",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnext101_32x8d",
    "resnext101_64x4d",
    "resnext50_32x4d",
    "shufflenet_v2_x0_5",
    "shufflenet_v2_x1_0",
    "shufflenet_v2_x1_5",
    "shufflenet_v2_x2_0",
    "squeezenet1_0",
    "squeezenet1_1",
    "swin_b",
    "swin_s",
    "swin_t",
    "swin_v2_b",
    "swin_v2_s",
    "swin_v2_t",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
    "vit_b_16",
    "vit_b_32",
    "vit_h_14",
    "vit_l_16",
    "vit_l_32",
    "wide_resnet101_2",
    "wide_resnet50_2",
)
"""Each stands for itself; written down so that resolving a name imports no library."""

ALIASES: Mapping[str, str] = MappingProxyType(
    {name: f"torchvision:{name}" for name in _TORCHVISION_OWN}
    | {name: f"torchvision:{target}" for name, target in _TORCHVISION.items()}
    | {name: f"timm:{target}" for name, target in _TIMM.items()}
)
"""What a bare name stands for, as people write it; `canonical` finds it in any spelling."""


def canonical(name: str) -> str | None:
    """The backbone with its source that a bare name stands for, or None."""
    found = spelling(name, ALIASES)
    return None if found is None else ALIASES[found]


def spelling(name: str, allowed: Iterable[str]) -> str | None:
    """The one of `allowed` that is spelled like `name`, but for case, hyphens and underscores.

    None where there is none, or two of which neither is the same but for case
    (``RegNetX16GF``: ``regnet_x_16gf`` or ``regnet_x_1_6gf``).
    """
    known = list(allowed)
    for form in (str, str.lower, plain):
        matches = [other for other in known if form(other) == form(name)]
        if matches:
            return matches[0] if len(matches) == 1 else None
    return None


def plain(name: str) -> str:
    """A name without what people spell differently: case, hyphens, underscores, spaces."""
    return name.lower().translate({ord(sign): None for sign in "-_ "})
