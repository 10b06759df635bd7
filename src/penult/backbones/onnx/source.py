"""A network in an ONNX file, with preprocessing that its file or the user states."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult.backbones.backbone import Backbone
from penult.backbones.metadata import BackboneMetadata
from penult.backbones.preprocessing import EXAMPLE, parse
from penult.backbones.source import BackboneSource
from penult.backbones.weights.choice import WeightsChoice
from penult.backbones.weights.info import WeightsInfo, sha256_of
from penult.errors import (
    BackboneError,
    FileFormatError,
    WeightsError,
)
from penult.extras import require_extra
from penult.file_kinds import refuse_other_kind
from penult.inputs import require_file, unreadable
from penult.interface import option
from penult.parsing import read_json
from penult.recipe import Preprocessing

if TYPE_CHECKING:
    from penult.backbones.info import ModelInfo

__all__ = ["METADATA_KEY", "Onnx"]

METADATA_KEY = "penult.preprocessing"
"""The entry of the file's ``metadata_props`` that holds a preprocessing as JSON."""


class Onnx(BackboneSource):
    """``onnx:model.onnx``, or the path alone."""

    prefix = "onnx"
    names_are_paths = True

    def require(self, what: str) -> None:
        """Refuse everything where the library that reads such files is missing."""
        require_extra(what, "onnx", "onnx")

    def names(self) -> Iterable[str]:
        """None: they are files."""
        return ()

    def models(self) -> Iterable[ModelInfo]:
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
        require_file(path, "an ONNX file", (".onnx",))
        if choice.weights is not None:
            raise WeightsError(f"{path} holds its own weights; leave out {option('weights')}")
        refuse_other_kind(path, "network")
        self.require(f"onnx:{name}")
        return _open(path)


def _open(path: Path) -> Backbone:
    from penult.backbones.onnx.graph import read_graph
    from penult.backbones.onnx.network import OnnxNetwork

    file = path.resolve()
    weights = WeightsInfo(f"file:{file}", sha256_of(file), file)
    graph = read_graph(path)
    preprocessing = _read_preprocessing(path, graph.model)
    for axis, have, needed in zip(
        ("height", "width"), preprocessing.input_size, graph.input_size, strict=True
    ):
        if needed is not None and have != needed:
            raise BackboneError(
                f"{path} takes images of {axis} {needed}, and its preprocessing gives {have}; "
                f"correct the preprocessing"
            )
    metadata = BackboneMetadata(
        name=f"onnx:{file}",
        architecture=f"onnx/{graph.model.graph.name or 'graph'}",
        weights=weights,
        preprocessing=preprocessing,
        libraries=("onnx", "openvino"),
        forms=("openvino",),
        quantized=graph.in_integers,
    )
    return Backbone(metadata, lambda: OnnxNetwork(graph))


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
    except OSError as error:
        raise unreadable(sidecar, error) from error
    except ValueError as error:
        why = error if isinstance(error, FileFormatError) else f"it is no JSON ({error})"
        raise BackboneError(
            f"{where} is no preprocessing: {why}; a whole one is {EXAMPLE}"
        ) from error
