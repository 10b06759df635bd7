"""From a graph in memory to what a file of it holds."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.backbones.graph_file import Original, SavedGraph
from penult.engines.agreement import check_image
from penult.engines.openvino.rows import append_pooling, run_model
from penult.openvino import first_run_lock, import_openvino

if TYPE_CHECKING:
    from penult.backbones.backbone import Backbone

__all__ = ["pack"]


def pack(
    backbone: Backbone,
    layers: Sequence[str],
    graph: Any,
    *,
    original: Original | None = None,
    batch: int | None = None,
) -> SavedGraph:
    """Serialise a graph, and note what it gives here for the check image.

    Parameters
    ----------
    backbone : what it was made from
    layers : of each output of the graph, which is the activation as pooling ``none`` gives it
    graph : openvino.Model
    original, batch : see `SavedGraph`
    """
    ov = import_openvino()
    found = tuple(backbone.layer(name) for name in layers)
    graph.reshape([batch or -1, *backbone.preprocessing.input_size, 3])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.xml"
        ov.save_model(graph, path, compress_to_fp16=False)
        xml, weights = path.read_bytes(), np.fromfile(path.with_suffix(".bin"), np.uint8)
    defaults = [backbone.recipe(layer.name) for layer in found]
    image = check_image(backbone.preprocessing.input_size)[None]
    with first_run_lock:
        rows = run_model(ov, append_pooling(ov, graph, found, defaults), image, batch)
    return SavedGraph(
        architecture=backbone.architecture,
        preprocessing=backbone.preprocessing,
        layers=found,
        graph=xml,
        weights=weights,
        expected=tuple(row[0] for row in rows),
        original=original,
        batch=batch,
    )
