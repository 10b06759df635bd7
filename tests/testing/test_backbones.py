"""A source of backbones that breaks a promise is told which; the built-in ones keep theirs."""

from __future__ import annotations

import pytest
import torch
from toys import GraphOfMeans, MeanColour, Slashes, TinyNetwork

from penult.backbones.backbone import Backbone
from penult.backbones.registry import resolve
from penult.backbones.torch_network import TorchNetwork
from penult.backbones.weights.choice import WeightsChoice
from penult.backbones.weights.info import WeightsInfo
from penult.testing import check_source

UNTRAINED = WeightsChoice("random")


@pytest.mark.parametrize(
    ("model", "choice"),
    [
        pytest.param("bundled:efficientnet_lite0", None, marks=pytest.mark.slow),
        ("torchvision:resnet18", UNTRAINED),
        ("timm:test_vit.r160_in1k", UNTRAINED),
    ],
)
def test_a_built_in_source_keeps_its_promises(model, choice):
    source, name = resolve(model)
    check_source(source, name, choice)


@pytest.mark.parametrize("source", [MeanColour, TinyNetwork, Slashes, GraphOfMeans])
def test_toys_keep_theirs(source):
    check_source(source(), *source().names())


class Listing(MeanColour):
    def names(self):
        return ["toy:mean-colour"]


class Obliging(MeanColour):
    def open(self, name, choice):
        return super().open("mean-colour", choice)


class Failing(MeanColour):
    def open(self, name, choice):
        return {"mean-colour": super().open("mean-colour", choice)}[name]


class Anonymous(MeanColour):
    def open(self, name, choice):
        return super().open(name, choice).replace(name="mean-colour")


class Undigested(MeanColour):
    def open(self, name, choice):
        return super().open(name, choice).replace(weights=WeightsInfo("mean-colour 1", "?"))


class Centring(MeanColour):
    """Its network takes the mean of the batch from each image."""

    def open(self, name, choice):
        inner = super().open(name, choice)

        def build():
            module = inner.network.module
            module.mean.register_forward_hook(lambda _module, _images, rows: rows - rows.mean(0))
            return TorchNetwork(module, head="logits")

        return Backbone(inner.metadata, build)


class Numbering(MeanColour):
    def names(self):
        return [1]


class Unnamed(MeanColour):
    prefix = None


class Breaking(MeanColour):
    def open(self, name, choice):
        return Backbone(super().open(name, choice).metadata, lambda: 1 / 0)


class Heedless(MeanColour):
    def open(self, name, choice):
        return super().open(name, WeightsChoice())


class Drawing(MeanColour):
    """Its weights are drawn anew each time."""

    def open(self, name, choice):
        inner = super().open(name, choice)

        def build():
            module = inner.network.module
            module.logits.weight.data = torch.randn(2, 3)
            return TorchNetwork(module, head="logits")

        return Backbone(inner.metadata, build)


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (Listing, "names\\(\\) are without the prefix, and 'toy:mean-colour' has it"),
        (Obliging, "open\\(\\) opened 'no such backbone'"),
        (Failing, "and raised KeyError"),
        (Anonymous, "'mean-colour' has no prefix toy:"),
        (Undigested, "64 hex digits, and is '\\?'"),
        (Numbering, "names\\(\\) has to list str, and lists 1"),
        (Unnamed, "Unnamed has to have a prefix"),
        (Breaking, "and raised: ZeroDivisionError: division by zero"),
        (Heedless, "with weights='random' gave the same as with weights=None"),
        (Drawing, "logits gives other numbers when the backbone is opened again"),
        (Centring, "mean gives an image other numbers in a batch than alone"),
    ],
)
def test_a_broken_promise_is_named(source, complaint):
    with pytest.raises(AssertionError, match=complaint):
        check_source(source(), "mean-colour")
