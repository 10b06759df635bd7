"""What the rows of a gallery are labelled by their nearest other rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from penult.content_keys import keys_of
from penult.neighbors.glued_rows import GluedRows, Piece
from penult.records import Progress
from penult.retrieve.search.votes import distances

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.progress import Tell
    from penult.records import Features
    from penult.retrieve.index import Index

__all__ = ["VOTERS", "NeighbourVotes", "content_keys", "neighbour_votes"]

VOTERS = 10
"""Rows that vote on each, as `penult search` finds by default."""

_SPARE = 10  # more rows that are looked for, as some may be copies
_BATCH = 512


@dataclass(frozen=True, eq=False)
class NeighbourVotes:
    """What the nearest rows say of some rows.

    Attributes
    ----------
    shares : float64 array, shape (n, K)
        Of the votes for each label; rows of zeros where nobody votes.
    voters : int64 array, shape (n, VOTERS)
        The label of each whose vote counted, the nearest first; -1 where there are no more.
    """

    shares: NDArray[np.float64]
    voters: NDArray[np.int64]


def content_keys(features: Features) -> NDArray[np.uint64]:
    """Number images by their bytes: (N,), 0 where these are not known."""
    if features.content is None:
        return np.zeros(len(features), np.uint64)
    return keys_of(map(str, features.content))


def neighbour_votes(
    index: Index,
    features: Features,
    labels: NDArray[np.int64],
    places: NDArray[np.int64],
    classes: int,
    tell: Tell,
) -> NeighbourVotes:
    """Have the nearest rows of some rows vote on their labels, each row left out of its own vote.

    It is the vote of `penult.retrieve.search.votes.vote`: each of the ten nearest has the inverse
    of its distance (Dudani, 1976), rows at distance 0 alone where there are any. Left out, a row is
    judged by a rule that has not seen it [1]_. Neither do the same image, byte for byte, or rows of
    the same group vote, which would only confirm a label that they share.

    Parameters
    ----------
    index : Index
        All rows.
    features : Features
        What is known of them.
    labels : int64 array, shape (N,)
        Of all rows, below `classes`; -1 for none, which do not vote.
    places : int64 array, shape (n,)
        Of the rows to judge, ascending.
    classes : int
        How many labels there are, K.
    tell : callable
        Told of rows that were judged.

    Raises
    ------
    SearchError
        If a row cannot be searched for.

    References
    ----------
    .. [1] Wilson, D. L. (1972). Asymptotic properties of nearest neighbor rules using edited data.
       IEEE Transactions on Systems, Man, and Cybernetics, SMC-2(3), 408-421.
    """
    shares = np.zeros((len(places), classes))
    voters = np.full((len(places), VOTERS), -1, np.int64)
    allowed = None if (labels >= 0).all() else labels >= 0
    if not (labels >= 0).any():
        return NeighbourVotes(shares, voters)
    keys, groups = content_keys(features), _groups(features)
    rows = GluedRows([Piece(index.rows, places)])
    for start in range(0, len(places), _BATCH):
        tell(Progress(start, len(places), 0, stage="neighbours", unit="rows"))
        part = slice(start, min(start + _BATCH, len(places)))
        own = places[part]
        found = index.search(rows[part], VOTERS + _SPARE, leave_out=own, allowed=allowed)
        at = found.places
        votes = (at >= 0) & ~_same(keys, own, at)
        if groups is not None:
            votes &= groups[own, None] != groups[at]
        votes &= votes.cumsum(axis=1) <= VOTERS
        weights = _weights(distances(found.values, index.metric), votes)
        votes &= weights > 0
        line, column = np.nonzero(votes)
        label = labels[at[line, column]]
        np.add.at(shares[part], (line, label), weights[line, column])
        voters[part][line, votes.cumsum(axis=1)[line, column] - 1] = label
    total = shares.sum(axis=1, keepdims=True)
    np.divide(shares, total, out=shares, where=total > 0)
    return NeighbourVotes(shares, voters)


def _same(
    keys: NDArray[np.uint64], own: NDArray[np.int64], at: NDArray[np.int64]
) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = (keys[own, None] == keys[at]) & (keys[own, None] > 0)
    return same


def _groups(features: Features) -> NDArray[np.int64] | None:
    if features.groups is None:
        return None
    numbers: dict[str, int] = {}
    found = [numbers.setdefault(str(one), len(numbers)) for one in features.groups]
    return np.array(found, np.int64)


def _weights(distance: NDArray[np.float64], votes: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The inverse of each distance, by the nearest voter's; see `votes.vote`."""
    distance = np.where(votes, distance, np.inf)
    near = distance.min(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        weights = np.where(near == 0, distance == 0, near / distance)
    return np.where(votes, weights, 0.0)
