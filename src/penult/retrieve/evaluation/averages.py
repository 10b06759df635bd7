"""From the scores of each query to their averages over all."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import numpy as np

from penult.records import LabelSearchScore, ScoreInterval, SearchAverages
from penult.retrieve.evaluation.bootstrap import Averages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from penult.retrieve.evaluation.query_scores import QueryScores

__all__ = ["average", "score_labels"]


def average(
    same: QueryScores,
    any_label: QueryScores | None,
    labels: csr_array,
    units: NDArray[np.int64],
    *,
    seed: int,
) -> SearchAverages:
    """Average the scores of queries; those that have none are counted, and left out.

    Parameters
    ----------
    same, any_label : QueryScores
        Where a row is relevant if it has the same labels, and if it shares one; None where each
        row has one label, so that these are the same.
    labels : sparse array, shape (Q, K)
        1 for each label of each query.
    units : int64 array, shape (Q,)
        The same number to queries that tell no more than one.
    seed : int
        Of the bootstrap.
    """
    scored = _scored(same)
    micro, macro = _average(same, labels, units, seed)
    if any_label is None:
        micro_any, macro_any = _with_jaccard(micro), _with_jaccard(macro)
    else:
        micro_any, macro_any = _average(any_label, labels, units, seed)
    return SearchAverages(
        queries=int(scored.sum()),
        skipped=int((~scored).sum()),
        queries_any_label=int(_scored(any_label or same).sum()),
        scores=micro,
        any_label=micro_any,
        macro=macro,
        macro_any_label=macro_any,
    )


def score_labels(
    scores: QueryScores, labels: csr_array, names: Sequence[str]
) -> tuple[LabelSearchScore, ...]:
    """Average the scores of the queries of each label, lowest average precision first.

    Parameters
    ----------
    scores : QueryScores
        Of Q queries.
    labels : sparse array, shape (Q, K)
        1 for each label of each query.
    names : sequence of str, length K
        Of the labels.
    """
    scored = _scored(scores)
    by_label = labels[scored].T.tocsr()
    values = np.stack([one[scored] for one in scores.values()], axis=1)
    counts, sums = by_label.sum(axis=1), by_label @ values
    found = [
        LabelSearchScore(
            names[k],
            int(counts[k]),
            dict(zip(scores, (sums[k] / counts[k]).tolist(), strict=True)),
        )
        for k in np.flatnonzero(counts).tolist()
    ]
    return tuple(sorted(found, key=lambda one: (one.scores["average_precision"], one.label)))


def _scored(scores: QueryScores) -> NDArray[np.bool_]:
    return np.isfinite(scores["average_precision"])


def _average(
    scores: QueryScores, labels: csr_array, units: NDArray[np.int64], seed: int
) -> tuple[dict[str, ScoreInterval], dict[str, ScoreInterval]]:
    scored = _scored(scores)
    if not scored.any():
        none = dict.fromkeys(scores, ScoreInterval(nan, nan, nan))
        return none, none
    values = np.stack([one[scored] for one in scores.values()], axis=1)
    averages = Averages(values, labels[scored], units[scored])
    micro, macro = averages.micro(seed=seed), averages.macro(seed=seed)
    return dict(zip(scores, micro, strict=True)), dict(zip(scores, macro, strict=True))


def _with_jaccard(scores: dict[str, ScoreInterval]) -> dict[str, ScoreInterval]:
    """Of rows of one label, that graded by Jaccard's index is what is not graded."""
    graded = {f"jaccard_{name}": one for name, one in scores.items() if name.startswith("ndcg")}
    return scores | graded
