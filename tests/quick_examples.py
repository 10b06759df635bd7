"""What is quicker where examples run, for nobody looks at the maps, figures and rates that they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
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


def make_shallow(put: Callable[[object, str, object], None]) -> None:
    """Have the bundled networks be of one block a stage, seven in place of sixteen and more.

    Each of them is compiled, and quantized, in half the time; all layers that examples name are there.
    Photos are more alike to them.
    """
    package = "penult.backbones.efficientnet_lite"
    architecture, graph, network = (
        import_module(f"{package}.{name}") for name in ("architecture", "graph", "network")
    )
    keys = {name: [key for key, _ in graph._parameters(name)] for name in architecture.SCALES}

    def fit_some(name: str, tensors: Mapping[str, Any]) -> dict[str, Any]:
        wanted = {key for key, _ in graph._parameters(name)}
        named = zip(keys[name], tensors.values(), strict=True)
        return {key: array for key, array in named if key in wanted}

    put(architecture, "_STAGES", tuple((1, *stage) for _, *stage in architecture._STAGES))
    put(architecture, "SCALES", {k: (width, 1.0) for k, (width, _) in architecture.SCALES.items()})
    put(network, "fit", fit_some)
    if find_spec("timm"):
        timm = import_module("timm")
        create = timm.create_model

        def create_shallow(name: str, *args: Any, **options: Any) -> Any:
            made = create(name, *args, **options)
            if name.startswith("tf_efficientnet_lite"):
                for stage in made.blocks:
                    del stage[1:]
            return made

        put(timm, "create_model", create_shallow)
