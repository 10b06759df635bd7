"""From photo files to feature files, the classic networks give what their own libraries give.

With random weights, the same on both sides: what is compared is decoding, resizing, cropping,
normalising, the forward pass, the layer and its place in the file, end to end.
"""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from PIL import Image
from smaller_networks import nasnet_of_1056, vgg_of_64
from torch import nn

import penult
from penult.backbones.registry import open_backbone
from penult.backbones.weights.choice import WeightsChoice
from penult.extractor import opened


@pytest.fixture
def jpegs(tmp_path):
    """Two smooth, noisy photos whose sides are no multiples of anything."""
    rng = np.random.default_rng(5)
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, size in (("wide.jpg", (531, 402)), ("high.jpg", (397, 613))):
        small = Image.fromarray(rng.integers(0, 256, (7, 6, 3), dtype=np.uint8))
        pixels = np.asarray(small.resize(size, Image.Resampling.BICUBIC), dtype=float)
        noisy = (pixels + rng.normal(0, 10, pixels.shape)).clip(0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(folder / name, quality=92)
    return folder


def without_head(network, path: str):
    """The network with nothing where its classifier was."""
    network = copy.deepcopy(network)
    parent, _, name = path.rpartition(".")
    setattr(network.get_submodule(parent), name, nn.Identity())
    return network


def as_torchvision(backbone, images, head):
    import torchvision

    architecture = backbone.name.removeprefix("torchvision:").partition(".")[0]
    transform = torchvision.models.get_model_weights(architecture).DEFAULT.transforms()
    batch = torch.stack([transform(image) for image in images])
    if head == "features":
        return backbone.network.module.features(batch).flatten(1)
    return without_head(backbone.network.module, head)(batch)


def as_timm(backbone, images, _head):
    import timm

    network = backbone.network.module
    config = timm.data.resolve_data_config({}, model=network)
    batch = torch.stack([timm.data.create_transform(**config)(image) for image in images])
    return network.forward_head(network.forward_features(batch), pre_logits=True)


CLASSIC = [
    ("VGG16", {"layer": "features", "pooling": "flatten"}, as_torchvision, "features", 25_088),
    ("ResNet50", {}, as_torchvision, "fc", 2_048),
    ("InceptionV3", {}, as_torchvision, "fc", 2_048),
    ("AlexNet", {}, as_torchvision, "classifier.6", 4_096),
    ("GoogLeNet", {}, as_torchvision, "fc", 1_024),
    ("EfficientNetB0", {}, as_timm, None, 1_280),
    ("NASNetLarge", {}, as_timm, None, 1_056),
    ("Xception", {}, as_timm, None, 2_048),
    ("MobileNet", {}, as_timm, None, 1_024),
]

# Random weights are the same each time, and making them takes longest: of a large network, once.
OPENED_TWICE = ("GoogLeNet", "MobileNet")
# As large as they are, tests/backbones has them.
SMALLER = {"NASNetLarge": nasnet_of_1056, "VGG16": vgg_of_64}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options", "reference", "head", "length"), CLASSIC, ids=[case[0] for case in CLASSIC]
)
def test_the_classic_networks_end_to_end(
    jpegs, tmp_path, monkeypatch, name, options, reference, head, length
):
    if name in SMALLER:
        SMALLER[name](monkeypatch)
    backbone = open_backbone(name, WeightsChoice(weights="random"))
    if name not in OPENED_TWICE:
        monkeypatch.setattr(opened, "open_backbone", lambda *_args, **_options: backbone)
    features = penult.extract(
        jpegs, tmp_path / "f.h5", model=name, weights="random", engine="torch", device="cpu",
        **options,
    )  # fmt: skip
    assert features.features.shape == (2, length)
    assert backbone.weights.sha256 == features.recipe.weights_sha256
    images = [Image.open(jpegs / name).convert("RGB") for name in features.ids]
    with torch.inference_mode():
        expected = reference(backbone, images, head).numpy()
    for row, theirs in zip(features.features[:], expected, strict=True):
        assert row @ theirs / np.linalg.norm(row) / np.linalg.norm(theirs) >= 0.9999
        assert np.linalg.norm(row - theirs) <= 1e-4 * np.linalg.norm(theirs)
