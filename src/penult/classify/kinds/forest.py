"""Random forest."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.kinds.base import ClassifierKind, Params, TrainingData
from penult.classify.kinds.calibration import found_sharpness, sharpened_pipeline
from penult.classify.linear_rule import PCA_TYPE, STEP_TYPES, type_of

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin
    from sklearn.pipeline import Pipeline

__all__ = ["KIND"]


class Forest(ClassifierKind):
    """scikit-learn's ``RandomForestClassifier``, its probabilities sharpened by a temperature."""

    name = "forest"
    grid = MappingProxyType({"max_features": ("sqrt", 0.1)})
    untried = ("n_estimators", "max_depth")
    allowed = MappingProxyType(
        {
            "max_features": "sqrt, log2, none, a share in (0, 1], or a whole number from 1",
            "n_estimators": "a whole number from 1",
            "max_depth": "a whole number from 1, or none",
        }
    )
    multilabel = True
    weighs_classes = True
    trusted = MappingProxyType(
        {
            "ObjectNode": {
                "sklearn.calibration.CalibratedClassifierCV",
                "sklearn.calibration._CalibratedClassifier",
                "sklearn.calibration._TemperatureScaling",
                "sklearn.ensemble._forest.RandomForestClassifier",
                "sklearn.tree._classes.DecisionTreeClassifier",
            },
            # scikit-learn follows its nodes without a look at where they point: see `complaint`.
            "TreeNode": {"sklearn.tree._tree.Tree"},
        }
    )

    def make(self, seed: int, **params: Any) -> ClassifierMixin:
        """Build an unfitted ``RandomForestClassifier``."""
        from sklearn.ensemble import RandomForestClassifier

        chosen = {"n_estimators": 300, **params}
        return RandomForestClassifier(n_jobs=-1, random_state=seed, **chosen)

    def fit(self, data: TrainingData, params: Params) -> Pipeline:
        """Fit on all rows; the temperature is found on the folds."""
        pipeline = self.fit_decisions(data, params)
        factor = found_sharpness(self, data, params)
        return sharpened_pipeline(pipeline, self.make(data.seed, **params), factor, len(data.folds))

    def complaint(self, pipeline: Pipeline, schema: Any) -> str | None:
        """Look at every tree of the file.

        scikit-learn follows a tree's nodes without bounds, so a crafted one could read any memory
        or go round for ever. A child comes after its parent, and a leaf has none. Every tree of the
        file has to be one that a forest applies, so that none is applied which was not looked at.
        """
        n_trees = sum(_count_trees(schema))
        if n_trees and not _are_sound(pipeline, n_trees):
            return "it holds trees that no forest could grow"
        return None


def _count_trees(schema: Any) -> Iterator[int]:
    if isinstance(schema, list):
        for item in schema:
            yield from _count_trees(item)
    elif isinstance(schema, dict):
        yield int(schema.get("__loader__") == "TreeNode")
        for item in schema.values():
            yield from _count_trees(item)


def _are_sound(pipeline: Pipeline, n_trees: int) -> bool:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.ensemble import RandomForestClassifier

    forest = pipeline[-1]
    if isinstance(forest, CalibratedClassifierCV):
        (calibrated,) = forest.calibrated_classifiers_
        forest = calibrated.estimator
    if not isinstance(forest, RandomForestClassifier):
        return False
    width = _width_behind(pipeline)
    trees = [model.tree_ for model in forest.estimators_]
    return len({id(tree) for tree in trees}) == n_trees and all(
        tree.n_outputs == forest.n_outputs_ and tree.n_features == width and _is_sound(tree)
        for tree in trees
    )


def _width_behind(pipeline: Pipeline) -> int | None:
    """How many numbers a row has as the forest sees it; None where that is not sure."""
    width = int(pipeline.n_features_in_)
    for _, step in pipeline.steps[:-1]:
        if type_of(step) not in STEP_TYPES:
            return None
        if type_of(step) == PCA_TYPE:
            if np.ndim(step.components_) != 2:
                return None
            width = len(step.components_)
    return width


def _is_sound(tree: Any) -> bool:
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    inner = left != -1
    parents = np.flatnonzero(inner)
    return bool(
        tree.node_count > 0
        and ((right != -1) == inner).all()
        and ((left[inner] > parents) & (left[inner] < tree.node_count)).all()
        and ((right[inner] > parents) & (right[inner] < tree.node_count)).all()
        and ((feature[inner] >= 0) & (feature[inner] < tree.n_features)).all()
    )


KIND = Forest()
