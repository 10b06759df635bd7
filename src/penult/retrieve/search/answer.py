"""From the rows of queries to what is found for each."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from penult.errors import UsageError
from penult.interface import option
from penult.records import Failure, SearchResult
from penult.retrieve.hits import make_hits
from penult.retrieve.search.queries import Query, QueryBatch
from penult.retrieve.search.votes import distances, vote
from penult.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from penult.records import Features
    from penult.retrieve.search.searched import FoundRows, Searched, Selected

__all__ = ["Answer", "Search"]

_NOT_FINITE = "its row has NaN or infinite numbers; extract it again"


@dataclass(frozen=True)
class Answer:
    """What was found for one query, and where the query's picture is.

    Attributes
    ----------
    result : SearchResult
    query : Query
    features : Features or None
        Those that the query is a row of, if it is one of a file's.
    """

    result: SearchResult
    query: Query
    features: Features | None = None


class Search:
    """What is asked of a gallery, checked once; answers batches of queries.

    Parameters
    ----------
    gallery : Searched
    k : int
        Rows to find for each query.
    filters : sequence of str
        See `penult.retrieve.search.filters`.
    selected : Selected, optional
        The rows that the filters leave, where that is known already.
    vote : bool
        Whether the rows found vote for a label.
    notes : bool
        Whether what is odd about it is logged: fewer rows than are asked for, or of one label.

    Raises
    ------
    UsageError, UnknownNameError
        If there are no such rows, or no labels to vote for.
    """

    def __init__(
        self,
        gallery: Searched,
        *,
        k: int,
        filters: Sequence[str] = (),
        selected: Selected | None = None,
        vote: bool = False,
        notes: bool = True,
    ) -> None:
        if k < 1:
            raise UsageError(f"k is {k}; give 1 or more")
        if vote and not gallery.is_labelled:
            raise UsageError(
                f"{gallery.name} has no labels to vote for; leave out {option('vote', True)}, or "
                f"extract it again with labels (see {option('labels')})"
            )
        self.gallery = gallery
        self._filters, self._notes = filters, notes
        self._selected = gallery.select(filters) if selected is None else selected
        self._k, self._vote = k, vote
        if vote and filters and notes:
            self._note_one_label()
        self._is_counted = False
        if self._selected.count is not None:
            self._count()

    def answers(self, batches: Iterable[QueryBatch]) -> Iterator[Answer | Failure]:
        """Find what is near to each query; rows that nothing is near to are failures.

        Parameters
        ----------
        batches : iterable of QueryBatch

        Yields
        ------
        Answer or Failure
            One for each query, in their order.

        Raises
        ------
        SearchError
            If rows of the gallery cannot be searched.
        """
        for batch in batches:
            yield from self._answers(batch)

    def _answers(self, batch: QueryBatch) -> Iterator[Answer | Failure]:
        queries = [one for one in batch.outcomes if isinstance(one, Query)]
        wrong = self._wrong(batch.rows)
        good = [k for k in range(len(queries)) if k not in wrong]
        found: Sequence[FoundRows] = ()
        if good:
            own = [None if (of := queries[k].own) is None else of.id for k in good]
            found = self.gallery.find(batch.rows[good], self._k, own=own, selected=self._selected)
            if not self._is_counted and any(len(one.ids) < self._k for one in found):
                self._count()
        row, answered = 0, iter(found)
        for outcome in batch.outcomes:
            if isinstance(outcome, Failure):
                yield outcome
                continue
            if row in wrong:
                yield Failure(outcome.id, wrong[row])
            else:
                yield Answer(self._result(outcome, next(answered)), outcome, batch.features)
            row += 1

    def _wrong(self, rows: NDArray[np.float32]) -> dict[int, str]:
        """Why there is nothing near to some rows."""
        finite = np.isfinite(rows).all(axis=1)
        wrong = dict.fromkeys(np.flatnonzero(~finite).tolist(), _NOT_FINITE)
        if self.gallery.metric == "cosine":
            zero = (
                f"its row is all zeros, which has no cosine; give {option('metric', 'euclidean')}"
            )
            wrong |= dict.fromkeys(np.flatnonzero(~rows.any(axis=1)).tolist(), zero)
        return wrong

    def _result(self, query: Query, found: FoundRows) -> SearchResult:
        metric, several = self.gallery.metric, self.gallery.is_multilabel
        values, labels = found.values, found.labels
        hits = make_hits(found.ids, values, labels, metric=metric, several=several)
        voted = vote(distances(values, metric), labels, several=several) if self._vote else None
        return SearchResult(query.id, hits, voted, query.labels)

    def _count(self) -> None:
        """Find no more rows than may be found, and say that they are fewer than were asked for.

        Where to count them takes a while, it is done when fewer were found.
        """
        self._is_counted = True
        there = self.gallery.count(self._selected, self._filters)
        if self._notes and self._k > there:
            left = " that the filter leaves" if self._filters else ""
            logging.getLogger("penult").warning(
                "penult: %s has %s%s, fewer than the %s asked for: all of them are found",
                self.gallery.name,
                count(there, "row"),
                left,
                count(self._k),
            )
        self._k = min(self._k, there)

    def _note_one_label(self) -> None:
        """Say that a vote is none where the rows that may be found have one label."""
        voted = self.gallery.labels_among(self._selected)
        if voted is not None and len(voted) == 1:
            logging.getLogger("penult").warning(
                "penult: the rows of %s that the filter leaves have one label, %s, which alone can "
                "be voted for",
                *(self.gallery.name, *voted),
            )
