"""A backbone: a network together with the preprocessing its weights were trained with."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult.backbones.layer import ENDS, Layer, find_layer
from penult.backbones.metadata import BackboneMetadata
from penult.backbones.network import Network, OnnxPart, OpenVinoGraph
from penult.backbones.pooling import check_pooling
from penult.backbones.weights.info import WeightsInfo
from penult.errors import UsageError
from penult.recipe import BackboneRecipe, Preprocessing, network_name

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Backbone"]


class Backbone:
    """A network, its weights' identity, and the preprocessing they were trained with.

    Parameters
    ----------
    metadata : BackboneMetadata
        What is known without the network.
    open_network : callable
        Builds the network with its weights; called once, when it is first needed.
    on_layers : callable, optional
        Told the layers when the network had to be run to know them.

    Attributes
    ----------
    metadata : BackboneMetadata
        As given.
    """

    def __init__(
        self,
        metadata: BackboneMetadata,
        open_network: Callable[[], Network],
        *,
        on_layers: Callable[[tuple[Layer, ...]], None] | None = None,
    ) -> None:
        self.metadata = metadata
        self._open_network = open_network
        self._on_layers = on_layers

    @property
    def name(self) -> str:
        """Canonical name to type after ``--model``."""
        return self.metadata.name

    @property
    def architecture(self) -> str:
        """Library and name of what is built."""
        return self.metadata.architecture

    @property
    def weights(self) -> WeightsInfo:
        """What its weights are."""
        return self.metadata.weights

    @property
    def preprocessing(self) -> Preprocessing:
        """What its images go through."""
        return self.metadata.preprocessing

    @property
    def described(self) -> str:
        """What it is, as a person is told: its name, unless it has other weights than that says."""
        original = self.metadata.converted_from
        name = network_name(original or self.name, self.architecture, self.weights.name)
        return f"{Path(self.name).name} ({name})" if original else name

    @cached_property
    def network(self) -> Network:
        """The network, opened when first asked for."""
        return self._open_network()

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Every layer a user may name, in execution order."""
        layers = self.metadata.layers
        if layers is None:
            layers = self.network.list_layers(self.preprocessing.input_size)
            if self._on_layers is not None:
                self._on_layers(layers)
        return layers

    def layer(self, name: str) -> Layer:
        """Find the layer of that exact name.

        Parameters
        ----------
        name : str
            As `layers` has it.

        Returns
        -------
        Layer
            That one.

        Raises
        ------
        UnknownNameError
            If there is none; suggests close ones.
        """
        return find_layer(self.layers, name, backbone=self.name, architecture=self.architecture)

    def replace(self, **changes: Any) -> Backbone:
        """Give the same network other metadata.

        Parameters
        ----------
        **changes : object
            Fields of `BackboneMetadata`. With another preprocessing, the layers are looked for
            anew: their shapes depend on the images' size.

        Returns
        -------
        Backbone
            One that shares the network.
        """
        on_layers = self._on_layers
        if "preprocessing" in changes:
            changes, on_layers = {"layers": None, **changes}, None
        metadata = dataclasses.replace(self.metadata, **changes)
        return Backbone(metadata, lambda: self.network, on_layers=on_layers)

    def cut(self, layers: Sequence[str]) -> nn.Module:
        """Cut the network as a torch module; see `Network.as_torch`.

        The ends are known without a look at the layers, for which the network is run.

        Parameters
        ----------
        layers : sequence of str
            Their names.

        Returns
        -------
        torch.nn.Module
            From normalised images to a tuple of activations.
        """
        return self.network.as_torch(self._named(layers))

    def as_openvino(self, layers: Sequence[str]) -> OpenVinoGraph:
        """Give the network as a graph that OpenVINO runs; see `Network.as_openvino`.

        Parameters
        ----------
        layers : sequence of str
            Their names.

        Returns
        -------
        OpenVinoGraph
            That has these layers, and maybe more.
        """
        return self.network.as_openvino(self._named(layers), self.preprocessing)

    def as_onnx(self, layer: str) -> OnnxPart:
        """Give the network as nodes of ONNX; see `Network.as_onnx`.

        Parameters
        ----------
        layer : str
            Its name.

        Returns
        -------
        OnnxPart
            What leads to that layer.
        """
        return self.network.as_onnx(*self._named([layer]))

    def _named(self, layers: Sequence[str]) -> list[Layer]:
        known = self.metadata.layers is not None
        return [
            self.layer(x) if known or x not in ENDS else Layer(x, "", (), "vector") for x in layers
        ]

    def recipe(
        self, layer: str = "penultimate", pooling: str | None = None, normalize: str = "none"
    ) -> BackboneRecipe:
        """Make the recipe of rows from one layer of this backbone.

        The ends' recipes are known without opening the network, which a cached engine never needs.

        Parameters
        ----------
        layer : str
            Its name.
        pooling : str, optional
            What suits the layer by default.
        normalize : {"none", "l2"}
            ``"l2"`` scales each row to length 1.

        Returns
        -------
        BackboneRecipe
            With the versions of the libraries as they are now.

        Raises
        ------
        UnknownNameError, UsageError
            If the network lacks the layer, or the pooling has no meaning for it.
        """
        if self.metadata.layers is not None:
            self.layer(layer)
        if layer not in ENDS or pooling not in (None, "none"):
            found = self.layer(layer)
            pooling = found.default_pooling if pooling is None else pooling
            pooling = check_pooling(pooling, found, self.layers, backbone=self.name)
        if normalize not in ("none", "l2"):
            raise UsageError(f"unknown normalisation {normalize!r}; allowed: none, l2")
        return BackboneRecipe(
            architecture=self.architecture,
            weights_sha256=self.weights.sha256,
            layer=layer,
            pooling="none" if pooling is None else pooling,
            normalize=normalize,
            preprocessing=self.preprocessing,
            backbone=self.metadata.converted_from or self.name,
            weights=self.weights.name,
            versions=self._versions(),
            file=str(self.weights.path) if self.metadata.converted_from else "",
        )

    def _versions(self) -> Mapping[str, str]:
        return {name: version(name) for name in ("penult", "pillow", *self.metadata.libraries)}
