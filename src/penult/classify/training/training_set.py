"""The rows that take part in a training, in memory or on disk, and the search over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.linear.passes import StoredRows
from penult.classify.training.multilabel import search_labels
from penult.classify.training.out_of_core import search_streamed
from penult.classify.training.search import Trial, fit_one, search
from penult.partition.row_groups import groups_of
from penult.partition.rows import read_rows, row_length
from penult.partition.splits import Fold, Split
from penult.partition.stratification import class_counts
from penult.records import Features

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

__all__ = ["Found", "Table"]

# The rows themselves, scaled, in their basis, and the part of them that each fold trains on.
COPIES = 6


@dataclass(frozen=True, kw_only=True)
class Table:
    """The rows of a feature file that take part.

    Attributes
    ----------
    chosen : (n,) int64, their numbers in the file, ascending
    rows : (n, D) in memory, or None where they do not fit
    memory : bytes that may be taken
    labels : (n,) int64, or (n, K) bool where images have several; numbered anew where classes
        were dropped
    groups : (n,) which of them belong together, or None
    names : (K,) the classes
    features : the file
    """

    chosen: NDArray[np.int64]
    rows: NDArray[np.float32] | None
    memory: int
    labels: NDArray[Any]
    groups: NDArray[np.str_] | None
    names: tuple[str, ...]
    features: Features

    @classmethod
    def read(cls, features: Features, split: Split, memory: int) -> Table:
        """Read the rows of a split, if `memory` is enough to train on them."""
        chosen = np.sort(np.concatenate([split.train, split.held_out]))
        kept = [k for k in range(len(features.label_names)) if k not in split.dropped]
        if features.targets is None:
            place = np.full(len(features.label_names), -1)
            place[kept] = np.arange(len(kept))
            labels = place[np.asarray(features.labels)[chosen]]
        else:
            # A label that no image to train with has cannot be told from anything.
            learned = class_counts(features.targets[split.train], len(features.label_names))
            kept = [k for k in kept if learned[k]]
            labels = np.asarray(features.targets, bool)[chosen][:, kept]
            targets = np.asarray(features.targets, bool).copy()
            targets[:, list(split.dropped)] = False
            features = replace(features, targets=targets)
        groups = groups_of(features)
        fits = COPIES * 4 * len(chosen) * row_length(features) <= memory
        return cls(
            chosen=chosen,
            rows=read_rows(features, chosen) if fits else None,
            memory=memory,
            labels=labels,
            groups=None if groups is None else groups[chosen],
            names=tuple(str(features.label_names[k]) for k in kept),
            features=features,
        )

    def places(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where rows with these numbers are among the chosen."""
        return np.searchsorted(self.chosen, numbers)

    def part(self, numbers: NDArray[np.int64]) -> Features:
        """Give some of the rows as features of their own, to be scored on."""
        places = self.places(numbers)
        if self.features.targets is not None:
            assert self.rows is not None
            return replace(
                self.features,
                features=self.rows[places],
                ids=[str(self.features.ids[int(i)]) for i in numbers],
                labels=self.features.labels[numbers],
                targets=self.features.targets[numbers],
                splits=None,
                groups=None,
                content=None,
            )
        if self.rows is None:
            # All others as if they had no label; what is read, is read where it is.
            labels = np.full(len(self.features), -1)
            labels[numbers] = self.labels[places]
            return replace(self.features, labels=labels, label_names=self.names)
        return replace(
            self.features,
            features=self.rows[places],
            ids=[str(self.features.ids[i]) for i in numbers],
            labels=self.labels[places],
            label_names=self.names,
            targets=None,
            splits=None,
            groups=None,
            content=None,
        )

    def fit(self, best: Trial, folds: Sequence[Fold], *, scale: str, seed: int) -> Pipeline:
        """Fit one combination on all rows."""
        if self.rows is None or self.labels.ndim == 2:
            tries = {best.classifier: [best.params]}
            options: dict[str, Any] = {"scale": scale, "seed": seed, "step": lambda: None}
            return self.search(self.chosen, folds, tries, **options).pipeline
        return fit_one(
            self.rows,
            self.labels,
            best.classifier,
            best.params,
            scale=scale,
            seed=seed,
            folds=folds,
        )

    def search(
        self,
        numbers: NDArray[np.int64],
        folds: Sequence[Fold],
        tries: Mapping[str, Sequence[Mapping[str, Any]]],
        **options: Any,
    ) -> Found:
        """Search among the rows with these numbers, which the folds divide, by what suits them."""
        places = self.places(numbers)
        labels = self.labels[places]
        if self.rows is None:
            unit = options["scale"] == "l2"
            stored = StoredRows(self.features, numbers, unit, self.memory)
            return Found(*search_streamed(stored, labels, folds, tries, **options))
        rows = self.rows[places]
        if labels.ndim == 2:
            return Found(*search_labels(rows, labels, folds, tries, **options))
        return Found(*search(rows, labels, folds, tries, **options))


@dataclass(frozen=True)
class Found:
    """What a search gave; thresholds only where images have several labels."""

    trials: list[Trial]
    best: Trial
    pipeline: Pipeline
    thresholds: list[float] | None = None
