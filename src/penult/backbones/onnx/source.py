"""A network in an ONNX file, with preprocessing that its file or the user states."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult.backbones.axes import Axes, noise, unmoved
from penult.backbones.base import (
    Backbone,
    Card,
    Layer,
    Source,
    Weights,
    WeightsChoice,
    sha256_of,
)
from penult.backbones.preprocessing import EXAMPLE, parse
from penult.errors import (
    BackboneError,
    FileFormatError,
    MissingExtraError,
    PathNotFoundError,
    WeightsError,
)
from penult.parsing import read_json
from penult.recipe import Preprocessing

if TYPE_CHECKING:
    from torch import nn

__all__ = ["METADATA_KEY", "Onnx", "OnnxBackbone"]

METADATA_KEY = "penult.preprocessing"
"""The entry of the file's ``metadata_props`` that holds a preprocessing as JSON."""


class Onnx(Source):
    """``onnx:model.onnx``, or the path alone."""

    prefix = "onnx"

    def names(self) -> Iterable[str]:
        """None: they are files."""
        return ()

    def cards(self, pattern: str = "*") -> Iterable[Card]:
        """None: they are files."""
        return ()

    def knows(self, name: str) -> bool:
        """Whether the name is that of an ONNX file."""
        return name.lower().endswith(".onnx")

    def open(self, name: str, choice: WeightsChoice) -> Backbone:
        """Read the file's graph and find out how images become its input.

        Raises
        ------
        BackboneError
            If the network is not one from float32 (N, 3, H, W), or its preprocessing is not stated.
        """
        path = Path(name).expanduser()
        if not path.is_file():
            raise PathNotFoundError(f"there is no ONNX file {name}")
        if find_spec("onnx") is None or find_spec("onnxruntime") is None:
            raise MissingExtraError(f"onnx:{name}", "onnx")
        if choice.given is not None:
            raise WeightsError(f"{path} holds its own weights; leave --weights out")
        return OnnxBackbone(path.resolve())


class OnnxBackbone(Backbone):
    """An ONNX graph; its layers are nodes, by name, or by their output's name where they have none.

    ``penultimate`` is what goes into the classifier: the last fully connected node, when only
    biases, softmax and changes of shape come after it. ``logits`` is what comes before the softmax.
    Where there is no such node, a vector that the network gives is ``penultimate``.

    Parameters
    ----------
    path : of the file; its SHA-256 is the weights' identity
    """

    libraries = ("onnx", "onnxruntime")

    def __init__(self, path: Path) -> None:
        from penult.backbones.onnx.graph import read_graph

        self.name = f"onnx:{path}"
        self.weights = Weights(f"file:{path}", sha256_of(path), path)
        self._graph = read_graph(path)
        self.architecture = f"onnx/{self._graph.model.graph.name or 'graph'}"
        self.preprocessing = _read_preprocessing(path, self._graph.model)
        expected = self._graph.input_size
        for axis, have, needed in zip(
            ("height", "width"), self.preprocessing.input_size, expected, strict=True
        ):
            if needed is not None and have != needed:
                raise BackboneError(
                    f"{path} takes images of {axis} {needed}, and its preprocessing gives {have}; "
                    f"correct the preprocessing"
                )

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Every node that gives one float array an image; found by running the network once."""
        size = self.preprocessing.input_size
        found = self._graph.activations(noise(*size))
        axes = Axes(size, (weights.name for weights in self._graph.model.graph.initializer))
        for _, tensor in self._graph.outputs.values():
            array = found.get(tensor)
            if array is not None and array.ndim == 4:
                axes.see_map(array.shape[1:])
            elif array is not None and array.ndim == 3:
                axes.see_tokens(array.shape[2], unmoved(array))
        layers = [
            axes.layer(name, kind, found[tensor].shape[1:])
            for name, (kind, tensor) in self._graph.outputs.items()
            if tensor in found
        ]
        return tuple(x for x in layers if x.name != "penultimate" or x.layout == "vector")

    def cut(self, layers: Sequence[str]) -> nn.Module:
        """Build a module over a session on the part of the graph that leads to `layers`."""
        from penult.backbones.onnx.cut import OnnxCut

        names = [self.layer(name).name for name in layers]
        return OnnxCut(self._graph, [self._graph.outputs[name][1] for name in names])


def _read_preprocessing(path: Path, model: Any) -> Preprocessing:
    """From the file itself, else from ``model.onnx.json`` beside it."""
    sidecar = path.with_name(path.name + ".json")
    stated = {entry.key: entry.value for entry in model.metadata_props}.get(METADATA_KEY)
    where = f"the entry {METADATA_KEY} of {path}"
    if stated is None:
        if not sidecar.is_file():
            raise BackboneError(
                f"{path} does not say how images become its input; write that into {sidecar}, for "
                f"example {EXAMPLE} (the network then sees (pixel / 255 - mean) / std)"
            )
        where = str(sidecar)
    try:
        stated = sidecar.read_text("utf-8") if stated is None else stated
        return parse(read_json(stated))
    except ValueError as error:
        why = error if isinstance(error, FileFormatError) else f"it is no JSON ({error})"
        raise BackboneError(
            f"{where} is no preprocessing: {why}; a whole one is {EXAMPLE}"
        ) from error
