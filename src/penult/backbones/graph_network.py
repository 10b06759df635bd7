"""The backbone in a file that ``penult quantize`` or ``penult convert`` wrote; needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult.backbones.backbone import Backbone
from penult.backbones.graph_file import SavedGraph, read_graph_file
from penult.backbones.metadata import BackboneMetadata
from penult.backbones.network import Network, OpenVinoGraph
from penult.backbones.weights.info import WeightsInfo
from penult.errors import BackboneError, FileFormatError
from penult.inputs import refuse_unread
from penult.interface import command, option
from penult.messages import first_line, printable

if TYPE_CHECKING:
    from torch import nn

    from penult.backbones.layer import Layer
    from penult.recipe import Preprocessing

__all__ = ["build_model", "open_graph_file"]


class _SavedNetwork(Network):
    def __init__(self, path: Path) -> None:
        self._path = path

    def list_layers(self, input_size: tuple[int, int]) -> tuple[Layer, ...]:
        return read_graph_file(self._path).graph.layers

    def as_openvino(self, layers: Sequence[Layer], preprocessing: Preprocessing) -> OpenVinoGraph:
        """Read the graph of all its layers, which is not kept in memory."""
        content = read_graph_file(self._path).graph
        return OpenVinoGraph(
            layers=content.layers,
            build=lambda core: build_model(content, core, self._path),
            expected=content.expected,
            batch=content.batch,
        )

    def as_torch(self, layers: Sequence[Layer]) -> nn.Module:
        raise BackboneError(
            f"{self._path} is a graph for the engine openvino on a CPU; leave out "
            f"{option('engine')} and {option('device')}"
        )


def open_graph_file(path: Path) -> Backbone:
    """Open a backbone that has the layers it was made with, and that OpenVINO alone runs.

    Its rows are those of the network that the file was made from, and have that one's recipe; those
    of one in 8-bit integers are its own.

    Raises
    ------
    FileFormatError
        If the file is damaged, or of a newer format.
    """
    found = read_graph_file(path)
    graph, place = found.graph, path.resolve()
    original = graph.original
    if original is None:
        architecture = f"int8/{graph.architecture}"
        weights = WeightsInfo(f"file:{place}", found.sha256, path)
    else:
        architecture = graph.architecture
        weights = WeightsInfo(original.weights, original.weights_sha256, place)
    metadata = BackboneMetadata(
        name=f"checkpoint:{place}",
        architecture=architecture,
        weights=weights,
        preprocessing=graph.preprocessing,
        libraries=("openvino",),
        forms=("openvino",),
        instant=original is not None,
        quantized=original is None,
        converted_from="" if original is None else original.backbone,
        layers=graph.layers,
    )
    return Backbone(metadata, lambda: _SavedNetwork(path))


def build_model(content: SavedGraph, core: Any, path: Path) -> Any:
    """Read a graph as an openvino.Model.

    Parameters
    ----------
    content : SavedGraph
        Which may be anybody's.
    core : openvino.Core
        That reads it.
    path : Path
        Of its file, for messages.

    Raises
    ------
    FileFormatError
        If it is no graph from such images to the layers that are said.
    """
    import openvino

    try:
        model = core.read_model(content.graph, openvino.Tensor(content.weights))
    except RuntimeError as error:
        refuse_unread(path, error)
        maker = "quantize" if content.original is None else "convert"
        raise FileFormatError(
            f"{path} holds no graph that OpenVINO reads: {printable(first_line(error))}; get it "
            f"again, or make it again with {command(maker)}"
        ) from error
    size = content.preprocessing.input_size
    given = [(x.get_element_type(), x.get_partial_shape()) for x in model.inputs]
    takes = openvino.PartialShape([content.batch or -1, *size, 3])
    if len(given) != 1 or given[0][0] != openvino.Type.u8 or not given[0][1].compatible(takes):
        raise FileFormatError(
            f"{path} holds a graph that does not take images of {size[1]} × {size[0]} pixels, as "
            f"its note says: another file's, it seems; get it again"
        )
    gives = [(x.get_element_type(), x.get_partial_shape()) for x in model.outputs]
    said = [openvino.PartialShape([-1, *x.pooled_shape("none")]) for x in content.layers]
    if len(gives) != len(said) or not all(
        kind == openvino.Type.f32 and shape.compatible(told)
        for (kind, shape), told in zip(gives, said, strict=True)
    ):
        raise FileFormatError(
            f"{path} holds a graph that does not give the layers that its note names "
            f"({', '.join(x.name for x in content.layers)}): another file's, it seems; get it again"
        )
    return model
