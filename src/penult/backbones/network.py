"""The network behind a backbone, and the forms in which engines can have it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from penult.backbones.layer import Layer
    from penult.recipe import Preprocessing

__all__ = ["Network", "OnnxPart", "OpenVinoGraph"]


@dataclass(frozen=True, kw_only=True)
class OpenVinoGraph:
    """A network that OpenVINO runs as it is.

    Attributes
    ----------
    layers : tuple of Layer
        One for each output of the graph, in its order; the output is the activation as pooling
        ``none`` gives it, float32 (N, D), (N, C, H, W) or (N, T, D).
    build : callable
        Given the process's ``openvino.Core``, makes the ``openvino.Model``, from uint8
        (N, H, W, 3), RGB; each time a new one.
    expected : tuple of float32 arrays
        For each layer, the row (default pooling) that the machine it was made on gives for
        `penult.engines.agreement.check_image`; empty where the graph is not from a machine.
    batch : int or None
        How many images it takes at once, no more and no fewer; None where any number will do, or
        that is not known.
    reference : callable or None
        What else runs the network here, to be compared with: from uint8 (N, H, W, 3) to the
        activations of `layers`, or to none where it cannot.
    """

    layers: tuple[Layer, ...]
    build: Callable[[Any], Any]
    expected: tuple[NDArray[np.float32], ...] = ()
    batch: int | None = None
    reference: Callable[[NDArray[np.uint8]], Sequence[NDArray[np.float32]]] | None = None


@dataclass(frozen=True, kw_only=True)
class OnnxPart:
    """A network up to one layer, as a part of an ONNX graph.

    Attributes
    ----------
    nodes : tuple of onnx.NodeProto
        Of the standard operators, in an order in which they can run, for any number of images.
    weights : mapping of str to array
        The constants they use, by name.
    input : str
        What they take: normalised float32 images, (N, 3, H, W).
    output : str
        What they give: the activation, laid out as its `Layer` says.
    """

    nodes: tuple[Any, ...]
    weights: Mapping[str, NDArray[Any]]
    input: str
    output: str


class Network(ABC):
    """A network with its weights.

    It is in eval mode, without gradients. A subclass has one method for each form that
    `BackboneMetadata.forms` states; engines call no other.
    """

    @abstractmethod
    def list_layers(self, input_size: tuple[int, int]) -> tuple[Layer, ...]:
        """Find every layer a user may name, in execution order.

        Parameters
        ----------
        input_size : (int, int)
            (height, width) of the images; shapes depend on it.
        """

    def as_torch(self, layers: Sequence[Layer]) -> nn.Module:
        """Cut it as a torch module, from normalised images to the activations of some layers.

        Parameters
        ----------
        layers : sequence of Layer
            As `list_layers` gives them; of the two ends, only the name is looked at.

        Returns
        -------
        torch.nn.Module
            Its ``forward`` takes float (N, 3, H, W), in the preprocessing's channel order, and
            returns a tuple of activations in the order of `layers`, each laid out as its `Layer`
            says. It computes nothing after the last layer asked for.
        """
        raise NotImplementedError(f"{type(self).__name__} cannot be cut as a torch module")

    def as_onnx(self, layer: Layer) -> OnnxPart:
        """Give it as nodes of ONNX, without importing torch.

        Parameters
        ----------
        layer : Layer
            As `list_layers` gives it; of the two ends, only the name is looked at.

        Returns
        -------
        OnnxPart
            What leads to that layer. A node, or a constant, is the same in each part that has one
            of its name, whatever the layer.
        """
        raise NotImplementedError(f"{type(self).__name__} cannot be written as ONNX without torch")

    def as_openvino(self, layers: Sequence[Layer], preprocessing: Preprocessing) -> OpenVinoGraph:
        """Give it as a graph that OpenVINO runs, without importing torch.

        Parameters
        ----------
        layers : sequence of Layer
            Those that are needed, as `list_layers` gives them; the graph may have more.
        preprocessing : Preprocessing
            Whose mean, standard deviation and order of channels the graph begins with.

        Returns
        -------
        OpenVinoGraph
            Not yet built.
        """
        raise NotImplementedError(f"{type(self).__name__} is no OpenVINO graph")
