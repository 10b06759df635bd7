"""How well a search finds what is relevant."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from penult.records.label_search_score import LabelSearchScore
from penult.records.neighbors import Metric
from penult.records.search_averages import SearchAverages
from penult.records.search_results import SearchResults
from penult.records.search_score_words import (
    search_score_rows,
    search_sentences,
)
from penult.representation import html_table, text_table
from penult.wording import count

__all__ = ["SearchScores"]


@dataclass(frozen=True, kw_only=True, repr=False)
class SearchScores(SearchAverages):
    """How well a search finds what is relevant; a mapping of the scores' names to `scores`.

    Attributes
    ----------
    queries, skipped, queries_any_label : int
        Queries that were scored, had nothing to find, and share a label with a row: as of
        `SearchAverages`.
    scores, any_label, macro, macro_any_label : mapping of str to ScoreInterval
        Name of a score to its average, as of `SearchAverages`.
    without_duplicates : SearchAverages
        The same where near-duplicates count as one row: of each group of them only the first that
        is found, and none of the query's own group.
    labels : tuple of LabelSearchScore
        Of each label that a query has, lowest average precision first.
    examples : SearchResults
        A few queries and what they found, each with its labels: the worst, lowest average precision
        first, and then the best.
    k : tuple of int
        Lengths of the lists that are scored, ascending.
    metric : {"cosine", "euclidean"}
        By what the rows are ranked.
    protocol : str
        What was searched for in what, in words.
    gallery : int
        Rows that a query is compared with: of several runs, of the first.
    runs : int
        How often a gallery and queries were drawn; 0 where none were drawn.
    sizes : tuple of (int, int)
        Of each run, or of the one search, the rows that queried and those of the gallery.
    unlabelled : int
        Rows that have no label and were left out.
    near_duplicates : float
        Cosine from which on two rows are near-duplicates.
    duplicates : int
        Rows that are near-duplicates of an earlier one.
    name : str
        What the rows are called.
    trained_network : int or None
        Queries whose image trained the network that made the rows, so that the scores are no
        estimate for new images; None where that is not known.
    untrained : SearchAverages or None
        The same over the other queries, where some did and some did not.
    """

    without_duplicates: SearchAverages
    labels: tuple[LabelSearchScore, ...] = ()
    examples: SearchResults = field(default_factory=SearchResults)
    k: tuple[int, ...] = (1, 5, 10)
    metric: Metric = "cosine"
    protocol: str = ""
    gallery: int = 0
    runs: int = 0
    sizes: tuple[tuple[int, int], ...] = ()
    unlabelled: int = 0
    near_duplicates: float = 0.95
    duplicates: int = 0
    name: str = ""
    trained_network: int | None = None
    untrained: SearchAverages | None = None

    def __str__(self) -> str:
        """The scores, and what they are of, as ``penult evaluate-search`` prints them."""
        return "\n".join([text_table(search_score_rows(self)), "", *search_sentences(self)])

    def _repr_html_(self) -> str:
        facts = [
            ("queries", count(self.queries)),
            ("without a relevant row", count(self.skipped) if self.skipped else None),
            ("searched", f"{self.protocol}, by {self.metric}"),
            ("near-duplicates", f"{count(self.duplicates, 'row')}, from {self.near_duplicates:g}"),
        ]
        return html_table("SearchScores", facts, search_score_rows(self))

    def to_dataframe(self) -> Any:
        """Make a pandas DataFrame, a row for each score in each of its forms.

        Returns
        -------
        pandas.DataFrame
            Columns ``score``; ``relevant``, "same labels" or "any label"; ``average``, "micro" or
            "macro"; ``duplicates``, "kept" or "collapsed"; ``value``, ``low``, ``high``.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        from penult.tabular import search_scores_to_dataframe

        return search_scores_to_dataframe(self)

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold, every number unrounded.

        Returns
        -------
        dict
            As of `SearchAverages`, and ``without_duplicates``, ``labels``, ``examples``, ``k``,
            ``metric``, ``protocol``, ``gallery``, ``runs``, ``sizes``, ``unlabelled``,
            ``near_duplicates``, ``duplicates``, ``layer``, ``trained_network`` and ``untrained``.
        """
        return {
            **super().to_dict(),
            "without_duplicates": self.without_duplicates.to_dict(),
            "labels": [one.to_dict() for one in self.labels],
            "examples": [one.to_dict() for one in self.examples],
            "k": list(self.k),
            "metric": self.metric,
            "protocol": self.protocol,
            "gallery": self.gallery,
            "runs": self.runs,
            "sizes": [{"queries": asked, "gallery": found} for asked, found in self.sizes],
            "unlabelled": self.unlabelled,
            "near_duplicates": self.near_duplicates,
            "duplicates": self.duplicates,
            "layer": self.name,
            "trained_network": self.trained_network,
            "untrained": None if self.untrained is None else self.untrained.to_dict(),
        }
