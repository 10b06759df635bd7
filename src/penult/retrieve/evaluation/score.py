"""How well rows find those of their own labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from penult.errors import UsageError
from penult.progress import announce
from penult.records import Progress, SearchScores
from penult.retrieve.evaluation.averages import average, score_labels
from penult.retrieve.evaluation.examples import HITS, pick_examples
from penult.retrieve.evaluation.near_duplicates import find_near_duplicates
from penult.retrieve.evaluation.ranking import Ranker
from penult.retrieve.evaluation.trial_scores import TrialScores, score_trial
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.progress import Tell
    from penult.records.neighbors import Metric
    from penult.retrieve.evaluation.labelled_rows import LabelledRows
    from penult.retrieve.evaluation.protocol import Trial
    from penult.retrieve.evaluation.query_scores import QueryScores

__all__ = ["score_search"]


def score_search(
    rows: LabelledRows,
    trials: Sequence[Trial],
    *,
    k: Sequence[int] = (1, 5, 10),
    metric: Metric = "cosine",
    near_duplicates: float = 0.95,
    seed: int = 0,
    tell: Tell,
    block: int | None = None,
) -> SearchScores:
    """Score how well rows find those of their own labels.

    Parameters
    ----------
    rows : LabelledRows
        All that query or are found.
    trials : sequence of Trial
        Who searches what; at least one. The scores are means over the queries of all of them.
    k : sequence of int
        Lengths of the lists to score, ascending; none more than a query can find.
    metric : {"cosine", "euclidean"}
        By what rows are near.
    near_duplicates : float
        Cosine from which on two rows count as one where near-duplicates are collapsed.
    seed : int
        Of the bootstrap.
    tell : callable
        Told of the progress.
    block : int, optional
        Queries at a time; the scores do not depend on it.

    Returns
    -------
    SearchScores
        ``protocol``, ``runs``, ``sizes`` and ``name`` are for the caller to add.

    Raises
    ------
    UsageError
        If no query has a relevant row.
    """
    announce("near-duplicates", brief=True)
    groups = find_near_duplicates(rows.rows, near_duplicates)
    duplicates = len(groups) - len(np.unique(groups))
    ranker = Ranker(rows.rows, rows.digests, rows.images, metric)
    total, done = sum(len(trial.queries) for trial in trials), 0

    def told(queries: int) -> None:
        nonlocal done
        done += queries
        tell(Progress(done, total, 0, stage="search", unit="queries"))

    told(0)
    scores = TrialScores.joined(
        [
            score_trial(
                ranker,
                rows.labels,
                groups if duplicates else None,
                trial,
                k=k,
                first=HITS,
                tell=told,
                block=block,
            )
            for trial in trials
        ]
    )
    labels = rows.labels.of_rows(scores.queries)
    units = rows.groups[scores.queries]
    announce("intervals", brief=True)
    plain = average(scores.same, scores.any_label, labels, units, seed=seed)
    if not plain.queries_any_label:
        raise UsageError(
            f"none of {count(total, 'query', 'queries')} has a relevant row to find: no label is "
            "on a row of the gallery and on another that queries"
        )
    apart = plain
    if scores.same_collapsed is not None:
        apart = average(scores.same_collapsed, scores.any_label_collapsed, labels, units, seed=seed)
    trained = None if rows.trained_network is None else rows.trained_network[scores.queries]
    untrained = None
    if trained is not None and trained.any() and not trained.all():
        new = np.flatnonzero(~trained)
        untrained = average(
            _of(scores.same, new),
            None if scores.any_label is None else _of(scores.any_label, new),
            labels[new],
            units[new],
            seed=seed,
        )
    return SearchScores(
        **vars(plain),
        without_duplicates=apart,
        labels=score_labels(scores.same, labels, rows.label_names),
        examples=pick_examples(rows, ranker, scores, metric),
        k=tuple(k),
        metric=metric,
        gallery=len(trials[0].gallery),
        unlabelled=rows.unlabelled,
        near_duplicates=near_duplicates,
        duplicates=duplicates,
        trained_network=None if trained is None else int(trained.sum()),
        untrained=untrained,
    )


def _of(scores: QueryScores, queries: NDArray[np.int64]) -> QueryScores:
    return {name: values[queries] for name, values in scores.items()}
