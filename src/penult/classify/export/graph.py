"""From a classifier to an ONNX graph that gives the same probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from penult.engines.onnx import IR, OPSET
from penult.errors import EngineError
from penult.messages import first_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import Pipeline

    from penult.classify.classifier import Classifier

__all__ = ["joined", "probe_graph"]

# A wrong conversion differs by far more, the rounding of float32 by less.
_TOLERANCE = 1e-3

# `KNeighborsClassifier` by cosine, each neighbour weighing the inverse of its distance; where some
# are at distance 0, they alone count. skl2onnx 1.20 gives all neighbours by cosine the same weight.
_NEIGHBOURS = """
neighbours (float[N, D] rows) => (float[N, C] found) {{
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
    {vote}
    column = Unsqueeze (weight, axis_2)
    weighed = Mul (vote, column)
    votes = ReduceSum <keepdims = 0> (weighed, axis_1)
    all = ReduceSum (weight, axis_1)
    found = Div (votes, all)
}}
"""
_VOTE_FOR_ONE = "class = Gather (class_of, place) vote = OneHot (class, depth, off_on)"
_VOTE_FOR_SEVERAL = "vote = Gather (labels_of, place)"

# Of a forest for several labels: absent and present, label by label.
_PRESENT = """
present (float[C, N, Both] trees) => (float[N, C] found) {
    second = Gather <axis = 2> (trees, one)
    found = Transpose <perm = [1, 0]> (second)
}
"""

# `CalibratedClassifierCV(method="temperature")`, which skl2onnx 1.20 cannot convert.
_SHARPENED = """
sharpened (float[N, C] found) => (float[N, C] sharp) {
    positive = Add (found, tiny)
    logits = Log (positive)
    scaled = Mul (logits, sharpness)
    sharp = Softmax <axis = 1> (scaled)
}
"""

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


def probe_graph(classifier: Classifier) -> Any:
    """Write a classifier as an ONNX model, and try it out.

    Returns
    -------
    onnx.ModelProto
        From float32 (N, D) to ``probabilities``, float32 (N, K), and ``label``, int64 (N,), the
        most probable class; of a classifier for several labels an image, ``labels``, bool (N, K).

    Raises
    ------
    EngineError
        If it cannot be written, or gives other probabilities then.
    """
    try:
        graph = joined([*_parts(classifier.pipeline), _decision(classifier)])
        difference = _largest_difference(graph, classifier)
    except Exception as error:
        # The converter, the checker and the runtime share no base class.
        reason = first_line(error)
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
    if isinstance(model, KNeighborsClassifier):
        scaling = [_converted(pipeline[:-1], "variable")] if len(pipeline) > 1 else []
        return [*scaling, _neighbours(model)]
    if getattr(model, "method", None) == "temperature":
        (calibrated,) = model.calibrated_classifiers_
        whole = type(pipeline)([*pipeline.steps[:-1], ("classifier", calibrated.estimator)])
        constants = {
            "tiny": np.float32(1e-12),
            "sharpness": np.float32(calibrated.calibrators[0].beta_),
        }
        return [_converted(whole, "probabilities"), _parsed(_SHARPENED, constants)]
    parts = [_converted(pipeline, "probabilities")]
    if isinstance(model.classes_, list):
        parts.append(_parsed(_PRESENT, {"one": np.array(1)}))
    return parts


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
        "k": np.array([model.n_neighbors]),
        "axis_1": np.array([1]),
        "axis_2": np.array([2]),
        "tiny": np.float32(np.finfo(np.float32).tiny),
        "zero": np.float32(0),
        "one": np.float32(1),
        "two": np.float32(2),
    }
    if model.outputs_2d_:
        vote = _VOTE_FOR_SEVERAL
        constants["labels_of"] = model._y.astype(np.float32)
    else:
        vote = _VOTE_FOR_ONE
        constants["class_of"] = model._y.astype(np.int64)
        constants["depth"] = np.array(len(model.classes_))
        constants["off_on"] = np.array([0, 1], np.float32)
    return _parsed(_NEIGHBOURS.format(vote=vote), constants)


def _decision(classifier: Classifier) -> Any:
    if classifier.thresholds is not None:
        thresholds = np.array(classifier.thresholds, np.float32)
        return _parsed(_SEVERAL, {"thresholds": thresholds}, rename_outputs=False)
    own = classifier.pipeline.classes_
    places = np.zeros((len(own), len(classifier.label_names)), np.float32)
    places[np.arange(len(own)), own] = 1
    return _parsed(_LABELS, {"places": places}, rename_outputs=False)


def _parsed(text: str, constants: Mapping[str, Any], *, rename_outputs: bool = True) -> Any:
    from onnx import helper, numpy_helper, parser
    from onnx.compose import add_prefix

    graph = parser.parse_graph(text)
    graph.initializer.extend(
        numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    return add_prefix(model, f"{graph.name}/", rename_outputs=rename_outputs)


def _largest_difference(graph: Any, classifier: Classifier) -> float:
    from penult.engines.onnx import run_graph

    rows = np.random.default_rng(0).normal(size=(64, classifier.pipeline.n_features_in_))
    rows = np.abs(rows).astype(np.float32)
    probabilities, _ = run_graph(graph.SerializeToString(), rows)
    return float(np.abs(probabilities - classifier.predict_features(rows)).max())
