"""How many learned parameters the networks of an extractor have."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from penult.comparison.cost.graph_parameters import graph_parameters
from penult.comparison.cost.published import published_parameters
from penult.openvino import import_openvino, shared_core

if TYPE_CHECKING:
    from penult.backbones.backbone import Backbone

__all__ = ["count_parameters"]


def count_parameters(backbones: Iterable[Backbone]) -> int | None:
    """Count those of all networks, each as it is published, whatever the layer.

    Parameters
    ----------
    backbones : iterable of Backbone
        One that is there twice is counted once.

    Returns
    -------
    int or None
        None where those of one cannot be counted.
    """
    distinct = {(x.architecture, x.weights.sha256): x for x in backbones}
    total = 0
    for backbone in distinct.values():
        try:
            found = published_parameters(backbone) or _counted(backbone)
        except Exception as error:  # whoever's network it is, its speed was measured
            logging.getLogger("penult").debug("penult: parameters of %s: %s", backbone.name, error)
            return None
        total += found
    return total


def _counted(backbone: Backbone) -> int:
    if "torch" in backbone.metadata.forms:
        module = backbone.cut(["penultimate"])  # which holds the whole network
        return sum(tensor.numel() for tensor in module.parameters())
    graph = backbone.as_openvino([layer.name for layer in backbone.layers])
    return graph_parameters(graph.build(shared_core(import_openvino())))
