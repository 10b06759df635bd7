"""Small backbones and engines, through the same door as a third party's; rows by hand."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from penult.backbones.backbone import Backbone
from penult.backbones.image_input import image_input
from penult.backbones.info import ModelInfo
from penult.backbones.layer import Layer
from penult.backbones.metadata import BackboneMetadata
from penult.backbones.network import Network, OpenVinoGraph
from penult.backbones.source import BackboneSource
from penult.backbones.torch_network import TorchNetwork
from penult.backbones.weights.choice import WeightsChoice
from penult.backbones.weights.info import WeightsInfo
from penult.backbones.weights.load import fit_state, load_state, user_weights
from penult.engines.agreement import check_image
from penult.engines.base import Engine, EngineSettings
from penult.errors import EngineError, UnknownNameError, WeightsError
from penult.extras import has_torch
from penult.recipe import Preprocessing


class MeanColour(BackboneSource):
    """`toy:mean-colour`: the mean of red, green and blue of an image squashed to 8 × 8, in [0, 1].

    Layers: ``pixels`` (3, 8, 8), ``mean`` (3), ``penultimate`` (the same as ``mean``), and
    ``logits`` (2): brightness, R + G + B, and warmth, R - B. Where there is no torch, the same as
    an OpenVINO graph.
    """

    prefix = "toy"

    def names(self) -> Iterable[str]:
        return ["mean-colour"]

    def models(self) -> Iterable[ModelInfo]:
        yield ModelInfo(
            name="toy:mean-colour",
            parameters=6,
            input_size=(8, 8),
            features=3,
            licence="CC0-1.0",
            top1=None,
            weights="mean-colour 1",
            on_this_machine=True,
        )

    def open(self, name: str, choice: WeightsChoice) -> Backbone:
        if name != "mean-colour":
            raise UnknownNameError("toy model", name, self.names())
        if choice.weights is not None:
            raise WeightsError("toy:mean-colour has no other weights; leave --weights out")
        metadata = BackboneMetadata(
            name="toy:mean-colour",
            architecture="toy/mean-colour",
            weights=WeightsInfo("mean-colour 1", "70" * 32),
            preprocessing=Preprocessing(
                resize=(8, 8),
                crop=None,
                interpolation="bilinear",
                mean=(0.0, 0.0, 0.0),
                std=(1.0, 1.0, 1.0),
            ),
        )
        if has_torch():
            return Backbone(metadata, lambda: TorchNetwork(_build(), head="logits"))
        metadata = replace(metadata, libraries=(), forms=("openvino",), instant=True)
        return Backbone(metadata, _MeanColourWithoutTorch)


class _MeanColourWithoutTorch(Network):
    def list_layers(self, input_size):
        return (
            Layer("pixels", "Identity", (3, 8, 8), "NCHW"),
            Layer("mean.0", "AdaptiveAvgPool2d", (3, 1, 1), "NCHW"),
            Layer("mean.1", "Flatten", (3,), "vector"),
            Layer("mean", "Sequential", (3,), "vector"),
            Layer("penultimate", "input of logits", (3,), "vector"),
            Layer("logits", "output of the network", (2,), "vector"),
        )

    def as_openvino(self, layers, preprocessing):
        import openvino as ov

        op = ov.opset13

        def build(_core):
            images, pixels = image_input(preprocessing)
            mean = op.reduce_mean(pixels, [2, 3], keep_dims=False)
            maps = op.reduce_mean(pixels, [2, 3], keep_dims=True)
            logits = op.matmul(mean, np.array(LOGITS, np.float32), False, True)
            named = {"pixels": pixels, "mean.0": maps, "logits": logits}
            results = [op.result(named.get(layer.name, mean)) for layer in layers]
            return ov.Model(results, [images], "mean-colour")

        return OpenVinoGraph(layers=tuple(layers), build=build)


LOGITS = [[1.0, 1.0, 1.0], [1.0, 0.0, -1.0]]


def _build():
    import torch
    from torch import nn

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pixels = nn.Identity()
            self.mean = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(1))
            self.logits = nn.Linear(3, 2, bias=False)

        def forward(self, images):
            return self.logits(self.mean(self.pixels(images)))

    network = Network()
    network.logits.weight.data = torch.tensor(LOGITS)
    return network


class TinyNetwork(BackboneSource):
    """`tiny:network`: four convolutions with seeded weights, a pool and a classifier, 32 × 32.

    Layers among others: ``maps`` (16, 8, 8), ``penultimate`` (16), ``logits`` (4).
    """

    prefix = "tiny"

    def names(self) -> Iterable[str]:
        return ["network"]

    def models(self) -> Iterable[ModelInfo]:
        return ()

    def open(self, name: str, choice: WeightsChoice) -> Backbone:
        if name not in self.names():
            raise UnknownNameError("toy model", name, self.names())
        if choice.weights == "random":
            raise WeightsError(
                f"{self.prefix}:{name} is not to be had with random weights; leave --weights out"
            )
        weights = WeightsInfo("seed 0", "71" * 32)
        if choice.weights is not None:
            weights = user_weights(choice.weights)
        metadata = BackboneMetadata(
            name="tiny:network",
            architecture="tiny/network",
            weights=weights,
            preprocessing=Preprocessing(
                resize=(32, 32),
                crop=None,
                interpolation="bilinear",
                mean=(0.5, 0.5, 0.5),
                std=(0.25, 0.25, 0.25),
            ),
        )

        def build():
            network = _build_tiny()
            if choice.weights is not None:
                fit_state(network, load_state(choice.weights), choice.weights)
            return TorchNetwork(network, head="logits")

        return Backbone(metadata, build)


def _build_tiny():
    import torch
    from torch import nn

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU())
            self.depthwise = nn.Sequential(nn.Conv2d(8, 8, 3, 1, 1, groups=8), nn.ReLU())
            self.maps = nn.Sequential(nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU())
            self.last = nn.Sequential(nn.Conv2d(16, 16, 1), nn.ReLU())
            self.logits = nn.Linear(16, 4)

        def forward(self, images):
            maps = self.maps(self.depthwise(self.stem(images)))
            return self.logits(self.last(maps).mean((2, 3)))

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Network()


class Twin(TinyNetwork):
    """`twin:network`: the architecture of `tiny:network` under another name."""

    prefix = "twin"

    def open(self, name: str, choice: WeightsChoice) -> Backbone:
        return super().open(name, choice).replace(name="twin:network", architecture="twin/network")


class Slashes(TinyNetwork):
    """`slashes:network`: the network of `toy:mean-colour`, with the names that ONNX files have.

    Layers: ``/pixels`` (3, 8, 8), ``/pixels/mean`` (3), ``penultimate``, and ``logits`` (2).
    """

    prefix = "slashes"

    def open(self, name: str, choice: WeightsChoice) -> Backbone:
        if name not in self.names():
            raise UnknownNameError("toy model", name, self.names())
        if choice.weights is not None:
            raise WeightsError(f"{self.prefix}:{name} has no other weights; leave --weights out")
        metadata = BackboneMetadata(
            name="slashes:network",
            architecture="slashes/network",
            weights=WeightsInfo("mean-colour 1", "72" * 32),
            preprocessing=MeanColour().open("mean-colour", WeightsChoice()).preprocessing,
        )
        return Backbone(metadata, lambda: TorchNetwork(_build_slashes(), head="logits"))


def _build_slashes():
    from torch import nn

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            inner = _build()
            self.add_module("/pixels", inner.pixels)
            self.add_module("/pixels/mean", inner.mean)
            self.logits = inner.logits

        def forward(self, images):
            rows = images
            for part in self.children():
                rows = part(rows)
            return rows

    return Network()


class Margins(MeanColour):
    """`margins:mean-colour`: that of `toy`, of the middle 8 × 8 pixels of an image resized to 10."""

    prefix = "margins"

    def open(self, name: str, choice: WeightsChoice) -> Backbone:
        backbone = super().open(name, choice)
        return backbone.replace(
            name="margins:mean-colour",
            architecture="margins/mean-colour",
            weights=WeightsInfo("mean-colour 1", "74" * 32),
            preprocessing=replace(backbone.preprocessing, resize=10, crop=(8, 8)),
        )


class GraphOfMeans(BackboneSource):
    """`graph:means`: `mean` and `penultimate` of `toy:mean-colour` as an OpenVINO graph alone.

    Nothing of it imports torch. Layers: ``pixels`` (3, 8, 8) and ``penultimate`` (3).
    """

    prefix = "graph"

    def names(self) -> Iterable[str]:
        return ["means"]

    def models(self) -> Iterable[ModelInfo]:
        return ()

    def open(self, name: str, choice: WeightsChoice) -> Backbone:
        if name not in self.names():
            raise UnknownNameError("toy model", name, self.names())
        if choice.weights is not None:
            raise WeightsError(f"{self.prefix}:{name} has no other weights; leave --weights out")
        metadata = BackboneMetadata(
            name="graph:means",
            architecture="graph/means",
            weights=WeightsInfo("none", "73" * 32),
            preprocessing=Preprocessing(
                resize=(8, 8), crop=None, interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3
            ),
            libraries=("openvino",),
            forms=("openvino",),
        )
        return Backbone(metadata, _MeansInOpenVino)


class _MeansInOpenVino(Network):
    def list_layers(self, input_size):
        return (
            Layer("pixels", "Divide", (3, *input_size), "NCHW"),
            Layer("penultimate", "ReduceMean", (3,), "vector"),
        )

    def as_openvino(self, layers, preprocessing):
        import openvino as ov

        op = ov.opset13

        def build(_core):
            images = op.parameter([-1, 8, 8, 3], ov.Type.u8)
            pixels = op.transpose(op.convert(images, "f32"), [0, 3, 1, 2])
            pixels = op.divide(pixels, np.float32(255))
            means = op.reduce_mean(pixels, [2, 3], keep_dims=False)
            return ov.Model([op.result(pixels), op.result(means)], [images], "means")

        means_expected = check_image((8, 8)).mean((0, 1)).astype(np.float32) / 255
        return OpenVinoGraph(
            layers=self.list_layers((8, 8)),
            build=build,
            expected=(means_expected, means_expected),
        )


class ChannelMeans(Engine):
    """An engine for one network: the mean of each channel, in [0, 1]."""

    name = "means"
    device = "cpu"

    def __init__(self, backbone, recipes, settings: EngineSettings) -> None:
        self.recipes = recipes
        self.settings = settings

    def run(self, images):
        return [images.mean((1, 2), dtype=np.float32) / 255]


class NoEngine(ChannelMeans):
    """An engine that runs nothing."""

    def __init__(self, backbone, recipes, settings: EngineSettings) -> None:
        raise EngineError("it is a toy")


class SlowMeans(ChannelMeans):
    """The same, and slow enough for a process to be killed while it works."""

    name = "slow-means"
    batch_size = 4

    def run(self, images):
        time.sleep(0.01 * len(images))
        return super().run(images)


class DeadlyMeans(ChannelMeans):
    """The same, and it ends its process, as a fault in a library would."""

    name = "deadly-means"

    def run(self, images):
        os._exit(17)


class LightMeanColour(MeanColour):
    """`light:mean-colour`: the same rows without torch or OpenVINO, for processes that start fast.

    It runs with the engines `ChannelMeans`, `SlowMeans` and `DeadlyMeans`.
    """

    prefix = "light"

    def open(self, name: str, choice: WeightsChoice) -> Backbone:
        metadata = super().open(name, choice).metadata
        metadata = replace(metadata, libraries=(), forms=("openvino",), instant=True)
        return Backbone(metadata, _MeanColourWithoutTorch)
