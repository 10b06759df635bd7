"""EfficientNet-Lite as nodes of ONNX."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.backbones.efficientnet_lite.architecture import (
    NORMALIZATION,
    NORMALIZATION_EPSILON,
    Step,
    steps_to,
)
from penult.backbones.network import OnnxPart

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["onnx_part"]


def onnx_part(name: str, state: Mapping[str, NDArray[Any]], layer: str) -> OnnxPart:
    """Write the network as far as one layer needs it.

    Parameters
    ----------
    name : str
        Of the network.
    state : mapping of str to array
        As `fit` gives it.
    layer : str
        What to give.
    """
    nodes: list[Any] = []
    weights: dict[str, NDArray[Any]] = {}
    given, found = "pixels", dict[str, str]()
    for step in steps_to(name, [layer]):
        node, used = _node(step, given, state, found)
        if node is not None:
            nodes.append(node)
            weights |= used
            given = step.name
        found[step.name] = given
    return OnnxPart(nodes=tuple(nodes), weights=weights, input="pixels", output=given)


def _node(
    step: Step, given: str, state: Mapping[str, NDArray[Any]], found: Mapping[str, str]
) -> tuple[Any, dict[str, NDArray[Any]]]:
    from onnx.helper import make_node

    def of(kind: str, *inputs: str, **attributes: Any) -> Any:
        return make_node(kind, [given, *inputs], [step.name], step.name, **attributes)

    path = step.name.removesuffix(".drop")
    if step.operation == "convolution":
        kernels = {f"{path}.weight": state[f"{path}.weight"]}
        group = step.channels if step.depthwise else 1
        options = {"auto_pad": "SAME_UPPER", "strides": [step.stride] * 2, "group": group}
        return of("Conv", *kernels, **options), kernels
    if step.operation == "normalization":
        numbers = {f"{path}.{part}": state[f"{path}.{part}"] for part in NORMALIZATION}
        return of("BatchNormalization", *numbers, epsilon=NORMALIZATION_EPSILON), numbers
    if step.operation == "relu6":
        limits = {"zero": np.float32(0), "six": np.float32(6)}
        return of("Clip", *limits), {k: np.array(v) for k, v in limits.items()}
    if step.operation == "add":
        return of("Add", found[step.shortcut]), {}
    if step.operation == "average":
        return of("GlobalAveragePool"), {}
    if step.operation == "flatten":
        return of("Flatten", axis=1), {}
    if step.operation == "linear":
        numbers = {f"{path}.{part}": state[f"{path}.{part}"] for part in ("weight", "bias")}
        return of("Gemm", *numbers, transB=1), numbers
    return None, {}
