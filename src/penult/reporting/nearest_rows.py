"""What rows say without a classifier: how well a search among them does, duplicates, and leaks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from penult.partition.rows import row_length
from penult.partition.splits import Split
from penult.progress import Tell
from penult.records import Duplicates, Features, HeldOut, SearchScores, SplitLeaks
from penult.retrieve.duplicates.find import find_duplicates
from penult.retrieve.duplicates.stream import least_countable
from penult.retrieve.evaluation.labelled_rows import LabelledRows
from penult.retrieve.evaluation.protocol import leave_one_out
from penult.retrieve.evaluation.score import score_search

__all__ = ["NearestRows"]

MOST_SEARCHED = 10_000
"""Rows that search one another; the time grows with the square of their number."""

MOST_COMPARED = 20_000
"""Rows among which duplicates are looked for."""

MOST_BYTES = 1 << 30

_LENGTHS = (1, 5, 10)  # of the lists of hits that are scored
_HIGHER = (0.97, 0.99, 0.999)  # cosines in place of one at which nearly all rows are duplicates


@dataclass(frozen=True, kw_only=True)
class NearestRows:
    """All rows compared with all, or those of a random part of them where they are too many.

    Attributes
    ----------
    features : Features
        The rows.
    held_out : HeldOut or None
        What the classifier said of the images that it was not trained on.
    split : Split or None
        Which rows it was trained on, and which were held out: in the first of several runs. Where
        none was trained, leaks are not looked for.
    threshold : float
        Cosine from which rows are near-duplicates; a higher one is taken where that would make
        duplicates of more pairs than can be looked at.
    seed : int
        Of the random part.
    memory : int or None
        Bytes that may be taken.
    offline : bool
        Never touch the network.
    """

    features: Features
    held_out: HeldOut | None = None
    split: Split | None = None
    threshold: float = 0.95
    seed: int = 0
    memory: int | None = None
    offline: bool = False

    def retrieval(self, tell: Tell) -> SearchScores:
        """Have each labelled row search all others.

        Raises
        ------
        UsageError
            If there are no labels, or none is on two rows.
        SearchError
            If rows cannot be searched.
        """
        features = self._drawn(self.features, MOST_SEARCHED)
        rows = LabelledRows.of(features)
        lengths = tuple(k for k in _LENGTHS if k < len(rows)) or _LENGTHS[:1]
        return score_search(
            rows,
            leave_one_out(rows),
            k=lengths,
            near_duplicates=self._near(features),
            seed=self.seed,
            tell=tell,
        )

    def duplicates(self) -> Duplicates:
        """Find copies and near-duplicates, and those between what was trained on and held out.

        Raises
        ------
        UsageError, SearchError
        """
        features = self._drawn(self._with_parts(), MOST_COMPARED)
        found = find_duplicates(
            features,
            self._near(features),
            across_splits=self.split is not None,
            named="these rows",
            images=None,
            offline=self.offline,
            memory=self.memory,
            quiet=True,  # the report says itself where it has no pictures
        )
        if self.split is None or self.held_out is None:
            return found.duplicates
        leaks = self._leaks(found.duplicates, features, self.split, self.held_out)
        return replace(found.duplicates, leaks=leaks)

    def _drawn(self, features: Features, most: int) -> Features:
        most = min(most, MOST_BYTES // (4 * max(1, row_length(features))))
        if len(features) <= most:
            return features
        drawn = np.random.default_rng(self.seed).permutation(len(features))[:most]
        return features.take(np.sort(drawn))

    def _near(self, features: Features) -> float:
        higher = [one for one in _HIGHER if one > self.threshold]
        return least_countable(features, 1.0, (self.threshold, *higher))

    def _with_parts(self) -> Features:
        """The rows, those that are in neither part of the classifier's in none at all."""
        if self.split is None:
            return self.features
        parts = np.full(len(self.features), "", object)
        parts[self.split.train], parts[self.split.held_out] = "train", "test"
        return replace(self.features, splits=parts.tolist())

    def _leaks(
        self, found: Duplicates, features: Features, split: Split, held_out: HeldOut
    ) -> SplitLeaks:
        parts = list(features.splits or ())
        near = {
            one
            for pair in found.across_splits
            for one, split in ((pair.first, pair.splits[0]), (pair.second, pair.splits[1]))
            if split == "test"
        }
        here = {str(one) for one, part in zip(features.ids, parts, strict=True) if part == "test"}
        right = [
            (one in near, truth == predicted)
            for one, truth, predicted in zip(
                held_out.ids, held_out.truth, held_out.predicted, strict=True
            )
            if one in here
        ]
        without = [hit for leaked, hit in right if not leaked]
        scored = bool(near) and bool(without) and features.targets is None
        return SplitLeaks(
            parts={part: parts.count(part) for part in ("train", "test") if part in parts},
            drawn=split.drawn,
            description="those of this report",
            held_out=len(here),
            near=len(near),
            all_images=sum(hit for _, hit in right) / len(right) if scored else None,
            without=sum(without) / len(without) if scored else None,
        )
