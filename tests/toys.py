"""Small backbones, through the same door as a third party's; the rows of the first by hand."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatch

from penult.backbones.base import Backbone, Card, Source, Weights, WeightsChoice
from penult.backbones.torch_model import NetworkBackbone
from penult.errors import UnknownNameError, WeightsError
from penult.recipe import Preprocessing


class MeanColour(Source):
    """`toy:mean-colour`: the mean of red, green and blue of an image squashed to 8 × 8, in [0, 1].

    Layers: ``pixels`` (3, 8, 8), ``mean`` (3), ``penultimate`` (the same as ``mean``), and
    ``logits`` (2): brightness, R + G + B, and warmth, R - B.
    """

    prefix = "toy"

    def names(self) -> Iterable[str]:
        return ["mean-colour"]

    def cards(self, pattern: str = "*") -> Iterable[Card]:
        if fnmatch("mean-colour", pattern) or fnmatch("toy:mean-colour", pattern):
            yield Card(
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
        if choice.given is not None:
            raise WeightsError("toy:mean-colour has no other weights; leave --weights out")
        return NetworkBackbone(
            name="toy:mean-colour",
            architecture="toy/mean-colour",
            weights=Weights("mean-colour 1", "70" * 32),
            preprocessing=Preprocessing(
                resize=(8, 8),
                crop=None,
                interpolation="bilinear",
                mean=(0.0, 0.0, 0.0),
                std=(1.0, 1.0, 1.0),
            ),
            build=_build,
            head="logits",
        )


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
    network.logits.weight.data = torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, -1.0]])
    return network


class TinyNetwork(Source):
    """`tiny:network`: four convolutions with seeded weights, a pool and a classifier, 32 × 32.

    Layers among others: ``maps`` (16, 8, 8), ``penultimate`` (16), ``logits`` (4).
    """

    prefix = "tiny"

    def names(self) -> Iterable[str]:
        return ["network"]

    def cards(self, pattern: str = "*") -> Iterable[Card]:
        return ()

    def open(self, name: str, choice: WeightsChoice) -> Backbone:
        return NetworkBackbone(
            name="tiny:network",
            architecture="tiny/network",
            weights=Weights("seed 0", "71" * 32),
            preprocessing=Preprocessing(
                resize=(32, 32),
                crop=None,
                interpolation="bilinear",
                mean=(0.5, 0.5, 0.5),
                std=(0.25, 0.25, 0.25),
            ),
            build=_build_tiny,
            head="logits",
        )


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


class Slashes(TinyNetwork):
    """`slashes:network`: the network of `toy:mean-colour`, with the names that ONNX files have.

    Layers: ``/pixels`` (3, 8, 8), ``/pixels/mean`` (3), ``penultimate``, and ``logits`` (2).
    """

    prefix = "slashes"

    def open(self, name: str, choice: WeightsChoice) -> Backbone:
        return NetworkBackbone(
            name="slashes:network",
            architecture="slashes/network",
            weights=Weights("mean-colour 1", "72" * 32),
            preprocessing=MeanColour().open("mean-colour", WeightsChoice()).preprocessing,
            build=_build_slashes,
            head="logits",
        )


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
