"""Dividing rows of several labels so that each label has its share in every part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["count_classes", "is_labelled", "is_of_class", "stratify_labels"]


def is_labelled(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Say which rows have a label, (n,): of (n,) int64, -1 being none, or of (n, K) bool."""
    return np.asarray(labels.any(axis=1) if labels.ndim == 2 else labels >= 0)


def is_of_class(labels: NDArray[Any], k: int) -> NDArray[np.bool_]:
    """Say which rows are of class `k`, (n,)."""
    found: NDArray[np.bool_] = labels[:, k] if labels.ndim == 2 else labels == k
    return found


def count_classes(labels: NDArray[Any], classes: int) -> NDArray[np.int64]:
    """Count the rows of each class, (K,)."""
    if labels.ndim == 2:
        counts: NDArray[np.int64] = labels.sum(axis=0, dtype=np.int64)
        return counts
    return np.bincount(labels[labels >= 0], minlength=classes)


def stratify_labels(
    targets: NDArray[np.bool_], shares: Sequence[float], *, seed: int
) -> NDArray[np.int64]:
    """Divide rows of several labels into parts, each label as nearly by the shares as can be.

    Iterative stratification (Sechidis, Tsoumakas & Vlahavas, "On the Stratification of Multi-Label
    Data", ECML PKDD 2011, algorithm 1): the label with the fewest rows left is dealt out first,
    each of its rows to the part that lacks that label most, then to the part that lacks rows most.

    Parameters
    ----------
    targets : bool array, shape (n, K)
        The labels of each row.
    shares : sequence of float
        Of each part, with sum 1.
    seed : int
        Decides between parts that lack the same.

    Returns
    -------
    int64 array, shape (n,)
        Each row's part.
    """
    rng = np.random.default_rng(seed)
    share = np.asarray(shares, float)
    wanted = share * len(targets)
    lacking = share[:, None] * targets.sum(axis=0)
    part = np.full(len(targets), -1)
    left = targets.sum(axis=0).astype(float)
    order = rng.permutation(len(targets))

    def deal(row: int, chosen: NDArray[np.int64]) -> None:
        most = chosen[wanted[chosen] >= wanted[chosen].max() - 1e-9]
        place = int(rng.choice(most))
        part[row] = place
        wanted[place] -= 1
        lacking[place, targets[row]] -= 1
        left[targets[row]] -= 1

    while (left > 0).any():
        label = int(np.where(left > 0, left, np.inf).argmin())
        for row in order[targets[order, label] & (part[order] < 0)]:
            need = lacking[:, label]
            deal(int(row), np.flatnonzero(need >= need.max() - 1e-9))
    for row in order[part[order] < 0]:
        deal(int(row), np.arange(len(share)))
    return part
