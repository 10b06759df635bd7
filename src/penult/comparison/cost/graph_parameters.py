"""Learned parameters of an OpenVINO graph: its constants, but for those that no training found."""

from __future__ import annotations

from typing import Any

__all__ = ["graph_parameters"]

_PRODUCTS = frozenset(
    {
        "Convolution", "GroupConvolution", "ConvolutionBackpropData",
        "GroupConvolutionBackpropData", "MatMul",
    }
)  # fmt: skip
_DEQUANTIZING = frozenset({"Multiply", "Subtract"})


def graph_parameters(model: Any) -> int:
    """Count the numbers in the constants of a graph, as far as training may have found them.

    Left out are integers (shapes, indices), single numbers, what images meet before the first
    convolution or matrix product (their mean and standard deviation), and the ranges and scales of
    8-bit numbers. Normalization that was folded into weights has no parameters of its own any more.

    Parameters
    ----------
    model : openvino.Model
        The whole network.

    Returns
    -------
    int
        Each constant is counted once.
    """
    aside = _before_the_first_product(model)
    total = 0
    for node in model.get_ordered_ops():
        if node.get_type_name() != "Constant":
            continue
        size = 1
        for length in node.output(0).get_shape():
            size *= int(length)
        uses = [x for x in node.output(0).get_target_inputs() if not _is_aside(x, aside)]
        real = node.output(0).get_element_type().is_real()
        if size > 1 and uses and (real or all(_is_stored_small(x) for x in uses)):
            total += size
    return total


def _before_the_first_product(model: Any) -> set[str]:
    found = set[str]()
    waiting = list(model.get_parameters())
    while waiting:
        node = waiting.pop()
        if node.get_type_name() in _PRODUCTS or node.get_friendly_name() in found:
            continue
        found.add(node.get_friendly_name())
        waiting += [x.get_node() for x in node.output(0).get_target_inputs()]
    return found


def _is_aside(use: Any, aside: set[str]) -> bool:
    node = use.get_node()
    if node.get_friendly_name() in aside:
        return True
    kind = node.get_type_name()
    if kind == "FakeQuantize":
        return bool(use.get_index() > 0)
    return kind in _DEQUANTIZING and any(
        _is_of_integers(x.get_node()) for x in node.input_values() if x != use.get_source_output()
    )


def _is_of_integers(node: Any) -> bool:
    """Whether it is a constant of integers made float, or that less its zero point."""
    kind = node.get_type_name()
    if kind in ("Convert", "Subtract"):
        return _is_of_integers(node.input_value(0).get_node())
    return kind == "Constant" and bool(node.output(0).get_element_type().is_integral_number())


def _is_stored_small(use: Any) -> bool:
    """Whether it is made float, as weights in integers are before they are scaled."""
    node = use.get_node()
    return (
        node.get_type_name() == "Convert"
        and bool(node.output(0).get_element_type().is_real())
        # Second comes a zero point, which is taken off.
        and all(x.get_index() == 0 for x in node.output(0).get_target_inputs())
    )
