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
from penult.retrieve.search.filters import allowed_rows
from penult.retrieve.search.queries import Query, QueryBatch
from penult.retrieve.search.votes import distances, vote
from penult.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from penult.records import Features, Neighbors
    from penult.retrieve.search.gallery import Gallery

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
    gallery : Gallery
    k : int
        Rows to find for each query.
    filters : sequence of str
        See `allowed_rows`.
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
        gallery: Gallery,
        *,
        k: int,
        filters: Sequence[str] = (),
        vote: bool = False,
        notes: bool = True,
    ) -> None:
        if k < 1:
            raise UsageError(f"k is {k}; give 1 or more")
        features = gallery.features
        if vote and (features is None or not features.labelled):
            raise UsageError(
                f"{gallery.name} has no labels to vote for; leave out {option('vote', True)}, or "
                f"extract it again with labels (see {option('labels')})"
            )
        self.gallery = gallery
        self._allowed = allowed_rows(gallery, filters)
        there = len(gallery.index) if self._allowed is None else int(self._allowed.sum())
        self._k, self._vote = min(k, there), vote
        if not notes:
            return
        if vote and self._allowed is not None:
            _note_one_label(gallery, self._allowed)
        if k > there:
            left = "" if self._allowed is None else " that the filter leaves"
            logging.getLogger("penult").warning(
                "penult: %s has %s%s, fewer than the %s asked for: all of them are found",
                gallery.name,
                count(there, "row"),
                left,
                count(k),
            )

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
        found: Neighbors | None = None
        if good:
            places = np.array([queries[k].place for k in good], np.int64)
            found = self.gallery.index.search(
                batch.rows[good], self._k, leave_out=places, allowed=self._allowed
            )
        row = answered = 0
        for outcome in batch.outcomes:
            if isinstance(outcome, Failure):
                yield outcome
                continue
            if row in wrong:
                yield Failure(outcome.id, wrong[row])
            elif found is not None:
                result = self._result(outcome, found.places[answered], found.values[answered])
                yield Answer(result, outcome, batch.features)
                answered += 1
            row += 1

    def _wrong(self, rows: NDArray[np.float32]) -> dict[int, str]:
        """Why there is nothing near to some rows."""
        finite = np.isfinite(rows).all(axis=1)
        wrong = dict.fromkeys(np.flatnonzero(~finite).tolist(), _NOT_FINITE)
        if self.gallery.index.metric == "cosine":
            zero = (
                f"its row is all zeros, which has no cosine; give {option('metric', 'euclidean')}"
            )
            wrong |= dict.fromkeys(np.flatnonzero(~rows.any(axis=1)).tolist(), zero)
        return wrong

    def _result(
        self, query: Query, places: NDArray[np.int64], values: NDArray[np.float64]
    ) -> SearchResult:
        places, values = places[places >= 0], values[places >= 0]
        gallery = self.gallery
        labels = [gallery.labels(int(place)) for place in places]
        metric, several = gallery.index.metric, gallery.is_multilabel
        ids = [str(gallery.index.ids[place]) for place in places]
        hits = make_hits(ids, values, labels, metric=metric, several=several)
        voted = vote(distances(values, metric), labels, several=several) if self._vote else None
        return SearchResult(query.id, hits, voted, query.labels)


def _note_one_label(gallery: Gallery, allowed: NDArray[np.bool_]) -> None:
    """Say that a vote is none where the rows that may be found have one label."""
    features = gallery.features
    assert features is not None
    if features.targets is not None:
        labels = np.flatnonzero(np.asarray(features.targets)[allowed].any(axis=0))
    else:
        labels = np.unique(np.asarray(features.labels)[allowed])
    voted = [features.label_names[k] for k in labels.tolist() if k >= 0]
    if len(voted) == 1:
        logging.getLogger("penult").warning(
            "penult: the rows of %s that the filter leaves have one label, %s, which alone can be "
            "voted for",
            *(gallery.name, *voted),
        )
