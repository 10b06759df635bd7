"""The rows that a search found for one query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from penult.records.hit import Hit
from penult.records.vote import Vote
from penult.representation import short_repr

__all__ = ["SearchResult"]


@short_repr
@dataclass(frozen=True)
class SearchResult:
    """The rows that a search found for one query.

    Attributes
    ----------
    query : str
        The query's id: a photo's, or that of a row.
    hits : tuple of Hit
        The rows found, nearest first; fewer than were asked for where there are no more.
    vote : Vote or None
        What the hits say of the query's label; None where it was not asked for, and where none of
        the hits has a label.
    labels : tuple of str
        The labels that the query itself has, where they are known; they play no part in the search.
    """

    query: str
    hits: tuple[Hit, ...]
    vote: Vote | None = None
    labels: tuple[str, ...] = ()

    def is_right(self, hit: Hit) -> bool | None:
        """Whether a hit has one of the query's labels; None where either has none.

        Parameters
        ----------
        hit : Hit
            One of `hits`.

        Returns
        -------
        bool or None
            True for a right one.
        """
        if not self.labels or not hit.all_labels:
            return None
        return not set(self.labels).isdisjoint(hit.all_labels)

    def to_dict(self, *, vote: bool | None = None) -> dict[str, Any]:
        """Write it as what JSON can hold: the line of ``penult search --json``.

        Parameters
        ----------
        vote : bool, optional
            Whether ``vote`` is in it; by default where there is one. Where it is asked for and
            there is none, it is None.

        Returns
        -------
        dict
            ``query``, ``hits``, and ``vote``.
        """
        fields: dict[str, Any] = {"query": self.query, "hits": [hit.to_dict() for hit in self.hits]}
        if vote or (vote is None and self.vote is not None):
            fields["vote"] = None if self.vote is None else self.vote.to_dict()
        return fields
