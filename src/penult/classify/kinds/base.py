"""What a kind of classifier says of itself, and how it is fitted, streamed, saved and exported."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.kinds.training_data import TrainingData
from penult.classify.pipeline import label_probabilities, make_pipeline

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.base import ClassifierMixin
    from sklearn.pipeline import Pipeline

    from penult.classify.linear.streamed import StreamedProblem, StreamedSolutions
    from penult.classify.preparation import Preparation

__all__ = ["ClassifierKind", "CrossValidation", "TrainingData", "Trial", "accuracy_margin"]

Params = Mapping[str, Any]
DecisionFunction = Callable[["NDArray[np.float32]"], "NDArray[np.floating[Any]]"]


@dataclass(frozen=True)
class Trial:
    """One candidate of the grid search and its score on each fold.

    Attributes
    ----------
    classifier : its kind
    params : parameter name to value
    accuracies : of each fold; mean average precisions where images have several labels
    log_loss : on all folds, in nats, of kinds whose decisions are logits; None for others
    """

    classifier: str
    params: Params
    accuracies: tuple[float, ...]
    log_loss: float | None = None

    @property
    def mean(self) -> float:
        """Mean accuracy over the folds."""
        return float(np.mean(self.accuracies))

    @property
    def std(self) -> float:
        """Standard deviation of the accuracy over the folds."""
        return float(np.std(self.accuracies))


@dataclass(frozen=True)
class CrossValidation:
    """The trials of one kind, in the order of its candidates.

    Attributes
    ----------
    trials : one for each candidate that was tried
    fit : called with the parameters of one of them; gives its pipeline, fitted on all rows
    not_tried : candidates that were left out because the trials had clearly passed their best
    """

    trials: list[Trial]
    fit: Callable[[Params], Pipeline]
    not_tried: Sequence[Params] = ()


def accuracy_margin(accuracy: float, images: int) -> float:
    """Return how much less accurate a candidate may be and still be as good as the best.

    A standard error of the best accuracy (the rule of Breiman et al. 1984, section 3.4.3), or one
    image, for the standard error is none where all are right.
    """
    # An image in a small fold counts a little more than one in all.
    return max(math.sqrt(accuracy * (1 - accuracy) / images), 1.5 / images)


class ClassifierKind(ABC):
    """A kind of classifier.

    A new kind is a subclass with a name and `make`; registered, it trains on rows in
    memory with one label an image, saves, loads, predicts, and is exported where skl2onnx knows
    its estimator. `trusted` has to name the types that its estimator holds. The rest of what it
    can do is stated by the other attributes and methods.

    Attributes
    ----------
    name : str
        What a user types.
    grid : mapping
        Parameter name to the values that are tried by default.
    untried : tuple of str
        Parameters that a grid may name as well; by default they stay as `make` has them.
    allowed : mapping of str to str
        Parameter to the values that it can have, as a message tells them; of those that are not
        named, scikit-learn's words are told.
    penalty : str or None
        The parameter, if any, that says how strongly it is regularised; its value must be within
        1e-12 and 1e12, and the user is told when the best one is at an edge of the grid.
    gives_logits : bool
        Whether its decisions are logits, so that the log-loss chooses among candidates that are
        equally accurate.
    multilabel : bool
        Whether it learns several labels an image.
    streams : bool
        Whether it learns from rows that stay on disk (`solve_streamed`).
    weighs_classes : bool
        Whether its estimator takes a ``class_weight``, as scikit-learn's do.
    trusted : mapping
        Loader of skops to the types that a file of this kind may hold, beside the scaling.
    """

    name: str
    grid: Mapping[str, Sequence[Any]] = MappingProxyType({})
    untried: Sequence[str] = ()
    allowed: Mapping[str, str] = MappingProxyType({})
    penalty: str | None = None
    gives_logits: bool = False
    multilabel: bool = False
    streams: bool = False
    weighs_classes: bool = False
    trusted: Mapping[str, AbstractSet[str]] = MappingProxyType({})

    @property
    def parameters(self) -> tuple[str, ...]:
        """All that a grid may name, those first that are tried by default."""
        return (*self.grid, *self.untried)

    @abstractmethod
    def make(self, seed: int, **params: Any) -> ClassifierMixin:
        """Build an unfitted scikit-learn estimator."""

    def pipeline(self, data: TrainingData, params: Params) -> Pipeline:
        """Build an unfitted pipeline with the scaling and the seed of the data."""
        estimator = self.make(data.seed, **params)
        if data.class_weight is not None:
            estimator.set_params(class_weight=data.class_weight)
        return make_pipeline(estimator, data.steps())

    def limit(self, params: Params, n_rows: int) -> Params:
        """Return parameters that can be fitted on so many rows: these, or the nearest to them."""
        return params

    # One label an image.

    def cross_validate(
        self, data: TrainingData, candidates: Sequence[Params], step: Callable[[], None]
    ) -> CrossValidation:
        """Score every candidate on every fold.

        Parameters
        ----------
        data : TrainingData
            With folds.
        candidates : sequence of mapping
            Parameters to try.
        step : callable
            Called after each fit on a fold.

        Returns
        -------
        CrossValidation
            A trial for each candidate.
        """
        accuracies: list[list[float]] = [[] for _ in candidates]
        for train, test in data.folds:
            preparation, inside = data.take(train).prepared()
            rows = preparation.transform(data.rows[test])
            for params, found in zip(candidates, accuracies, strict=True):
                right = self.fit_decisions(inside, params).predict(rows) == data.labels[test]
                found.append(float(right.mean()))
                step()
        trials = [
            Trial(self.name, params, tuple(found))
            for params, found in zip(candidates, accuracies, strict=True)
        ]
        return CrossValidation(trials, partial(self.fit, data))

    def fit(self, data: TrainingData, params: Params) -> Pipeline:
        """Fit on all rows, for ``predict_proba``; probabilities are calibrated on the folds."""
        return self.fit_decisions(data, params)

    def fit_decisions(self, data: TrainingData, params: Params) -> Pipeline:
        """Fit on all rows, for ``predict`` alone: without calibration, and so without folds."""
        return self.pipeline(data, params).fit(data.rows, data.labels)

    # Several labels an image.

    def fit_labels_each(
        self, data: TrainingData, candidates: Sequence[Params]
    ) -> list[DecisionFunction]:
        """Fit every candidate on all rows with several labels.

        Parameters
        ----------
        data : TrainingData
            Its labels are (n, K) bool.
        candidates : sequence of mapping
            Parameters to try.

        Returns
        -------
        list of callable
            For each candidate, from (m, D) rows to (m, K): the higher, the likelier the label.
        """
        preparation, inside = data.prepared()
        pipelines = [self.fit_decisions(inside, params) for params in candidates]
        return [partial(_decide, preparation, pipeline) for pipeline in pipelines]

    def fit_labels(
        self, data: TrainingData, params: Params, left_out: NDArray[np.floating[Any]]
    ) -> tuple[Pipeline, NDArray[np.floating[Any]]]:
        """Fit on all rows with several labels.

        Parameters
        ----------
        data : TrainingData
            Its labels are (n, K) bool.
        params : mapping
            The chosen candidate.
        left_out : array, shape (photos, K)
            What `fit_labels_each` of the folds said of the rows they left out.

        Returns
        -------
        pipeline : sklearn.pipeline.Pipeline
            Fitted.
        probabilities : array, shape (photos, K)
            What is made of `left_out`.
        """
        return self.fit_decisions(data, params), left_out

    # Rows that stay on disk.

    def solve_streamed(
        self, problem: StreamedProblem, candidates: Sequence[Params], step: Callable[[], None]
    ) -> list[StreamedSolutions]:
        """Solve every candidate on every fold, and on all rows, which stay on disk."""
        raise NotImplementedError(f"{self.name} does not stream")

    def streaming_bytes(self, width: int, folds: int) -> int:
        """Say how many bytes `solve_streamed` cannot do without."""
        return 0

    # Files.

    def complaint(self, pipeline: Pipeline, schema: Any) -> str | None:
        """Say why a pipeline that was read from a file must not be applied, if so.

        Every kind is asked, whatever the file says its kind is.

        Parameters
        ----------
        pipeline : sklearn.pipeline.Pipeline
            Built from the file; its types are trusted, its numbers are not.
        schema : JSON-like
            Of the skops file.

        Returns
        -------
        str or None
            What is wrong, as the end of a sentence.
        """
        return None

    def to_onnx(self, pipeline: Pipeline) -> list[Any]:
        """Convert a fitted pipeline.

        Parameters
        ----------
        pipeline : sklearn.pipeline.Pipeline
            As `fit` gives it.

        Returns
        -------
        list of onnx.ModelProto
            Each takes what the one before it gives; from rows, float32 (N, D), to probabilities.
        """
        from penult.classify.kinds.onnx import convert_pipeline

        return convert_pipeline(pipeline)


def _decide(
    preparation: Preparation, pipeline: Pipeline, rows: NDArray[np.float32]
) -> NDArray[np.float64]:
    return label_probabilities(pipeline, preparation.transform(rows))
