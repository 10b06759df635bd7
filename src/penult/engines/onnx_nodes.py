"""Nodes of ONNX, written one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["OnnxNodes"]


class OnnxNodes:
    """Nodes one after the other, and the arrays that they use.

    Parameters
    ----------
    prefix : str
        What the names of all that is added begin with.

    Attributes
    ----------
    nodes : list of onnx.NodeProto
    arrays : dict of str to array
    """

    def __init__(self, prefix: str) -> None:
        self.nodes: list[Any] = []
        self.arrays: dict[str, NDArray[Any]] = {}
        self._prefix = prefix
        self._added = 0

    def add(self, kind: str, *inputs: str | NDArray[Any], **attributes: Any) -> str:
        """Add a node of one output; its inputs are names, and arrays.

        Parameters
        ----------
        kind : str
            Of ONNX's operator.
        *inputs : str or array
            What it takes.
        **attributes
            The operator's.

        Returns
        -------
        str
            The output's name.
        """
        (output,) = self.add_several(kind, 1, *inputs, **attributes)
        return output

    def add_several(
        self, kind: str, outputs: int, *inputs: str | NDArray[Any], **attributes: Any
    ) -> list[str]:
        """Add a node of so many outputs; see `add`."""
        from onnx.helper import make_node

        node = f"{self._prefix}{self._added}"
        self._added += 1
        names = []
        for number, one in enumerate(inputs):
            name = one if isinstance(one, str) else f"{node}/{number}"
            if not isinstance(one, str):
                self.arrays[name] = one
            names.append(name)
        gives = [node] if outputs == 1 else [f"{node}:{number}" for number in range(outputs)]
        self.nodes.append(make_node(kind, names, gives, **attributes))
        return gives

    def unit(self, rows: str) -> str:
        """Scale rows, (N, D), to length one; as torch's ``normalize``, never by more than 1e12."""
        length = self.add("ReduceL2", rows, axes=[1], keepdims=1)
        return self.add("Div", rows, self.add("Max", length, np.array(1e-12, np.float32)))

    def initializers(self) -> Sequence[Any]:
        """The arrays, as a graph has them."""
        from onnx import numpy_helper

        return [
            # `np.ascontiguousarray` makes an axis of none.
            numpy_helper.from_array(np.asarray(array, order="C"), name)
            for name, array in self.arrays.items()
        ]
