"""From a trained pipeline to an ONNX graph that gives the same probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from penult.engines.onnx import IR, OPSET
from penult.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import Pipeline

__all__ = ["LABEL", "PROBABILITIES", "joined", "probe_graph"]

PROBABILITIES, LABEL = "probabilities", "label"
"""Names of the graph's outputs."""

# A wrong conversion differs by far more, the rounding of float32 by less.
_TOLERANCE = 1e-3

# `KNeighborsClassifier` by cosine, each neighbour weighing the inverse of its distance; where some
# are at distance 0, they alone count. skl2onnx 1.20 weighs all neighbours the same there.
_NEIGHBOURS = """
neighbours (float[N, D] rows) => (float[N, C] found) {
    length = ReduceL2 <axes = [1]> (rows)
    divisor = Max (length, tiny)
    unit = Div (rows, divisor)
    cosine = MatMul (unit, gallery)
    difference = Sub (one, cosine)
    distance = Clip (difference, zero, two)
    nearest, place = TopK <largest = 0> (distance, k)
    inverse = Reciprocal (nearest)
    is_zero = IsInf (inverse)
    alone = Cast <to = 1> (is_zero)
    some = ReduceMax <axes = [1]> (alone)
    has_zero = Cast <to = 9> (some)
    weight = Where (has_zero, alone, inverse)
    class = Gather (class_of, place)
    vote = OneHot (class, depth, off_on)
    column = Unsqueeze (weight, axis_2)
    weighed = Mul (vote, column)
    votes = ReduceSum <keepdims = 0> (weighed, axis_1)
    all = ReduceSum (votes, axis_1)
    found = Div (votes, all)
}
"""

# The pipeline's classes among all labels; one without a training image has probability 0.
_LABELS = """
labels (float[N, C] found) => (float[N, K] probabilities, int64[N] label) {
    probabilities = MatMul (found, places)
    label = ArgMax <axis = 1, keepdims = 0> (probabilities)
}
"""


def probe_graph(pipeline: Pipeline, classes: int) -> Any:
    """Write a pipeline as an ONNX model, and try it out.

    Parameters
    ----------
    classes : K, the number of labels; the pipeline's own classes are indices into them

    Returns
    -------
    onnx.ModelProto
        From float32 (N, D) to `PROBABILITIES`, float32 (N, K), and `LABEL`, int64 (N,): the most
        probable class.

    Raises
    ------
    EngineError
        If it cannot be written, or gives other probabilities then.
    """
    try:
        graph = joined([*_parts(pipeline), _labels(pipeline.classes_, classes)])
        difference = _largest_difference(graph, pipeline, classes)
    except Exception as error:
        # The converter, the checker and the runtime share no base class.
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise EngineError(f"the classifier cannot be written as ONNX: {reason}") from error
    if not difference <= _TOLERANCE:
        raise EngineError(
            f"the classifier as ONNX gives probabilities that differ by {difference:.1e}, more "
            f"than {_TOLERANCE:.0e}"
        )
    return graph


def joined(models: Sequence[Any]) -> Any:
    """Feed the first output of each model to the input of the next.

    Their names have to differ.
    """
    from onnx import compose

    whole, *others = models
    for model in others:
        edge = (whole.graph.output[0].name, model.graph.input[0].name)
        whole = compose.merge_models(whole, model, io_map=[edge])
    return whole


def _parts(pipeline: Pipeline) -> list[Any]:
    from sklearn.neighbors import KNeighborsClassifier

    model = pipeline[-1]
    if not isinstance(model, KNeighborsClassifier):
        return [_converted(pipeline, "probabilities")]
    scaling = [_converted(pipeline[:-1], "variable")] if len(pipeline) > 1 else []
    return [*scaling, _neighbours(model)]


def _converted(pipeline: Pipeline, output: str) -> Any:
    from onnx.compose import add_prefix
    from onnx.utils import Extractor
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    is_classifier = output == "probabilities"
    model = to_onnx(
        pipeline,
        initial_types=[("rows", FloatTensorType([None, pipeline.n_features_in_]))],
        options={"zipmap": False} if is_classifier else None,
        target_opset={"": OPSET, "ai.onnx.ml": 3},
    )
    part = Extractor(model).extract_model(["rows"], [output])
    part.ir_version = IR
    return add_prefix(part, "pipeline/")


def _neighbours(model: KNeighborsClassifier) -> Any:
    from sklearn.preprocessing import normalize

    if (model.effective_metric_, model.weights) != ("cosine", "distance"):
        raise ValueError(f"neighbours by {model.metric} distance, weighted by {model.weights}")
    constants = {
        "gallery": np.ascontiguousarray(normalize(model._fit_X).T, np.float32),
        "class_of": model._y.astype(np.int64),
        "k": np.array([model.n_neighbors]),
        "depth": np.array(len(model.classes_)),
        "off_on": np.array([0, 1], np.float32),
        "axis_1": np.array([1]),
        "axis_2": np.array([2]),
        "tiny": np.float32(np.finfo(np.float32).tiny),
        "zero": np.float32(0),
        "one": np.float32(1),
        "two": np.float32(2),
    }
    return _parsed(_NEIGHBOURS, constants, rename_outputs=True)


def _labels(own: NDArray[np.int64], classes: int) -> Any:
    places = np.zeros((len(own), classes), np.float32)
    places[np.arange(len(own)), own] = 1
    return _parsed(_LABELS, {"places": places}, rename_outputs=False)


def _parsed(text: str, constants: Mapping[str, Any], *, rename_outputs: bool) -> Any:
    from onnx import helper, numpy_helper, parser
    from onnx.compose import add_prefix

    graph = parser.parse_graph(text)
    graph.initializer.extend(
        numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    return add_prefix(model, f"{graph.name}/", rename_outputs=rename_outputs)


def _largest_difference(graph: Any, pipeline: Pipeline, classes: int) -> float:
    from penult.classify.model import class_probabilities
    from penult.engines.onnx import run_graph

    rows = np.abs(np.random.default_rng(0).normal(size=(64, pipeline.n_features_in_)))
    rows = rows.astype(np.float32)
    probabilities, _ = run_graph(graph.SerializeToString(), rows)
    return float(np.abs(probabilities - class_probabilities(pipeline, rows, classes)).max())
