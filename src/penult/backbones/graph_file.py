"""The file of a network as an OpenVINO graph: what ``penult quantize`` and ``convert`` write.

It is a safetensors file, so opening it executes nothing. It holds an OpenVINO graph from uint8
images to the activations of some layers, as the two byte strings ``graph`` (XML) and ``weights``,
what the graph gives for one made-up image (``expected.0``, …: a row a layer), and a note in JSON:
layers, preprocessing, a SHA-256 over all of these, and a card for people. Of a fine-tuned network
it holds, as ``trained_on``, the keys of the images that trained it.

There are two kinds, told by the name of the note. A graph in 8-bit integers is a network of its
own. One in float32 gives the rows of the network that it was made from, which the note names.

Nothing here needs OpenVINO, torch or NNCF.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.backbones.checkpoint_note import parse_note, read_note
from penult.backbones.layer import Layer
from penult.backbones.preprocessing import parse
from penult.errors import FileFormatError
from penult.inputs import refuse_unread
from penult.interface import command
from penult.messages import first_line
from penult.output import atomic_output
from penult.parsing import to_record
from penult.recipe import Preprocessing

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "GraphFile",
    "Original",
    "SavedGraph",
    "is_graph_file",
    "means_graph_file",
    "read_graph_file",
    "read_trained_on",
    "save_graph",
]

SUFFIX = ".penult"
"""By which such a file is known, though it may have another name."""

_KINDS = {"penult.int8": ("quantize", 2), "penult.float32": ("convert", 1)}
"""Entry of a safetensors file's metadata that holds the note, to what writes it, and its format."""

_MOST_AT_ONCE = 1024

_TRAINED_ON = "trained_on"


@dataclass(frozen=True, kw_only=True)
class Original:
    """The network whose rows a graph in float32 gives.

    Attributes
    ----------
    backbone : str
        Its name, e.g. ``"torchvision:vgg16.IMAGENET1K_V1"``.
    weights, weights_sha256 : str
        See `penult.backbones.weights.info.WeightsInfo`.
    """

    backbone: str
    weights: str
    weights_sha256: str


@dataclass(frozen=True, kw_only=True)
class SavedGraph:
    """A graph, and of what.

    Attributes
    ----------
    layers : tuple of Layer
        One for each output, in their order; see `penult.backbones.network.OpenVinoGraph`.
    graph : bytes
        An OpenVINO model: its XML.
    weights : uint8 array
        The file beside that.
    expected : tuple of float32 arrays
        See `OpenVinoGraph`.
    architecture : str
        Of the network it was made from, e.g. ``"timm/resnet50"``.
    preprocessing : Preprocessing
        Of that network.
    original : Original or None
        That network, if the graph gives its rows; None of one in 8-bit integers.
    batch : int or None
        How many images it takes at once, no more and no fewer; None where that is free, or to be
        found out (of 8-bit integers).
    """

    layers: tuple[Layer, ...]
    graph: bytes
    weights: NDArray[np.uint8]
    expected: tuple[NDArray[np.float32], ...]
    architecture: str
    preprocessing: Preprocessing
    original: Original | None = None
    batch: int | None = None

    def note(self) -> dict[str, Any]:
        """What stands in the file beside the arrays, JSON-like."""
        described: dict[str, Any] = {
            "architecture": self.architecture,
            "preprocessing": self.preprocessing.to_dict(),
            "layers": [dataclasses.asdict(layer) for layer in self.layers],
        }
        if self.original is not None:
            described |= {"original": dataclasses.asdict(self.original), "batch": self.batch}
        return described

    def sha256(self, note: Mapping[str, Any]) -> str:
        """Hex digest over everything that a row depends on; `note` is what stands in the file."""
        digest = hashlib.sha256(json.dumps(note, sort_keys=True).encode())
        rows = (row.tobytes() for row in self.expected)
        parts: tuple[Any, ...] = (self.graph, self.weights, *rows)
        for part in parts:
            digest.update(hashlib.sha256(part).digest())
        return digest.hexdigest()


def save_graph(
    path: Path,
    graph: SavedGraph,
    card: Mapping[str, Any],
    *,
    trained_on: NDArray[np.uint64] | None = None,
    overwrite: bool = False,
) -> None:
    """Write a file that ``--model PATH`` opens.

    Parameters
    ----------
    card : how it was made and how good it is, for people to read; anything that JSON holds
    trained_on : keys of the images that trained the network it was made from, where these are known

    Raises
    ------
    OutputExistsError, OutputError
    """
    from safetensors.numpy import save_file

    key = "penult.int8" if graph.original is None else "penult.float32"
    described = graph.note()
    note = {
        **described,
        "format": _KINDS[key][1],
        "sha256": graph.sha256(described),
        "card": dict(card),
    }
    arrays: dict[str, NDArray[Any]] = {
        "graph": np.frombuffer(graph.graph, np.uint8),
        "weights": graph.weights,
        **{f"expected.{k}": np.ascontiguousarray(row) for k, row in enumerate(graph.expected)},
    }
    if trained_on is not None:
        arrays[_TRAINED_ON] = np.unique(trained_on)
    with atomic_output(path, overwrite=overwrite) as temporary:
        save_file(arrays, temporary, metadata={key: json.dumps(note, sort_keys=True)})


