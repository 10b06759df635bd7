"""What a layer of one library's network is called in another's, without importing either."""

from __future__ import annotations

import re
from collections.abc import Sequence

from penult.backbones.aliases import canonical, spelling
from penult.backbones.keras.applications import KERAS_MODELS

__all__ = ["layer_here", "source_that_has"]

# What Keras calls the layers of each family, beside those that it names by their type.
_KERAS_NAMES = {
    "VGG": r"block[1-5]_(conv[1-4]|pool)|fc[12]",
    "ResNet": r"conv\d(_block\d+)?_\w+|pool1_(pad|pool)|post_(bn|relu)|avg_pool",
    "DenseNet": r"conv\d(_block\d+)?_\w+|pool\d(_\w+)?|bn|relu|avg_pool",
    "InceptionV3": r"mixed\d+(_\d+)?|avg_pool",
    "InceptionResNetV2": r"mixed_\w+|block(8|17|35)_\d+_\w+|conv_7b\w*|avg_pool",
    "MobileNetV2": r"(bn_)?Conv1(_\w+)?|expanded_conv_\w+|block_\d+_\w+|Conv_1(_bn)?|out_relu",
    "MobileNetV3": r"conv(_bn)?|conv_[12](_bn)?|expanded_conv_\w+",
    "MobileNet": r"conv1(_\w+)?|conv_(dw|pw|pad)_\d+(_\w+)?|conv_preds",
    "EfficientNet": r"(stem|top)_\w+|block\d[a-z]+_\w+|avg_pool",
    "Xception": r"block\d+_(pool|(sep)?conv\d(_\w+)?)|avg_pool",
    "ConvNeXt": r"convnext_\w+",
    "NASNet": r"(stem|reduction|normal|separable|adjust)_?\w+",
}
_BY_TYPE = re.compile(
    r"((conv|max_pooling|average_pooling|global_average_pooling|zero_padding)2d"
    r"|batch_normalization|activation|re_lu|add|concatenate|multiply|dropout|reshape|flatten"
    r"|rescaling|normalization|custom_scale_layer)(_\d+)?|predictions"
)
_TORCH = re.compile(
    r"(features|classifier|layer[1-4]|Mixed_\d\w|avgpool|maxpool|fc|denseblock\d)(\.[\w.]+)?"
)

# The same places: Keras's name, and what torchvision and timm call it, the likeliest first.
_SAME: dict[str, dict[str, tuple[str, ...]]] = {
    r"VGG\d+": {r"fc1": ("classifier.1",), r"fc2": ("penultimate",)},
    r"ResNet\d+": {
        r"conv(\d)_block(\d+)_out": ("layer{0}.{1}",),
        r"pool1_pool": ("maxpool",),
        r"conv1_relu": ("relu", "act1"),
    },
    r"DenseNet\d+": {r"pool(\d)_pool": ("features.transition{0}",), r"bn": ("features.norm5",)},
    r"MobileNetV2": {r"out_relu": ("features", "bn2")},
    r"EfficientNet\w+": {r"top_activation": ("features", "bn2")},
    r"Xception": {r"block14_sepconv2_act": ("act4",)},
    r"(?!VGG|MobileNetV3).*": {
        r"avg_pool|global_average_pooling2d(_\d+)?|convnext_\w+_head_layernorm": ("penultimate",)
    },
    r".*": {r"predictions|convnext_\w+_head_dense": ("logits", "fc", "classifier", "head")},
}
_MIXED = ["5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c"]
_VGG_CONVOLUTIONS = {"VGG16": (2, 2, 3, 3, 3), "VGG19": (2, 2, 4, 4, 4)}


def layer_here(architecture: str, asked: str, names: Sequence[str]) -> str | None:
    """Find what another library calls `asked` among this network's own names.

    Parameters
    ----------
    architecture : str
        Library and name, as a recipe has it: ``"torchvision/vgg16"``.
    asked : str
        The name that is unknown here: ``"block5_pool"``.
    names : sequence of str
        Those of this network, in execution order.

    Returns
    -------
    str or None
        That of the same place: ``"features"``.
    """
    model = _keras_name(architecture)
    if model is None:
        return None
    if not architecture.startswith("keras/"):
        return next((name for name in _in_torch(model, asked) if name in names), None)
    same = [own for own in names if asked in _in_torch(model, own)]
    # Of a part that was named as a whole (layer4), what it ends with.
    within = [own for own in names if any(x.startswith(f"{asked}.") for x in _in_torch(model, own))]
    return next(iter((same or within)[::-1]), None)


def source_that_has(architecture: str, asked: str) -> str | None:
    """Find the same network of another library that has such names: ``"keras:VGG16"``."""
    model = _keras_name(architecture)
    if model is None:
        return None
    if architecture.startswith("keras/"):
        return canonical(model) if _TORCH.fullmatch(asked) else None
    family = next(kind for kind in _KERAS_NAMES if model.startswith(kind))
    known = re.fullmatch(_KERAS_NAMES[family], asked) or _BY_TYPE.fullmatch(asked)
    return f"keras:{model}" if known else None


def _keras_name(architecture: str) -> str | None:
    """What Keras calls a network, if it has it."""
    library, _, name = architecture.partition("/")
    for model in KERAS_MODELS:
        target, _, found = (canonical(model) or "").partition(":")
        if target == library and found.partition(".")[0] == name:
            return model
    return spelling(name.removeprefix("tf_"), KERAS_MODELS)


def _in_torch(model: str, layer: str) -> list[str]:
    """What torchvision and timm call a layer of Keras."""
    if model in _VGG_CONVOLUTIONS and (found := re.fullmatch(r"block(\d)_(pool|conv\d)", layer)):
        block, part = int(found[1]), found[2]
        sizes = _VGG_CONVOLUTIONS[model]
        # A convolution of Keras ends with its ReLU, which is a module of its own in torch.
        at = sum(2 * size + 1 for size in sizes[: block - 1])
        at += 2 * (sizes[block - 1] if part == "pool" else int(part[-1])) - (part != "pool")
        return ["features"] * (layer == "block5_pool") + [f"features.{at}"]
    if model == "InceptionV3" and (found := re.fullmatch(r"mixed(\d+)", layer)):
        return [f"Mixed_{name}" for name in _MIXED[int(found[1]) :][:1]]
    names: list[str] = []
    for models, places in _SAME.items():
        for place, theirs in places.items() if re.fullmatch(models, model) else ():
            if found := re.fullmatch(place, layer):
                numbers = [int(n) - 1 for n in found.groups() if n and n.isdigit()]
                names += [name.format(*numbers) for name in theirs]
    return names
