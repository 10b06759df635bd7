"""Reading an ONNX graph: its image input, its nodes, its classifier."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import onnx
from onnx.utils import Extractor

from penult.errors import BackboneError
from penult.inputs import refuse_unread
from penult.messages import first_line

__all__ = ["Graph", "read_graph"]

# What may come between a classifier and the graph's end without making it another layer.
_AFTER_LOGITS = {"Softmax", "LogSoftmax", "Sigmoid"}
_TRANSPARENT = {"Add", "Identity", "Cast", "Flatten", "Reshape", "Squeeze", "Unsqueeze"}
_FULLY_CONNECTED = {"Gemm", "MatMul"}
_IN_INTEGERS = {"QuantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul"}
_CONTROL_FLOW = {"If", "Loop", "Scan"}


@dataclass(frozen=True)
class Graph:
    """An ONNX model with one image input.

    Attributes
    ----------
    path : of its file, for messages
    model : an ``onnx.ModelProto``
    input : name of the image input
    batch : the number of images it takes at once, or None where that is free
    input_size : (height, width), each None where free
    """

    path: Path
    model: Any
    input: str
    batch: int | None
    input_size: tuple[int | None, int | None]

    @cached_property
    def in_integers(self) -> bool:
        """Whether it computes with integers, so that rounding differs from runtime to runtime."""
        return any(node.op_type in _IN_INTEGERS for node in self.model.graph.node)

    @cached_property
    def outputs(self) -> dict[str, tuple[str, str]]:
        """Layer name to (type, tensor), in execution order, the two ends last."""
        outputs = {}
        for node in self.model.graph.node:
            # Outputs that nobody takes may have no name.
            tensor = next(filter(None, node.output), "")
            if node.op_type == "Constant" or not tensor:
                continue
            name = node.name if node.name and node.name not in outputs else tensor
            outputs[name] = (node.op_type, tensor)
        for end, found in zip(("penultimate", "logits"), self._ends(), strict=True):
            outputs.pop(end, None)
            if found is not None:
                outputs[end] = found
        return outputs

    def _ends(self) -> tuple[tuple[str, str] | None, tuple[str, str] | None]:
        """(type, tensor) of the penultimate row and of the logits."""
        made_by = {output: node for node in self.model.graph.node for output in node.output}
        weights = {initializer.name for initializer in self.model.graph.initializer}
        # Weights may also be nodes that give a constant.
        weights |= {n.output[0] for n in self.model.graph.node if n.op_type == "Constant"}
        last = logits = self.model.graph.output[0].name
        while (node := made_by.get(last)) is not None:
            inputs = [name for name in node.input if name and name not in weights]
            if node.op_type in _FULLY_CONNECTED and len(inputs) == 1:
                return ("input of " + (node.name or last), inputs[0]), ("output", logits)
            if node.op_type not in _TRANSPARENT | _AFTER_LOGITS or len(inputs) != 1:
                break
            last = inputs[0]
            if node.op_type in _AFTER_LOGITS:
                logits = last
        return ("output of the network", self.model.graph.output[0].name), None

    def cut(self, tensors: list[str]) -> Any:
        """The smallest model from the image input to `tensors`."""
        try:
            extractor = Extractor(self.model)
            for tensor in tensors:
                # Types are inferred by whoever reads it.
                extractor.value_infos.setdefault(tensor, onnx.ValueInfoProto(name=tensor))
            return extractor.extract_model([self.input], list(dict.fromkeys(tensors)))
        except ValueError as error:
            raise BackboneError(f"{self.path} cannot be cut: {first_line(error)}") from error
        except AssertionError as error:
            why = "two of its nodes give tensors of one name"
            raise BackboneError(f"{self.path} cannot be cut: {why}") from error


def read_graph(path: Path) -> Graph:
    """Read a file.

    Raises
    ------
    BackboneError
        If it is no ONNX model from float32 (N, 3, H, W) whose weights are all in the one file.
    """
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(path, load_external_data=False)
    except (DecodeError, ValueError, OSError) as error:
        refuse_unread(path, error)
        raise BackboneError(f"{path} is no whole ONNX model: {first_line(error)}") from error
    graph = model.graph
    if not graph.node or not graph.output:
        raise BackboneError(f"{path} is no whole ONNX model: its graph is empty")
    if any(i.data_location == onnx.TensorProto.EXTERNAL for i in graph.initializer):
        raise BackboneError(
            f"{path} keeps weights in other files; save it as one file: "
            f"onnx.save(onnx.load(path), path, save_as_external_data=False)"
        )
    control = sorted({node.op_type for node in graph.node} & _CONTROL_FLOW)
    if control:
        raise BackboneError(f"{path} cannot be cut at layers: it has control flow ({control[0]})")
    initializers = {initializer.name for initializer in graph.initializer}
    inputs = [value for value in graph.input if value.name not in initializers]
    if len(inputs) != 1:
        raise BackboneError(
            f"{path} takes {len(inputs)} inputs ({', '.join(value.name for value in inputs)}); "
            f"penult runs networks of one image input"
        )
    kind = inputs[0].type.tensor_type
    axes = [axis.dim_value or None for axis in kind.shape.dim]
    if kind.elem_type != onnx.TensorProto.FLOAT or len(axes) != 4 or axes[1] not in (3, None):
        stated = ", ".join(axis.dim_param or str(axis.dim_value) for axis in kind.shape.dim)
        raise BackboneError(
            f"{path} takes {onnx.TensorProto.DataType.Name(kind.elem_type).lower()} ({stated}); "
            f"penult gives float32 (N, 3, height, width)"
        )
    return Graph(path, model, inputs[0].name, axes[0], (axes[2], axes[3]))
