"""A backbone: a network together with the preprocessing its weights were trained with."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from penult.errors import UsageError
from penult.recipe import Preprocessing, Recipe, network_name

if TYPE_CHECKING:
    from torch import nn

__all__ = ["ENDS", "Backbone", "Card", "Layer", "Layout", "Source", "Weights", "WeightsChoice"]

ENDS = ("penultimate", "logits")
"""The two layers every classifier has; in every backbone each gives a vector an image."""

Layout = Literal["vector", "NCHW", "NHWC", "NTD", "other"]
"""How an activation is laid out: (N, D); maps (N, C, H, W) or (N, H, W, C); tokens (N, T, D); or
otherwise, so that nothing can be said of its axes."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """What is known of a backbone without loading it; a line of ``penult models``.

    Attributes
    ----------
    name : canonical, with its source, e.g. ``"bundled:efficientnet_lite0"``
    parameters : number of learned parameters, or None where the source does not say
    input_size : (height, width) in pixels
    features : length of the penultimate row
    licence : of the weights
    top1 : ImageNet-1k top-1 accuracy in percent, where the source states it
    weights : the weights' name
    on_this_machine : whether the weights can be loaded without a network
    """

    name: str
    parameters: int | None
    input_size: tuple[int, int] | None
    features: int | None
    licence: str | None
    top1: float | None
    weights: str
    on_this_machine: bool


@dataclass(frozen=True)
class Layer:
    """A layer that a user may name.

    Attributes
    ----------
    name : module path, or ``"penultimate"`` or ``"logits"``
    type : the module's class
    shape : of the activation of one image, without the batch axis
    layout : what the axes mean
    calls : how often the module runs in one forward pass; its last output is what is captured
    prefix_tokens : of tokens, how many in front are no patches (class, distillation, registers)
    has_class_token : whether the first of them is a class token
    """

    name: str
    type: str
    shape: tuple[int, ...]
    layout: Layout
    calls: int = 1
    prefix_tokens: int = 0
    has_class_token: bool = False

    @property
    def length(self) -> int:
        """The number of values when flattened."""
        product = 1
        for size in self.shape:
            product *= size
        return product

    @property
    def channels(self) -> int:
        """The number of values when pooled over space or tokens."""
        return self.shape[0] if self.layout == "NCHW" else self.shape[-1]

    def pooled_shape(self, pooling: str) -> tuple[int, ...]:
        """The shape of one row, without the batch axis."""
        if self.layout == "vector":
            return self.shape
        if pooling == "none":
            # Maps are stored channels first, whatever the network computes with.
            return (self.shape[2], *self.shape[:2]) if self.layout == "NHWC" else self.shape
        return (self.length,) if pooling == "flatten" else (self.channels,)


@dataclass(frozen=True)
class Weights:
    """Where a network's weights are, and what they are.

    Attributes
    ----------
    name : a package and version, a hub id, a file name, or ``"random"``
    sha256 : hex digest of the file, or of the tensors where there is no one file
    path : the file, or None
    """

    name: str
    sha256: str
    path: Path | None = None


@dataclass(frozen=True)
class WeightsChoice:
    """What the user asked of the weights.

    Attributes
    ----------
    given : a file to use in place of the pretrained weights, ``"random"``, or None
    offline : never touch the network
    architecture : for a plain state dict, the backbone whose network it fits; None where a file
        or a name says so itself
    preprocessing : what a checkpoint's images go through, in place of the backbone's own; the
        network is built for images of that size
    """

    given: Path | Literal["random"] | None = None
    offline: bool = False
    architecture: str | None = None
    preprocessing: Preprocessing | None = None

    @classmethod
    def of(
        cls, weights: str | Path | None, *, offline: bool = False, architecture: str | None = None
    ) -> WeightsChoice:
        """Read what a user types: a path, ``"random"``, or None for the pretrained weights."""
        given: Path | Literal["random"] | None
        given = None if weights is None else "random" if weights == "random" else Path(weights)
        return cls(given, offline, architecture)


class Backbone(ABC):
    """A network, its weights' identity, and the preprocessing they were trained with.

    Making one finds and checks the weights; the network itself is built when `cut` or `layers`
    is first called.

    Attributes
    ----------
    name : canonical name to type after ``--model``
    architecture : library and name of what is built, e.g. ``"timm/tf_efficientnet_lite0"``
    weights : see `Weights`
    preprocessing : see `penult.recipe.Preprocessing`
    libraries : distributions whose versions the recipe records
    engine : the one engine that can run it, or None where any may try
    """

    name: str
    architecture: str
    weights: Weights
    preprocessing: Preprocessing
    libraries: tuple[str, ...] = ("torch",)
    engine: str | None = None

    @property
    def described(self) -> str:
        """What it is, as a person is told: its name, unless it has other weights than that says."""
        return network_name(self.name, self.architecture, self.weights.name)

    @abstractmethod
    def cut(self, layers: Sequence[str]) -> nn.Module:
        """Build a module from normalised images to the activations of `layers`.

        Its ``forward`` takes float (N, 3, H, W), in the preprocessing's channel order, and returns
        a tuple of activations in the order of `layers`, each laid out as its `Layer` says. It is
        in eval mode, and computes nothing after the last layer asked for.
        """

    @cached_property
    @abstractmethod
    def layers(self) -> tuple[Layer, ...]:
        """Every layer a user may name, in execution order; found by running the network once."""

    def layer(self, name: str) -> Layer:
        """The layer of that exact name.

        Raises
        ------
        UnknownNameError
            With close suggestions.
        """
        from penult.backbones.recipe_selection import find_layer

        return find_layer(self.layers, name, backbone=self.name)

    def default_pooling(self, layer: Layer) -> str:
        """What turns this layer's activation into a row when the user does not say.

        Vectors stay, and so does what cannot be told; maps and tokens are averaged, as the
        networks' own heads do; where there is a class token in front, it is taken.
        """
        if layer.layout in ("vector", "other"):
            return "none"
        return "cls" if layer.has_class_token else "avg"

    def recipe(
        self, layer: str = "penultimate", pooling: str | None = None, normalize: str = "none"
    ) -> Recipe:
        """The recipe of rows made from one layer of this backbone.

        The ends' recipes are known without building the network, which a cached engine never needs.

        Raises
        ------
        UnknownNameError, UsageError
            A layer the network lacks, or a pooling that has no meaning for the layer.
        """
        from penult.backbones.pooling import check_pooling

        if layer not in ENDS or pooling not in (None, "none"):
            found = self.layer(layer)
            pooling = self.default_pooling(found) if pooling is None else pooling
            pooling = check_pooling(pooling, found, self)
        if normalize not in ("none", "l2"):
            raise UsageError(f"unknown normalisation {normalize!r}; allowed: none, l2")
        return Recipe(
            architecture=self.architecture,
            weights_sha256=self.weights.sha256,
            layer=layer,
            pooling="none" if pooling is None else pooling,
            normalize=normalize,
            preprocessing=self.preprocessing,
            backbone=self.name,
            weights=self.weights.name,
            versions=self._versions(),
        )

    def _versions(self) -> Mapping[str, str]:
        return {name: version(name) for name in ("penult", "pillow", *self.libraries)}


class Source(ABC):
    """A family of backbones behind one prefix; third parties add theirs by entry point.

    Attributes
    ----------
    prefix : what stands before the colon in ``prefix:name``
    """

    prefix: str

    @abstractmethod
    def names(self) -> Iterable[str]:
        """The names that can be listed, without the prefix; may be empty (files, hubs)."""

    @abstractmethod
    def cards(self, pattern: str = "*") -> Iterable[Card]:
        """What is known of the backbones whose name matches the glob, without loading any."""

    @abstractmethod
    def open(self, name: str, choice: WeightsChoice) -> Backbone:
        """Find the backbone of that name and its weights.

        Raises
        ------
        UnknownNameError, WeightsError, MissingExtraError
        """

    def knows(self, name: str) -> bool:
        """Whether a bare `name` (without a prefix) is one of this source's."""
        return name in set(self.names())


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
