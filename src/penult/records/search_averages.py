"""Scores of a search, averaged over its queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from penult.records.score_interval import ScoreInterval
from penult.representation import one_line
from penult.wording import count, ratio

__all__ = ["SearchAverages"]


@dataclass(frozen=True, kw_only=True)
class SearchAverages(Mapping[str, ScoreInterval]):
    """Scores of a search, averaged over its queries; a mapping of their names to `scores`.

    The names are ``hit@5``, ``precision@5``, ``recall@5`` and ``ndcg@5``, for each k;
    ``r_precision``, ``average_precision``, ``map@r`` and ``mrr``. The formulas are in
    `penult.retrieve.evaluation`.

    Attributes
    ----------
    queries : int
        Queries that were scored, of all runs together.
    skipped : int
        Queries for which no row of the gallery is relevant, so that nothing can be scored.
    queries_any_label : int
        Queries that were scored where a row is relevant if it shares a label with the query: as
        many, or more.
    scores : mapping of str to ScoreInterval
        Means over the queries; a row is relevant if its labels are exactly those of the query. All
        NaN where no query could be scored.
    any_label : mapping of str to ScoreInterval
        The same where a row is relevant if it shares a label with the query; and
        ``jaccard_ndcg@5``, for each k. Where each image has one label, both are the same.
    macro, macro_any_label : mapping of str to ScoreInterval
        Means over the labels of the mean over the queries that have the label.
    """

    queries: int
    skipped: int
    queries_any_label: int
    scores: Mapping[str, ScoreInterval]
    any_label: Mapping[str, ScoreInterval]
    macro: Mapping[str, ScoreInterval]
    macro_any_label: Mapping[str, ScoreInterval]

    def __getitem__(self, name: str) -> ScoreInterval:
        """The mean over the queries of one score."""
        return self.scores[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.scores)

    def __len__(self) -> int:
        """The number of scores."""
        return len(self.scores)

    def __repr__(self) -> str:
        brief = [name for name in self.scores if name.startswith("hit@") or "@" not in name]
        facts = [(name, f"{name} {ratio(self.scores[name].value, 3)}") for name in brief]
        shown = [("queries", count(self.queries, "query", "queries")), *facts]
        return one_line(type(self).__name__, shown)

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            ``queries``, ``skipped``, ``queries_any_label``, each score by its name, and further
            ones under ``any_label`` and ``macro``.
        """
        return {
            "queries": self.queries,
            "skipped": self.skipped,
            "queries_any_label": self.queries_any_label,
            **_to_dicts(self.scores),
            "any_label": _to_dicts(self.any_label),
            "macro": {
                **_to_dicts(self.macro),
                "any_label": _to_dicts(self.macro_any_label),
            },
        }


def _to_dicts(scores: Mapping[str, ScoreInterval]) -> dict[str, dict[str, float | None]]:
    return {name: score.to_dict() for name, score in scores.items()}