@dataclass(frozen=True)
class GraphFile:
    """What stands in a file.

    Attributes
    ----------
    graph : SavedGraph
        What makes the rows.
    sha256 : str
        Hex digest over it.
    card : mapping
        What `save_graph` was given.
    """

    graph: SavedGraph
    sha256: str
    card: Mapping[str, Any]


def is_graph_file(path: Path) -> bool:
    """Whether the file is one that `save_graph` wrote."""
    return path.is_file() and any(read_note(path, key) is not None for key in _KINDS)


def means_graph_file(path: object) -> bool:
    """Whether it is such a file, or would be by its name."""
    return isinstance(path, Path) and (path.suffix.lower() == SUFFIX or is_graph_file(path))


def read_graph_file(path: Path) -> GraphFile:
    """Read a file that `save_graph` wrote.

    Raises
    ------
    FileFormatError
        If it is damaged, or of a newer format.
    """
    notes = {key: text for key in _KINDS if (text := read_note(path, key)) is not None}
    key = next(iter(notes), "penult.int8")
    maker, newest = _KINDS[key]
    note = parse_note(notes.get(key, ""), path, f"a file of {command(maker)}", newest)
    try:
        content = _read(path, note, in_float=key == "penult.float32")
    except FileFormatError as error:
        raise FileFormatError(f"{path} is a damaged checkpoint: {error}") from error
    except KeyError as error:
        raise FileFormatError(f"{path} is a damaged checkpoint: it lacks {error}") from error
    except Exception as error:
        refuse_unread(path, error)
        # Safetensors' error has no base but Exception; values of other types may raise anything.
        raise FileFormatError(
            f"{path} is a damaged checkpoint; get it again, or make it again with {command(maker)}"
        ) from error
    # As it stands there: a later penult may know of more that can be said.
    beside = ("format", "sha256", "card")
    sha256 = content.sha256({k: v for k, v in note.items() if k not in beside})
    if sha256 != str(note["sha256"]):
        raise FileFormatError(
            f"{path} is damaged: what it holds has the SHA-256 {sha256[:12]}… and not, as it says, "
            f"{str(note['sha256'])[:12]}…; get it again, or make it again with {command(maker)}"
        )
    return GraphFile(content, sha256, dict(note["card"]))


def read_trained_on(path: Path) -> NDArray[np.uint64] | None:
    """Read the keys of the images that trained the network; None where the file has none.

    Raises
    ------
    FileFormatError
        If it is damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            if _TRAINED_ON not in file.keys():  # noqa: SIM118 - it is no mapping
                return None
            keys: NDArray[Any] = file.get_tensor(_TRAINED_ON)
    except (SafetensorError, OSError) as error:
        refuse_unread(path, error)
        raise FileFormatError(f"{path} is a damaged checkpoint: {first_line(error)}") from error
    return keys.astype(np.uint64).reshape(-1)


def _read(path: Path, note: dict[str, Any], *, in_float: bool) -> SavedGraph:
    from safetensors import safe_open

    # Before format 2, all of a network's layers of tokens were said to have the same.
    layers = tuple(_layer(layer, note.get("prefix_tokens", 0)) for layer in note["layers"])
    if not layers or not isinstance(note["architecture"], str):
        raise FileFormatError("its note names no layer, or no architecture")
    if any(side < 1 for layer in layers for side in layer.shape):
        raise FileFormatError("its note names a layer of a size below 1")
    _ = note["sha256"], dict(note["card"])
    with safe_open(path, framework="numpy") as file:
        content = SavedGraph(
            architecture=note["architecture"],
            preprocessing=parse(note["preprocessing"]),
            layers=layers,
            graph=file.get_tensor("graph").tobytes(),
            weights=file.get_tensor("weights"),
            expected=tuple(file.get_tensor(f"expected.{k}") for k in range(len(layers))),
            original=to_record(Original, note["original"]) if in_float else None,
            batch=note["batch"] if in_float else None,
        )
    if not all(row.dtype == np.float32 for row in content.expected):
        raise FileFormatError("the rows that it is checked by are not float32")
    if content.original and not re.fullmatch("[0-9a-f]{64}", content.original.weights_sha256):
        raise FileFormatError("the digest of the weights that it was made from is none")
    whole = type(content.batch) is int and 1 <= content.batch <= _MOST_AT_ONCE
    if content.batch is not None and not whole:
        raise FileFormatError(
            f"it takes {content.batch!r} images at once, and that may be a number from 1 to "
            f"{_MOST_AT_ONCE:,}, or none"
        )
    return content


def _layer(note: Mapping[str, Any], prefix_tokens: int) -> Layer:
    if note.get("layout") == "NTD" and "prefix_tokens" not in note:
        note = {**note, "prefix_tokens": prefix_tokens, "has_class_token": prefix_tokens > 0}
    return to_record(Layer, note)
