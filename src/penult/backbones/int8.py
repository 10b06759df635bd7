"""A network in 8-bit integers, in one file: what ``penult quantize`` writes.

The file is a safetensors file, so opening it executes nothing. It holds an OpenVINO graph from
uint8 images to the activations of some layers, as the two byte strings ``graph`` (XML) and
``weights``, what the graph gives for one made-up image (``expected.0``, …: a row a layer), and a
note in JSON: layers, preprocessing, a SHA-256 over all of these, and a card for people.

Nothing here needs OpenVINO, torch or NNCF.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.backbones.backbone import Backbone
from penult.backbones.checkpoint_note import parse_note, read_note
from penult.backbones.layer import Layer
from penult.backbones.metadata import BackboneMetadata
from penult.backbones.network import Network, OpenVinoGraph
from penult.backbones.preprocessing import parse
from penult.backbones.weights.info import WeightsInfo
from penult.errors import BackboneError, FileFormatError
from penult.interface import command, option
from penult.output import atomic_output
from penult.parsing import to_record
from penult.recipe import Preprocessing

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

__all__ = ["Int8Checkpoint", "Int8Graph", "is_int8", "open_int8", "read_int8", "save_int8"]

FORMAT = 2
KEY = "penult.int8"
"""The entry of a safetensors file's metadata that holds the note."""


@dataclass(frozen=True, kw_only=True)
class Int8Graph:
    """A quantized graph, and of what.

    Attributes
    ----------
    layers : tuple of Layer
        One for each output, in their order; see `OpenVinoGraph`.
    graph, weights : bytes
        An OpenVINO model: its XML, and the file beside it.
    expected : tuple of float32 arrays
        See `OpenVinoGraph`.
    architecture : str
        Of the network it was made from, e.g. ``"timm/resnet50"``.
    preprocessing : Preprocessing
        Of that network.
    """

    layers: tuple[Layer, ...]
    graph: bytes
    weights: bytes
    expected: tuple[NDArray[np.float32], ...]
    architecture: str
    preprocessing: Preprocessing

    def build(self, core: Any) -> Any:
        """Read it as an openvino.Model."""
        import openvino

        weights = openvino.Tensor(np.frombuffer(self.weights, np.uint8).copy())
        return core.read_model(self.graph, weights)

    def note(self) -> dict[str, Any]:
        """What stands in the file beside the arrays, JSON-like."""
        return {
            "architecture": self.architecture,
            "preprocessing": self.preprocessing.to_dict(),
            "layers": [dataclasses.asdict(layer) for layer in self.layers],
        }

    def sha256(self, note: Mapping[str, Any]) -> str:
        """Hex digest over everything that a row depends on; `note` is what stands in the file."""
        digest = hashlib.sha256(json.dumps(note, sort_keys=True).encode())
        for part in (self.graph, self.weights, *(row.tobytes() for row in self.expected)):
            digest.update(hashlib.sha256(part).digest())
        return digest.hexdigest()


def save_int8(
    path: Path, graph: Int8Graph, card: Mapping[str, Any], *, overwrite: bool = False
) -> None:
    """Write a file that ``--model PATH`` opens.

    Parameters
    ----------
    card : how it was made and how good it is, for people to read; anything that JSON holds

    Raises
    ------
    OutputExistsError, OutputError
    """
    from safetensors.numpy import save_file

    described = graph.note()
    note = {
        **described,
        "format": FORMAT,
        "sha256": graph.sha256(described),
        "card": dict(card),
    }
    arrays: dict[str, NDArray[Any]] = {
        "graph": np.frombuffer(graph.graph, np.uint8),
        "weights": np.frombuffer(graph.weights, np.uint8),
        **{f"expected.{k}": np.ascontiguousarray(row) for k, row in enumerate(graph.expected)},
    }
    with atomic_output(path, overwrite=overwrite) as temporary:
        save_file(arrays, temporary, metadata={KEY: json.dumps(note, sort_keys=True)})


