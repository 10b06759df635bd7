"""Nearest neighbours by cosine."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.kinds.base import ClassifierKind, Params

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import Pipeline

__all__ = ["KIND"]

# `KNeighborsClassifier` by cosine, each neighbour weighing the inverse of its distance (where some
# are at distance 0, they alone count), or all the same.
# skl2onnx 1.20 gives all neighbours by cosine the same weight.
_GRAPH = """
neighbours (float[N, D] rows) => (float[N, C] found) {{
    length = ReduceL2 <axes = [1]> (rows)
    divisor = Max (length, tiny)
    unit = Div (rows, divisor)
    cosine = MatMul (unit, gallery)
    difference = Sub (one, cosine)
    distance = Clip (difference, zero, two)
    nearest, place = TopK <largest = 0> (distance, k)
    {weight}
    {vote}
    column = Unsqueeze (weight, axis_2)
    weighed = Mul (vote, column)
    votes = ReduceSum <keepdims = 0> (weighed, axis_1)
    all = ReduceSum (weight, axis_1)
    found = Div (votes, all)
}}
"""
_BY_DISTANCE = """
    inverse = Reciprocal (nearest)
    is_zero = IsInf (inverse)
    alone = Cast <to = 1> (is_zero)
    some = ReduceMax <axes = [1]> (alone)
    has_zero = Cast <to = 9> (some)
    weight = Where (has_zero, alone, inverse)
"""
_ALIKE = """
    none = Mul (nearest, zero)
    weight = Add (none, one)
"""
_VOTE_FOR_ONE = "class = Gather (class_of, place) vote = OneHot (class, depth, off_on)"
_VOTE_FOR_SEVERAL = "vote = Gather (labels_of, place)"


class NearestNeighbors(ClassifierKind):
    """scikit-learn's ``KNeighborsClassifier``; its probabilities are its votes."""

    name = "knn"
    grid = MappingProxyType({"n_neighbors": (1, 3, 5, 10, 20)})
    untried = ("weights",)
    allowed = MappingProxyType(
        {"n_neighbors": "a whole number from 1", "weights": "distance or uniform"}
    )
    multilabel = True
    trusted = MappingProxyType(
        {"ObjectNode": {"sklearn.neighbors._classification.KNeighborsClassifier"}}
    )

    def make(self, seed: int, **params: Any) -> ClassifierMixin:
        """Build an unfitted ``KNeighborsClassifier``."""
        from sklearn.neighbors import KNeighborsClassifier

        chosen = {"weights": "distance", **params}
        return KNeighborsClassifier(metric="cosine", algorithm="brute", **chosen)

    def limit(self, params: Params, n_rows: int) -> Params:
        """Return no more neighbours than rows."""
        return {**params, "n_neighbors": min(params["n_neighbors"], n_rows)}

    def to_onnx(self, pipeline: Pipeline) -> list[Any]:
        """Write the neighbours as a graph of their own, behind the scaling."""
        from penult.classify.kinds.onnx import convert

        scaling = [convert(pipeline[:-1], "variable")] if len(pipeline) > 1 else []
        return [*scaling, _neighbours(pipeline[-1])]


def _neighbours(model: KNeighborsClassifier) -> Any:
    from sklearn.preprocessing import normalize

    from penult.classify.kinds.onnx import parse_model

    weights = {"distance": _BY_DISTANCE, "uniform": _ALIKE}
    if model.effective_metric_ != "cosine" or model.weights not in weights:
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
    return parse_model(_GRAPH.format(vote=vote, weight=weights[model.weights]), constants)


KIND = NearestNeighbors()
