"""The label that the nearest rows vote for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from penult.records import Vote

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records.neighbors import Metric

__all__ = ["distances", "vote"]

_MAJORITY = 0.5


def vote(
    distance: NDArray[np.float64], labels: Sequence[tuple[str, ...]], *, several: bool
) -> Vote | None:
    """Have rows vote, each with the inverse of its distance.

    That is scikit-learn's ``KNeighborsClassifier(weights="distance")`` [1]_, as ``penult train
    --classifier knn`` uses it: where rows are at distance 0, they alone vote, alike. Rows without a
    label do not vote. Of labels with equally many votes, that of the nearest row wins, in place of
    the first in the alphabet.

    Parameters
    ----------
    distance : float64 array, shape (k,)
        Of each row to the query, ascending, 0 or more; see `distances`.
    labels : sequence of tuple of str, length k
        Of each row.
    several : bool
        Whether rows may have several labels: each label is then voted on by itself, by rows that
        have it and rows that do not.

    Returns
    -------
    Vote or None
        None where no row has a label.

    References
    ----------
    .. [1] Dudani, S. A. (1976). The distance-weighted k-nearest-neighbor rule. IEEE Transactions on
       Systems, Man, and Cybernetics, SMC-6(4), 325-327.
    """
    voters = [place for place, own in enumerate(labels) if own]
    if not voters:
        return None
    near = distance[voters]
    weights = (near == 0).astype(float) if near[0] == 0 else near[0] / near
    votes: dict[str, float] = {}  # in the order of the nearest row of each, which decides ties
    for weight, place in zip(weights.tolist(), voters, strict=True):
        for label in labels[place]:
            votes[label] = votes.get(label, 0.0) + weight
    total = float(weights.sum())
    ranked = sorted(votes.items(), key=lambda one: -one[1])
    shares = tuple((label, min(given / total, 1.0)) for label, given in ranked if given)
    return Vote(
        label=shares[0][0],
        confidence=shares[0][1],
        labels=tuple(label for label, share in shares if share > _MAJORITY) if several else None,
        shares=shares,
    )


def distances(values: NDArray[np.float64], metric: Metric) -> NDArray[np.float64]:
    """Turn what a search measures into distances, 0 for equal rows.

    Parameters
    ----------
    values : float64 array
        Of `metric`.
    metric : {"cosine", "euclidean"}
        A cosine becomes 1 - cosine, which scikit-learn calls the cosine distance.
    """
    return np.maximum(1 - values, 0) if metric == "cosine" else values
