"""How well a quantized graph's rows agree with those of the network it was made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.engines.agreement import cosines
from penult.engines.openvino.rows import append_pooling
from penult.openvino import shared_core

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.backbones.backbone import Backbone
    from penult.recipe import BackboneRecipe

__all__ = ["CosineMetric"]

_ITSELF = 1 - 1e-6
"""Mean cosine of the network that is not quantized, which NNCF judges as well."""


class CosineMetric:
    """How alike the rows of a quantised graph are to those of the network it was made from.

    NNCF calls it with a compiled graph and some of `items`; `counted` is told how often it did.
    `best` is the best mean cosine of a quantised graph over all of them.
    """

    def __init__(
        self,
        ov: ModuleType,
        backbone: Backbone,
        recipes: Sequence[BackboneRecipe],
        model: Any,
        images: NDArray[np.uint8],
    ) -> None:
        self._ov = ov
        self._pool = self._compile(_pooling(ov, backbone, recipes, model))
        compiled = self._compile(model)
        rows = [self._rows(output) for output in _outputs(compiled, images)]
        self._expected = [np.concatenate(row) for row in zip(*rows, strict=True)]
        self.calls, self.best = 0, -1.0
        self.counted: Callable[[int], None] = lambda _: None
        self.items = [(images[k : k + 1], k) for k in range(len(images))]

    def __call__(self, compiled: Any, items: Iterable[tuple[NDArray[np.uint8], int]]) -> Any:
        """(mean cosine of the worst layer, each image's cosine in its worst layer)."""
        self.calls += 1
        self.counted(self.calls)
        found, places = [], []
        for image, k in items:
            (output,) = _outputs(compiled, image)
            found.append(self._rows(output))
            places.append(k)
        layers = np.stack(
            [
                cosines(np.concatenate(rows), expected[places])
                for rows, expected in zip(zip(*found, strict=True), self._expected, strict=True)
            ]
        )
        mean = float(layers.mean(axis=1).min())
        if len(places) == len(self.items) and mean < _ITSELF:
            self.best = max(self.best, mean)
        return mean, layers.min(axis=0).tolist()

    def mean(self, graph: Any) -> float:
        """Mean cosine over all items; of several layers that of the worst."""
        return float(self(self._compile(graph), self.items)[0])

    def _compile(self, graph: Any) -> Any:
        config = {"INFERENCE_PRECISION_HINT": "f32"}
        return shared_core(self._ov).compile_model(graph, "CPU", config)

    def _rows(self, activations: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        rows = self._pool(list(activations))
        return [rows[k].reshape(1, -1) for k in range(len(activations))]


def _pooling(
    ov: ModuleType, backbone: Backbone, recipes: Sequence[BackboneRecipe], model: Any
) -> Any:
    """A graph from one image's activations, as `model` gives them, to its rows."""
    given = [
        ov.opset13.parameter([1, *list(output.get_partial_shape())[1:]], ov.Type.f32)
        for output in model.outputs
    ]
    results = [ov.opset13.result(activation) for activation in given]
    layers = [backbone.layer(recipe.layer) for recipe in recipes]
    plain = [replace(recipe, normalize="none") for recipe in recipes]
    return append_pooling(ov, ov.Model(results, given, "activations"), layers, plain)


def _outputs(compiled: Any, images: NDArray[np.uint8]) -> Iterator[list[NDArray[np.float32]]]:
    """What a compiled graph gives for each image (N, H, W, 3): one array (1, …) an output."""
    for k in range(len(images)):
        found = compiled(images[k : k + 1])
        yield [np.array(found[j]) for j in range(len(compiled.outputs))]
