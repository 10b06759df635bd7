"""The scores of each query of one trial: a gallery, and who searches it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from penult.retrieve.evaluation.collapse import Collapsed
from penult.retrieve.evaluation.query_scores import QueryScores, score_gains, score_queries

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.retrieve.evaluation.protocol import Trial
    from penult.retrieve.evaluation.ranking import Ranker, Ranking
    from penult.retrieve.evaluation.relevance import LabelSets

__all__ = ["TrialScores", "score_trial"]

# Of a block of queries and all rows of the gallery: what a pair of them takes, and what all may.
_PAIR_BYTES = 80
_BLOCK_BYTES = 1 << 29
_MOST = 1024


@dataclass(frozen=True)
class TrialScores:
    """Scores of queries, and what each found first.

    Attributes
    ----------
    queries : int64 array, shape (Q,)
        Places of the rows that queried.
    same, any_label : QueryScores
        Where a row is relevant if it has the same labels, and if it shares one; None where no row
        has several.
    same_collapsed, any_label_collapsed : QueryScores or None
        Where near-duplicates count as one row; None where there are none.
    first : int64 array, shape (Q, n)
        Places of the rows that each found first; -1 where there were fewer.
    """

    queries: NDArray[np.int64]
    same: QueryScores
    any_label: QueryScores | None
    same_collapsed: QueryScores | None
    any_label_collapsed: QueryScores | None
    first: NDArray[np.int64]

    @classmethod
    def joined(cls, parts: Sequence[TrialScores]) -> TrialScores:
        """Put those of several trials, or blocks of one, behind each other."""
        width = min(part.first.shape[1] for part in parts)
        return cls(
            np.concatenate([part.queries for part in parts]),
            _joined([part.same for part in parts]),
            _joined_if([part.any_label for part in parts]),
            _joined_if([part.same_collapsed for part in parts]),
            _joined_if([part.any_label_collapsed for part in parts]),
            np.concatenate([part.first[:, :width] for part in parts]),
        )


def score_trial(
    ranker: Ranker,
    labels: LabelSets,
    near_duplicates: NDArray[np.int64] | None,
    trial: Trial,
    *,
    k: Sequence[int],
    first: int,
    tell: Callable[[int], None],
    block: int | None = None,
) -> TrialScores:
    """Rank the gallery for each query, some queries at a time, and score the rankings.

    Parameters
    ----------
    ranker : Ranker
        Of N rows.
    labels : LabelSets
        Of the same.
    near_duplicates : int64 array, shape (N,), or None
        Each row's group of near-duplicates; None where no two rows are.
    trial : Trial
        Who searches what.
    k : sequence of int
        Lengths of the lists to score.
    first : int
        How many of the rows found to keep of each query.
    tell : callable
        Called with how many queries were scored since.
    block : int, optional
        Queries at a time; by default as many as fit into 512 MB. The scores do not depend on it.
    """
    most = _BLOCK_BYTES // (_PAIR_BYTES * max(1, len(trial.gallery)))
    block = block or int(np.clip(most, 1, _MOST))
    several = labels.several
    parts = []
    for start in range(0, len(trial.queries), block):
        queries = trial.queries[start : start + block]
        ranking = ranker.rank(queries, trial.gallery)
        collapsed = None
        if near_duplicates is not None:
            collapsed = Collapsed.of(ranking, queries, near_duplicates)
        parts.append(_score(queries, ranking, collapsed, labels, k, first, several=several))
        tell(len(queries))
    return TrialScores.joined(parts)


def _score(
    queries: NDArray[np.int64],
    ranking: Ranking,
    collapsed: Collapsed | None,
    labels: LabelSets,
    k: Sequence[int],
    first: int,
    *,
    several: bool,
) -> TrialScores:
    there = np.arange(ranking.places.shape[1]) < ranking.found[:, None]
    same = labels.same(queries, ranking.places) & there
    ranking.alike.irrelevant_first(same)
    any_label, same_collapsed, any_collapsed = None, None, None
    if collapsed is not None:
        same_collapsed = score_queries(collapsed.apply(same), k)
    if several:
        gain = labels.jaccard(queries, ranking.places) * there
        ranking.alike.irrelevant_first(gain)
        any_label = _score_graded(gain, k)
        if collapsed is not None:
            any_collapsed = _score_graded(collapsed.apply(gain), k)
    return TrialScores(
        queries,
        score_queries(same, k),
        any_label,
        same_collapsed,
        any_collapsed,
        np.where(there, ranking.places, -1)[:, :first],
    )


def _score_graded(gain: NDArray[np.float64], k: Sequence[int]) -> QueryScores:
    return score_queries(gain > 0, k) | score_gains(gain, k)


def _joined(parts: Sequence[QueryScores]) -> QueryScores:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _joined_if(parts: Sequence[QueryScores | None]) -> QueryScores | None:
    there = [part for part in parts if part is not None]
    return _joined(there) if there else None
