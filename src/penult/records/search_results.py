"""The rows that a search found for many queries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from penult.records.failure import Failure
from penult.records.neighbors import Metric
from penult.records.search_result import SearchResult
from penult.representation import html_table
from penult.tabular import VALUE_NAMES, search_to_dataframe
from penult.wording import count

__all__ = ["SearchResults"]


class SearchResults(list[SearchResult]):
    """A list of what was found for each query, and the queries that could not be answered.

    Parameters
    ----------
    results : iterable of SearchResult
        One for each query that became a row.
    failures : iterable of Failure
        One for each of the others.
    metric : {"cosine", "euclidean"}
        What is near.

    Attributes
    ----------
    failures : tuple of Failure
        The queries that could not be answered, each with its reason.
    metric : {"cosine", "euclidean"}
        What the hits' numbers are: ``similarity``, the cosine, larger is nearer; or ``distance``,
        the Euclidean distance, smaller is nearer.
    """

    def __init__(
        self,
        results: Iterable[SearchResult] = (),
        failures: Iterable[Failure] = (),
        metric: Metric = "cosine",
    ) -> None:
        super().__init__(results)
        self.failures = tuple(failures)
        self.metric = metric

    def __repr__(self) -> str:
        hits = count(sum(len(one.hits) for one in self), "hit")
        nouns = ("query", "queries")
        said = f"{count(len(self), *nouns)}, {hits}, by {self.metric}"
        if self.failures:
            said += f"; {count(len(self.failures), *nouns)} failed"
        return f"SearchResults({said})"

    def _repr_html_(self) -> str:
        failed = f"{len(self.failures):,}" if self.failures else None
        table = [("query", "rank", VALUE_NAMES[self.metric], "found", "label")]
        for one in self:
            for rank, hit in enumerate(one.hits, 1):
                labels = " | ".join(hit.all_labels)
                table.append((one.query, str(rank), f"{hit.value:.3f}", hit.id, labels))
        title = f"{count(len(self), 'query', 'queries')}, by {self.metric}"
        return html_table(title, [("queries that failed", failed)], table)

    def to_dataframe(self) -> Any:
        """Make a pandas DataFrame, a row for each hit; the ``failures`` are not in it.

        Returns
        -------
        pandas.DataFrame
            The columns of the table that ``penult search --csv`` prints, without ``reason``.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        return search_to_dataframe(self)
