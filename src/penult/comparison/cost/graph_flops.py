"""Floating point operations of an OpenVINO graph, counted from the shapes of its operations."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

__all__ = ["graph_flops"]


def graph_flops(model: Any) -> int | None:
    """Count what a graph computes: two for each multiply-add of convolutions and matrix products.

    As torch's ``FlopCounterMode`` counts the module that the graph was made of: biases, activations
    and pooling are left out, and padding is counted in. What does not depend on the images (the
    network behind the position biases of Swin V2) was computed once, when the graph was made, and
    is not in it; torch computes it in every pass.

    Parameters
    ----------
    model : openvino.Model
        Whose shapes are static: of as many images as its input has.

    Returns
    -------
    int or None
        Of all these images; None where a shape is not known, or where there is an operation whose
        products cannot be counted: a recurrent one, or one with a graph within.
    """
    total = 0
    for node in model.get_ordered_ops():
        kind = node.get_type_name()
        if kind in _UNCOUNTED or not node.get_type_info().version_id.startswith("opset"):
            return None
        if kind in _COUNTED:
            shapes = [x.get_partial_shape() for x in (*node.inputs(), *node.outputs())]
            if not all(shape.is_static for shape in shapes):
                return None
            flops = _COUNTED[kind](node)
            if flops is None:
                return None
            total += flops
    return total


def _shape(node: Any, place: int) -> list[int]:
    return [int(size) for size in node.input(place).get_shape()]


def _output(node: Any) -> list[int]:
    return [int(size) for size in node.output(0).get_shape()]


def _convolution(node: Any) -> int:
    """Each weight is used once for each place of the result, (N, C, …)."""
    images, _, *places = _output(node)
    return 2 * images * prod(places) * prod(_shape(node, 1))


def _transposed_convolution(node: Any) -> int:
    """Each weight is used once for each place of the input, (N, C, …)."""
    images, _, *places = _shape(node, 0)
    return 2 * images * prod(places) * prod(_shape(node, 1))


def _matrix_product(node: Any) -> int:
    first = _shape(node, 0)
    transposed = node.get_attributes()["transpose_a"] and len(first) > 1
    return 2 * prod(_output(node)) * first[-2 if transposed else -1]


def _attention(node: Any) -> int:
    """The products of queries (…, L, E) and keys (…, S, E), and those with values (…, S, V)."""
    queries, values = _shape(node, 0), _shape(node, 2)
    *others, places, width = _output(node)
    return 2 * prod(others) * places * values[-2] * (queries[-1] + width)


def _einsum(node: Any) -> int | None:
    """Of two arrays: all sizes multiplied, where some index is summed over."""
    terms, _, result = node.get_attributes()["equation"].replace(" ", "").partition("->")
    names = terms.split(",")
    if "." in terms or not result or len(names) > 2:
        return None
    sizes = {
        letter: size
        for place, name in enumerate(names)
        for letter, size in zip(name, _shape(node, place), strict=True)
    }
    if len(names) < 2 or set(result) == set(sizes):
        return 0
    return 2 * prod(sizes.values())


_COUNTED: dict[str, Callable[[Any], int | None]] = {
    "Convolution": _convolution,
    "GroupConvolution": _convolution,
    "ConvolutionBackpropData": _transposed_convolution,
    "GroupConvolutionBackpropData": _transposed_convolution,
    "MatMul": _matrix_product,
    "ScaledDotProductAttention": _attention,
    "Einsum": _einsum,
}

_UNCOUNTED = frozenset(
    {
        "AUGRUCell", "AUGRUSequence", "GRUCell", "GRUSequence", "LSTMCell", "LSTMSequence",
        "RNNCell", "RNNSequence", "BinaryConvolution", "DeformableConvolution", "If", "Loop",
        "PagedAttentionExtension", "TensorIterator",
    }
)  # fmt: skip
