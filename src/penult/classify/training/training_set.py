"""The rows that take part in a training, in memory or on disk, and the search over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.kinds.base import TrainingData, Trial
from penult.classify.kinds.registry import find_kind
from penult.classify.linear.passes import StoredRows
from penult.classify.linear.streamed import StreamedProblem
from penult.classify.options import TrainOptions
from penult.classify.preparation import most_axes
from penult.classify.training.grid import Candidates
from penult.classify.training.multilabel import require_multilabel, search_labels
from penult.classify.training.out_of_core import require_streamable, search_streamed
from penult.classify.training.search import GridSearchResult, search
from penult.errors import TrainingError, UsageError
from penult.interface import option
from penult.likeness import Likeness
from penult.partition.augmented import AugmentedViews, count_views, read_part
from penult.partition.row_groups import find_groups
from penult.partition.rows import row_length
from penult.partition.splits import Fold, Split, cross_validation
from penult.partition.stratification import count_classes
from penult.records import Features
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

__all__ = ["TrainingSet", "row_bytes"]

# The rows themselves, scaled, in their basis, and one copy more; beside these each fold has the
# part of them that it trains on.
_COPIES = 4
# Numbers a class that a fold which is being fitted keeps of each of its rows; and, of any number of
# folds, what is decided about the rows that they left out, in float64, while it is put together.
_STATES, _DECISIONS = 2, 4


@dataclass(frozen=True, kw_only=True)
class TrainingSet:
    """The rows of a feature file that take part.

    Attributes
    ----------
    chosen : (n,) int64, their numbers in the file, ascending
    held : their rows and augmented rows in memory, or None where they do not fit
    memory : bytes that may be taken
    labels : (n,) int64, or (n, K) bool where images have several; numbered anew where classes
        were dropped
    groups : (n,) which of them belong together, or None
    names : (K,) the classes
    features : the file
    scale : how rows are scaled; see `penult.classify.preparation.make_scaler`
    folds : number of cross-validation folds
    class_weight : how much the rows of each class count; None where all count alike
    reduce : how many numbers rows are reduced to; None where they keep theirs
    """

    chosen: NDArray[np.int64]
    held: Features | None
    memory: int
    labels: NDArray[Any]
    groups: NDArray[np.str_] | None
    names: tuple[str, ...]
    features: Features
    scale: str
    folds: int
    class_weight: str | None = None
    reduce: int | None = None

    @classmethod
    def read(
        cls, features: Features, split: Split, memory: int, *, options: TrainOptions
    ) -> TrainingSet:
        """Read the rows of a split, if `memory` is enough to train on them."""
        chosen = np.sort(np.concatenate([split.train, split.held_out]))
        kept = [k for k in range(len(features.label_names)) if k not in split.dropped]
        if features.targets is None:
            place = np.full(len(features.label_names), -1)
            place[kept] = np.arange(len(kept))
            labels = place[np.asarray(features.labels)[chosen]]
        else:
            # A label that no image to train with has cannot be told from anything.
            learned = count_classes(features.targets[split.train], len(features.label_names))
            kept = [k for k in kept if learned[k]]
            labels = np.asarray(features.targets, bool)[chosen][:, kept]
            targets = np.asarray(features.targets, bool).copy()
            targets[:, list(split.dropped)] = False
            features = replace(features, targets=targets)
        groups = find_groups(features)
        rows = len(chosen) + count_views(features, chosen)
        each = row_bytes(row_length(features), len(kept), options.folds)
        return cls(
            chosen=chosen,
            held=read_part(features, chosen) if rows * each <= memory else None,
            memory=memory,
            labels=labels,
            groups=None if groups is None else groups[chosen],
            names=tuple(str(features.label_names[k]) for k in kept),
            features=features,
            scale=options.scale,
            folds=options.folds,
            class_weight=options.class_weight,
            reduce=options.reduce,
        )

    def require_learnable(self, candidates: Candidates) -> None:
        """Refuse kinds of classifier that cannot learn from these rows as they are.

        Raises
        ------
        TrainingError
        """
        several = self.labels.ndim == 2
        if several:
            require_multilabel(candidates)
        if self.held is None and several:
            raise TrainingError(
                f"the rows do not fit into {self.memory / 1e9:,.3g} GB, and where images have "
                "several labels all are needed at once; give more with "
                f"{option('max_memory')}, or extract shorter rows"
            )
        if self.held is None:
            width = row_length(self.features)
            require_streamable(candidates, width, self.folds, self.memory, reduce=self.reduce)

    def places(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where rows with these numbers are among the chosen."""
        return np.searchsorted(self.chosen, numbers)

    def images_per_class(self, numbers: NDArray[np.int64]) -> dict[str, int]:
        """Class to the number of its images among the rows with these numbers."""
        counts = count_classes(self.labels[self.places(numbers)], len(self.names))
        return dict(zip(self.names, counts.tolist(), strict=True))

    def views(self, numbers: NDArray[np.int64]) -> int:
        """Count the augmented views of the images with these numbers."""
        return count_views(self.features, numbers)

    def part(self, numbers: NDArray[np.int64]) -> Features:
        """Give some of the rows as features of their own, to be scored on."""
        places, trained = self.places(numbers), self.features.trained_network
        if trained is not None:
            trained = trained[numbers]
        if self.features.targets is not None:
            assert self.held is not None
            return replace(
                self.features,
                features=self.held.features[places],
                augmented=None,
                ids=[str(self.features.ids[int(i)]) for i in numbers],
                labels=self.features.labels[numbers],
                targets=self.features.targets[numbers],
                trained_network=trained,
                splits=None,
                groups=None,
                content=None,
            )
        if self.held is None:
            # All others as if they had no label; what is read, is read where it is.
            labels = np.full(len(self.features), -1)
            labels[numbers] = self.labels[places]
            return replace(self.features, labels=labels, label_names=self.names, augmented=None)
        return replace(
            self.features,
            features=self.held.features[places],
            augmented=None,
            ids=[str(self.features.ids[i]) for i in numbers],
            labels=self.labels[places],
            label_names=self.names,
            targets=None,
            trained_network=trained,
            splits=None,
            groups=None,
            content=None,
        )

    def search(
        self,
        numbers: NDArray[np.int64],
        candidates: Candidates,
        *,
        seed: int,
        step: Callable[[], None] = lambda: None,
    ) -> GridSearchResult:
        """Search by cross-validation among the rows with these numbers, ascending.

        The seed is of the folds and the classifier; `step` is called after each fit.
        """
        places = self.places(numbers)
        labels, folds = self.labels[places], self._folds(places, seed)
        views = AugmentedViews.find(self.features, numbers)
        self._require_reducible(min(len(views.beside(train)) for train, _ in folds))
        if self.held is None:
            stored = StoredRows(self.features, numbers, self.scale == "l2", self.memory, views)
            problem = StreamedProblem.prepare(
                stored,
                np.concatenate([labels, labels[views.of]]),
                [(views.beside(train), test) for train, test in folds],
                scale=self.scale,
                seed=seed,
                class_weight=self.class_weight,
                reduce=self.reduce,
            )
            return search_streamed(problem, candidates, step)
        data = self._data(self.held, places, folds, seed)
        return (search_labels if labels.ndim == 2 else search)(data, candidates, step)

    def fit(self, best: Trial, *, seed: int) -> Pipeline:
        """Fit one candidate on all rows."""
        if self.held is None or self.labels.ndim == 2:
            return self.search(self.chosen, {best.classifier: [best.params]}, seed=seed).pipeline
        places = np.arange(len(self.chosen))
        data = self._data(self.held, places, self._folds(places, seed), seed)
        return find_kind(best.classifier).fit(data, best.params)

    def likeness(self, numbers: NDArray[np.int64], *, seed: int) -> Likeness | None:
        """What tells new rows that are like those with these numbers from others."""
        places = self.places(numbers)
        groups = None if self.groups is None else self.groups[places]
        features, labels = self.features, self.labels[places]
        if self.held is None:
            return Likeness.of(features, numbers, labels, groups, seed=seed)
        return Likeness.of(self.held, places, labels, groups, seed=seed)

    def _data(
        self, held: Features, places: NDArray[np.int64], folds: Sequence[Fold], seed: int
    ) -> TrainingData:
        return TrainingData.read(
            held,
            places,
            self.labels[places],
            folds=folds,
            scale=self.scale,
            seed=seed,
            class_weight=self.class_weight,
            reduce=self.reduce,
        )

    def _require_reducible(self, fewest: int) -> None:
        width = row_length(self.features)
        if self.reduce is not None and self.reduce > (most := most_axes(fewest, width)):
            raise UsageError(
                f"rows cannot be reduced to {count(self.reduce, 'number')}: the smallest training "
                f"part of the {self.folds} folds has {count(fewest, 'row')} of "
                f"{count(width, 'number')}, which allow {most:,}; give "
                f"{option('reduce', most)} or less"
            )

    def _folds(self, places: NDArray[np.int64], seed: int) -> list[Fold]:
        groups = None if self.groups is None else self.groups[places]
        return cross_validation(self.labels[places], groups, folds=self.folds, seed=seed)


def row_bytes(width: int, classes: int, folds: int) -> int:
    """Say how many bytes training takes for each row that is in memory.

    Parameters
    ----------
    width : int
        How many numbers it has.
    classes, folds : int
        How many there are.
    """
    others = folds - 1
    return 4 * ((_COPIES + others) * width + max(_STATES * others, _DECISIONS) * classes)