@dataclass(frozen=True)
class Int8Checkpoint:
    """What stands in a file.

    Attributes
    ----------
    graph : Int8Graph
        What makes the rows.
    sha256 : str
        Hex digest over it.
    card : mapping
        What `save_int8` was given.
    """

    graph: Int8Graph
    sha256: str
    card: Mapping[str, Any]


def is_int8(path: Path) -> bool:
    """Whether the file is one that `save_int8` wrote."""
    return read_note(path, KEY) is not None


class _Int8Network(Network):
    def __init__(self, path: Path) -> None:
        self._path = path

    def list_layers(self, input_size: tuple[int, int]) -> tuple[Layer, ...]:
        return read_int8(self._path).graph.layers

    def as_openvino(self, layers: Sequence[Layer], preprocessing: Preprocessing) -> OpenVinoGraph:
        """Read the graph of all its layers, which is not kept in memory."""
        content = read_int8(self._path).graph
        return OpenVinoGraph(layers=content.layers, build=content.build, expected=content.expected)

    def as_torch(self, layers: Sequence[Layer]) -> nn.Module:
        raise BackboneError(
            f"{self._path} is a graph for the engine openvino on a CPU; leave out "
            f"{option('engine')} and {option('device')}"
        )


def open_int8(path: Path) -> Backbone:
    """Open a backbone that has the layers it was quantized for, and that OpenVINO alone runs.

    Raises
    ------
    FileFormatError
        If the file is damaged, or of a newer format.
    """
    found = read_int8(path)
    metadata = BackboneMetadata(
        name=f"checkpoint:{path.resolve()}",
        architecture=f"int8/{found.graph.architecture}",
        weights=WeightsInfo(f"file:{path.resolve()}", found.sha256, path),
        preprocessing=found.graph.preprocessing,
        libraries=("openvino",),
        forms=("openvino",),
        quantized=True,
        layers=found.graph.layers,
    )
    return Backbone(metadata, lambda: _Int8Network(path))


def read_int8(path: Path) -> Int8Checkpoint:
    """Read a file that `save_int8` wrote.

    Raises
    ------
    FileFormatError
        If it is damaged, or of a newer format.
    """
    from safetensors import SafetensorError, safe_open

    note = parse_note(read_note(path, KEY) or "", path, "an int8 checkpoint", FORMAT)
    try:
        # Before format 2, all of a network's layers of tokens were said to have the same.
        layers = [_layer(layer, note.get("prefix_tokens", 0)) for layer in note["layers"]]
        with safe_open(path, framework="numpy") as file:
            content = Int8Graph(
                architecture=note["architecture"],
                preprocessing=parse(note["preprocessing"]),
                layers=tuple(layers),
                graph=file.get_tensor("graph").tobytes(),
                weights=file.get_tensor("weights").tobytes(),
                expected=tuple(file.get_tensor(f"expected.{k}") for k in range(len(layers))),
            )
    except FileFormatError as error:
        raise FileFormatError(f"{path} is a damaged checkpoint: {error}") from error
    except KeyError as error:
        raise FileFormatError(f"{path} is a damaged checkpoint: it lacks {error}") from error
    except (SafetensorError, ValueError, TypeError, AttributeError) as error:
        raise FileFormatError(
            f"{path} is a damaged checkpoint; get it again, or make it again with "
            f"{command('quantize')}"
        ) from error
    # As it stands there: a later penult may know of more that can be said.
    beside = ("format", "sha256", "card")
    sha256 = content.sha256({k: v for k, v in note.items() if k not in beside})
    if sha256 != str(note["sha256"]):
        raise FileFormatError(
            f"{path} is damaged: what it holds has the SHA-256 {sha256[:12]}… and not, as it says, "
            f"{str(note['sha256'])[:12]}…; get it again, or make it again with "
            f"{command('quantize')}"
        )
    return Int8Checkpoint(content, sha256, dict(note["card"]))


def _layer(note: Mapping[str, Any], prefix_tokens: int) -> Layer:
    if note.get("layout") == "NTD" and "prefix_tokens" not in note:
        note = {**note, "prefix_tokens": prefix_tokens, "has_class_token": prefix_tokens > 0}
    return to_record(Layer, note)
