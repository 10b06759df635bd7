"""What is quicker where examples run, for nobody looks at the maps, figures and rates that they make."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from itertools import islice
from typing import Any

from drawn_once import confusion_matrix_png
from small_images import PACKAGES


def quicken(put: Callable[[object, str, object], None]) -> None:
    """Have `put`, as `setattr`, replace what takes long."""
    extractor = import_module("penult.extractor.extractor").ExtractorSpec
    digits = import_module("penult.samples")._digits
    forest = import_module("penult.classify.kinds.forest").Forest
    grow = forest.make

    def grow_few(kind: Any, seed: int, **params: Any) -> Any:
        return grow(kind, seed, **{**params, "n_estimators": 5})

    for module, name, value in (
        ("penult.backbones.bundled", "_PACKAGES", PACKAGES),
        ("penult.engines.measure", "SECONDS", 0.01),
        ("penult.explore.clustering.kmeans", "_STARTS", 1),
        ("penult.explore.row_map.tsne", "_EARLY", 25),
        ("penult.explore.row_map.tsne", "_ITERATIONS", 50),
        ("penult.reporting.comparison_figures", "comparison_figures", lambda _: {}),
        ("penult.reporting.results", "confusion_matrix_png", confusion_matrix_png),
        ("penult.samples", "_digits", lambda: islice(digits(), 20)),
    ):
        put(import_module(module), name, value)
    # An extraction opens its network anew, and drops it; here the examples of a page share it.
    put(extractor, "open_backbones", extractor.shared_backbones)
    put(forest, "make", grow_few)
