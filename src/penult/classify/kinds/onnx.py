"""From fitted scikit-learn pipelines to ONNX models that can be joined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.engines.onnx_export import IR, OPSET

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

__all__ = ["convert", "convert_pipeline", "parse_model"]

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


def convert_pipeline(pipeline: Pipeline) -> list[Any]:
    """Convert a pipeline whose last step is a classifier.

    Returns
    -------
    list of onnx.ModelProto
        Each takes what the one before it gives; from rows, float32 (N, D), to probabilities,
        float32 (N, K).
    """
    model = pipeline[-1]
    if getattr(model, "method", None) == "temperature":
        (calibrated,) = model.calibrated_classifiers_
        whole = type(pipeline)([*pipeline.steps[:-1], ("classifier", calibrated.estimator)])
        constants = {
            "tiny": np.float32(1e-12),
            "sharpness": np.float32(calibrated.calibrators[0].beta_),
        }
        return [convert(whole, "probabilities"), parse_model(_SHARPENED, constants)]
    parts = [convert(pipeline, "probabilities")]
    if isinstance(model.classes_, list):
        parts.append(parse_model(_PRESENT, {"one": np.array(1)}))
    return parts


def convert(pipeline: Pipeline, output: str) -> Any:
    """Convert a pipeline by skl2onnx, and keep the part of the graph that leads to one output."""
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


def parse_model(text: str, constants: Mapping[str, Any], *, rename_outputs: bool = True) -> Any:
    """Make a model of a graph in ONNX's text format; the constants are what it names beside."""
    from onnx import helper, numpy_helper, parser
    from onnx.compose import add_prefix

    graph = parser.parse_graph(text)
    graph.initializer.extend(
        numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    return add_prefix(model, f"{graph.name}/", rename_outputs=rename_outputs)
