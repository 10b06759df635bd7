"""Running an ONNX model: in OpenVINO, and in ONNX Runtime, to compare the two."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import BackboneError
from penult.inputs import refuse_unread
from penult.machine import cores
from penult.messages import first_line
from penult.openvino import first_run_lock, import_openvino, shared_core

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.backbones.onnx.graph import Graph

__all__ = ["activations", "in_onnx_runtime", "read_in_openvino"]


_UNKNOWN = ("No conversion rule", "OpenVINO does not support")
"""How the line begins that names operators which OpenVINO lacks: now, and in 2026.0."""


def read_in_openvino(core: Any, model: Any, path: Path) -> Any:
    """Read a model as an openvino.Model, whose outputs are in the same order.

    Raises
    ------
    BackboneError
        If OpenVINO refuses it: an unknown operator, types that do not fit.
    """
    try:
        return core.read_model(model.SerializeToString())
    except Exception as error:
        refuse_unread(path, error)
        # OpenVINO's errors and protobuf's share no base class.
        raise BackboneError(f"{path} cannot be run: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """What OpenVINO says after the lines that name its own sources."""
    lines = [line.strip("- ") for line in str(error).splitlines()]
    unknown = [line for line in lines if line.startswith(_UNKNOWN)]
    said = [x for x in lines if x and not x.startswith(("Exception from", "Check '", "While"))]
    return (unknown or said or [first_line(error)])[0]


def activations(graph: Graph, images: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Every float array of a graph that has a row an image, by tensor.

    Parameters
    ----------
    graph : Graph
    images : two, (2, 3, height, width); two tell the batch's axis from one of length 1

    Raises
    ------
    BackboneError
    """
    tensors = list(dict.fromkeys(t for _, t in graph.outputs.values() if t != graph.input))
    ov = import_openvino()
    core = shared_core(ov)
    model = read_in_openvino(core, graph.cut(tensors), graph.path)
    count = graph.batch or len(images)
    runs = []
    with first_run_lock:
        try:
            model.reshape([count, *images.shape[1:]])
            compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
            for start in range(0, len(images), count):
                part = images[[(start + k) % len(images) for k in range(count)]]
                found = compiled(part)
                runs.append([found[k] for k in range(len(tensors))])
        except RuntimeError as error:
            raise BackboneError(
                f"{graph.path} cannot be run on images of {tuple(images.shape)}: {_reason(error)}"
            ) from error
    return {
        name: np.concatenate(arrays)[: len(images)]
        for name, arrays in zip(tensors, zip(*runs, strict=True), strict=True)
        if all(
            array.dtype == np.float32 and array.ndim in (2, 3, 4) and len(array) == count
            for array in arrays
        )
    }


def in_onnx_runtime(
    model: Any, name: str, images: NDArray[np.float32]
) -> list[NDArray[np.float32]]:
    """All outputs of a model for some images, computed by ONNX Runtime; none where it cannot."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = cores()
    try:
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        outputs: list[NDArray[np.float32]] = session.run(None, {name: images})
    except Exception:
        # The runtime's exceptions share no base class of its own. It may know less than OpenVINO.
        return []
    return outputs
