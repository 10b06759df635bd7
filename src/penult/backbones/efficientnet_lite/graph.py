"""EfficientNet-Lite as a graph of OpenVINO's own operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.backbones.efficientnet_lite.architecture import (
    CLASSES,
    NORMALIZATION,
    NORMALIZATION_EPSILON,
    Step,
    steps,
    steps_to,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["build_graph", "fit", "misfit"]


def fit(name: str, tensors: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
    """Give a state dict's arrays timm's names.

    Parameters
    ----------
    name : str
        Of the network.
    tensors : mapping of str to array
        In the order in which timm's module has them, whatever their names.

    Returns
    -------
    dict of str to array
        With ``num_batches_tracked``, as timm's state dict.

    Raises
    ------
    ValueError
        If they are not this network's, by number and shapes.
    """
    wanted = list(_parameters(name))
    shapes = [array.shape for array in tensors.values()]
    if shapes != [shape for _, shape in wanted]:
        raise ValueError("its tensors have other shapes")
    return {key: array for (key, _), array in zip(wanted, tensors.values(), strict=True)}


def misfit(name: str, shapes: Mapping[str, tuple[str, tuple[int, ...]]]) -> str | None:
    """Say why arrays are not this network's, by their names, types and shapes; None where they are.

    Parameters
    ----------
    name : str
        Of the network, whose classifier may have any number of classes.
    shapes : mapping of str to (str, tuple)
        Type and shape of each, as `penult.backbones.weights.arrays.array_shapes` gives them.
    """
    _, found = shapes.get("classifier.weight", ("", ()))
    wanted = dict(_parameters(name, found[0] if found else CLASSES))
    for told, names in (
        ("it lacks", wanted.keys() - shapes.keys()),
        ("it has left over", shapes.keys() - wanted.keys()),
        (
            "of another shape",
            {x for x in wanted.keys() & shapes.keys() if shapes[x][1] != wanted[x]},
        ),
        (
            "of another type",
            {x for x, (kind, shape) in shapes.items() if kind != ("F32" if shape else "I64")},
        ),
    ):
        if names:
            first, *others = sorted(names)
            return f"{told} {first}" + (f" and {len(others)} more" if others else "")
    return None


def _parameters(name: str, classes: int = CLASSES) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Key and shape of every tensor."""
    before = 3
    for step in steps(name, classes):
        if step.operation == "convolution":
            inputs = 1 if step.depthwise else before
            yield f"{step.name}.weight", (step.channels, inputs, step.kernel, step.kernel)
        elif step.operation == "normalization":
            path = step.name.removesuffix(".drop")
            for part in NORMALIZATION:
                yield f"{path}.{part}", (step.channels,)
            yield f"{path}.num_batches_tracked", ()
        elif step.operation == "linear":
            yield f"{step.name}.weight", (step.channels, before)
            yield f"{step.name}.bias", (step.channels,)
        before = step.channels


def build_graph(
    name: str,
    state: Mapping[str, NDArray[Any]],
    images: Any,
    layers: Sequence[str],
) -> list[Any]:
    """Write the network as far as some layers need it.

    Parameters
    ----------
    name : str
        Of the network.
    state : mapping of str to array
        As `fit` gives it.
    images : openvino.Output
        Normalized float32 images, (N, 3, H, W).
    layers : sequence of str
        What to give.

    Returns
    -------
    list of openvino.Output
        The activation of each.
    """
    found: dict[str, Any] = {}
    last = images
    for step in steps_to(name, layers):
        if step.operation == "linear":
            found["penultimate"] = last
        last = found[step.name] = _output(step, last, state, found)
    found = {"penultimate": last, "logits": last} | found  # where the last step is their own
    return [found[layer] for layer in layers]


def _output(
    step: Step, given: Any, state: Mapping[str, NDArray[Any]], found: Mapping[str, Any]
) -> Any:
    from openvino import opset13 as op

    def constants(*keys: str) -> list[Any]:
        # An operation that is given an array makes a list of its numbers first.
        return [op.constant(state[f"{path}.{key}"]) for key in keys]

    path = step.name.removesuffix(".drop")
    if step.operation == "convolution":
        kernels, around = state[f"{path}.weight"], [0, 0]
        options = ([step.stride] * 2, around, around, [1, 1], "same_upper")
        if not step.depthwise:
            return op.convolution(given, op.constant(kernels), *options).output(0)
        grouped = kernels[:, None]  # (groups, out of each, in of each, H, W)
        return op.group_convolution(given, op.constant(grouped), *options).output(0)
    if step.operation == "normalization":
        node = op.batch_norm_inference(given, *constants(*NORMALIZATION), NORMALIZATION_EPSILON)
        return node.output(0)
    if step.operation == "relu6":
        return op.clamp(given, 0.0, 6.0).output(0)
    if step.operation == "add":
        return op.add(given, found[step.shortcut]).output(0)
    if step.operation == "average":
        return op.reduce_mean(given, [2, 3], keep_dims=True).output(0)
    if step.operation == "flatten":
        return op.reshape(given, [0, -1], special_zero=True).output(0)
    if step.operation == "linear":
        weight, bias = constants("weight", "bias")
        return op.add(op.matmul(given, weight, False, True), bias).output(0)
    return given
