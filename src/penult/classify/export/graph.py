"""From a classifier to an ONNX graph that gives the same probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.kinds.onnx import parse_model
from penult.classify.kinds.registry import find_kind
from penult.engines.onnx_export import TriedGraph, run_graph
from penult.errors import EngineError
from penult.messages import first_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penult.classify.classifier import Classifier

__all__ = ["AGREEMENT", "join_models", "probe_graph"]

# A wrong conversion differs by far more, the rounding of float32 by less.
AGREEMENT = 1e-3

# The pipeline's classes among all labels; one without a training image has probability 0.
_LABELS = """
labels (float[N, C] found) => (float[N, K] probabilities, int64[N] label) {
    probabilities = MatMul (found, places)
    label = ArgMax <axis = 1, keepdims = 0> (probabilities)
}
"""

_SEVERAL = """
several (float[N, K] found) => (float[N, K] probabilities, bool[N, K] labels) {
    probabilities = Identity (found)
    labels = GreaterOrEqual (probabilities, thresholds)
}
"""


def probe_graph(classifier: Classifier) -> TriedGraph:
    """Write a classifier as an ONNX model, and compare it with the classifier.

    Returns
    -------
    TriedGraph
        From float32 (N, D) to ``probabilities``, float32 (N, K), and ``label``, int64 (N,), the
        most probable class; of a classifier for several labels an image, ``labels``, bool (N, K).

    Raises
    ------
    EngineError
        If it cannot be written, or gives other probabilities then.
    """
    kind = find_kind(classifier.settings.classifier)
    try:
        graph = join_models([*kind.to_onnx(classifier.pipeline), _decision(classifier)])
        difference = _largest_difference(graph, classifier)
    except Exception as error:
        # The converter, the checker and the runtime share no base class.
        reason = first_line(error)
        raise EngineError(f"the classifier cannot be written as ONNX: {reason}") from error
    if not difference <= AGREEMENT:
        raise EngineError(
            f"the classifier as ONNX gives probabilities that differ by {difference:.1e}, more "
            f"than {AGREEMENT:.0e}"
        )
    return TriedGraph(graph, difference)


def join_models(models: Sequence[Any]) -> Any:
    """Feed the first output of each model to the input of the next.

    Their names have to differ.
    """
    from onnx import compose

    whole, *others = models
    for model in others:
        edge = (whole.graph.output[0].name, model.graph.input[0].name)
        whole = compose.merge_models(whole, model, io_map=[edge])
    return whole


def _decision(classifier: Classifier) -> Any:
    if classifier.thresholds is not None:
        thresholds = np.array(classifier.thresholds, np.float32)
        return parse_model(_SEVERAL, {"thresholds": thresholds}, rename_outputs=False)
    own = classifier.pipeline.classes_
    places = np.zeros((len(own), len(classifier.label_names)), np.float32)
    places[np.arange(len(own)), own] = 1
    return parse_model(_LABELS, {"places": places}, rename_outputs=False)


def _largest_difference(graph: Any, classifier: Classifier) -> float:
    rows = np.random.default_rng(0).normal(size=(64, classifier.pipeline.n_features_in_))
    rows = np.abs(rows).astype(np.float32)
    probabilities, _ = run_graph(graph.SerializeToString(), rows)
    return float(np.abs(probabilities - classifier.predict_features(rows)).max())
