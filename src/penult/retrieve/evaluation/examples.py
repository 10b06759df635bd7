"""A few queries to look at: the worst and the best."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penult.records import SearchResult, SearchResults
from penult.retrieve.hits import make_hits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from penult.records.neighbors import Metric
    from penult.retrieve.evaluation.labelled_rows import LabelledRows
    from penult.retrieve.evaluation.ranking import Ranker
    from penult.retrieve.evaluation.trial_scores import TrialScores

__all__ = ["HITS", "pick_examples"]

HITS = 10
_EACH = 5


def pick_examples(
    rows: LabelledRows, ranker: Ranker, scores: TrialScores, metric: Metric
) -> SearchResults:
    """Pick the queries of the lowest average precision, and those of the highest, a label each.

    Returns
    -------
    SearchResults
        Up to five of the worst, worst first, and up to five of the best, best first.
    """
    precision = (scores.any_label or scores.same)["average_precision"]
    scored = np.flatnonzero(np.isfinite(precision))
    ascending = scored[np.lexsort((scores.queries[scored], precision[scored]))]
    descending = scored[np.lexsort((scores.queries[scored], -precision[scored]))]
    worst = _one_a_label(rows, scores.queries, ascending, set())
    best = _one_a_label(rows, scores.queries, descending, set(scores.queries[worst].tolist()))
    return SearchResults(
        [_result(rows, ranker, scores, place, metric) for place in worst + best], metric=metric
    )


def _one_a_label(
    rows: LabelledRows, queries: NDArray[np.int64], order: Iterable[int], but: set[int]
) -> list[int]:
    """The first few queries, no two of one set of labels."""
    seen: dict[int, int] = {}
    for place in order:
        row = int(queries[place])
        if row not in but:
            seen.setdefault(int(rows.labels.of[row]), int(place))
        if len(seen) == _EACH:
            break
    return list(seen.values())


def _result(
    rows: LabelledRows, ranker: Ranker, scores: TrialScores, place: int, metric: Metric
) -> SearchResult:
    query = int(scores.queries[place])
    found = scores.first[place]
    found = found[found >= 0]
    hits = make_hits(
        [rows.ids[row] for row in found],
        ranker.values(query, found),
        [rows.names(row) for row in found],
        metric=metric,
        several=rows.labels.several,
    )
    return SearchResult(rows.ids[query], hits, labels=rows.names(query))
