"""Parts mended: no group is in several, few rows are moved, and class shares stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["largest_shift", "mend_parts"]

# Random orders to start from are tried until so many groups were looked at; one at least.
_LOOKS, _MOST_STARTS, _PASSES = 10_000, 20, 20
_WHOLE = 10  # what a part's size counts beside one class of it, as in `partition.draw`
_MOVE = 1e-6  # what a row that is moved costs: it decides between what is as good otherwise

# Sizes and class counts of a part may be off by so much before rows that are in no divided group
# are moved as well.
_SLACK = 0.02


@dataclass(frozen=True)
class _Group:
    """Rows that stay together, and what they count.

    Attributes
    ----------
    rows : int64 array
    columns, counts : arrays, shape (c,)
        Which columns of the table of parts they count in, and how much: 0 is the size, 1 + k class
        k.
    inside : int64 array, shape (P,)
        How many of the rows were in each part.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    counts: NDArray[np.float64]
    inside: NDArray[np.int64]


def mend_parts(
    parts: NDArray[np.int64], groups: NDArray[np.int64], labels: NDArray[Any], *, seed: int = 0
) -> NDArray[np.int64]:
    """Give all rows of a group one part.

    A group that is divided goes to one of the parts in which it has rows: that which brings the
    sizes and class counts of all parts nearest to what they were, and of equals that to which the
    fewest rows have to move. Where a part is still off by more than two in a hundred, which a large
    group can do, rows that are in no divided group are moved as well.

    Parameters
    ----------
    parts : int64 array, shape (N,)
        The part of each row; rows of -1 are in none, and stay so.
    groups : int64 array, shape (N,)
        Which rows belong together.
    labels : int64 array, shape (N,), or bool array, shape (N, K)
        Class of each row, -1 for none; or its labels.
    seed : int
        Of the order in which groups are looked at.

    Returns
    -------
    int64 array, shape (N,)
        The parts; no group is in several.
    """
    total = int(parts.max(initial=-1)) + 1
    result = parts.copy()
    inside = np.flatnonzero(parts >= 0)
    target = _table(parts, labels, total)
    divided = _divided(parts, groups, inside)
    rng = np.random.default_rng(seed)
    mended = [_group(rows, parts, labels, total) for rows in divided]
    rest = parts.copy()
    for group in mended:
        rest[group.rows] = -1
    chosen, off = _choose(mended, _table(rest, labels, total) - target, _weights(target), rng)
    for group, part in zip(mended, chosen, strict=True):
        result[group.rows] = part
    _fill(result, groups, labels, divided, off, target, rng)
    return result


def _choose(
    groups: Sequence[_Group],
    rest: NDArray[np.float64],
    weight: NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[list[int], NDArray[np.float64]]:
    """The part of each group, and by how much all parts are off then; `rest` is without groups.

    Groups go, in a random order, wherever that brings all nearer to what is wanted, until nothing
    does; of several orders the best outcome is taken.
    """
    found: tuple[list[int], NDArray[np.float64]] = [], rest
    lowest = np.inf
    # The classes first, then all: so the last moves are those that cost the classes least.
    by_class = weight * (np.arange(weight.shape[1]) > 0)
    for _ in range(int(np.clip(_LOOKS // max(1, len(groups)), 1, _MOST_STARTS))):
        order = rng.permutation(len(groups))
        chosen, off = [int(group.inside.argmax()) for group in groups], rest.copy()
        for group, part in zip(groups, chosen, strict=True):
            off[part, group.columns] += group.counts
        for by in (by_class, weight):
            for _ in range(_PASSES):
                changed = False
                for k in order.tolist():
                    group, part = groups[k], chosen[k]
                    best = _best(group, part, np.flatnonzero(group.inside).tolist(), off, by)
                    if best != part:
                        _shift(group, part, best, off)
                        chosen[k], changed = best, True
                if not changed:
                    break
        moved = sum(
            len(group.rows) - int(group.inside[part])
            for group, part in zip(groups, chosen, strict=True)
        )
        value = float((weight * off**2).sum()) + _MOVE * moved
        if value < lowest:
            found, lowest = (chosen, off), value
    return found


def largest_shift(
    before: NDArray[np.int64], after: NDArray[np.int64], labels: NDArray[Any]
) -> float:
    """By how much the share of a class in a part has changed at most, in [0, 1].

    Parameters
    ----------
    before, after : int64 arrays, shape (N,)
        Parts, -1 for none.
    labels : as for `mend_parts`
    """
    total = int(max(before.max(initial=-1), after.max(initial=-1))) + 1
    shares = []
    for parts in (before, after):
        table = _table(parts, labels, total)
        shares.append(table[:, 1:] / table[:, :1].clip(1))
    return float(np.abs(shares[0] - shares[1]).max(initial=0))


def _table(parts: NDArray[np.int64], labels: NDArray[Any], total: int) -> NDArray[np.float64]:
    """Rows of each part, and of each class in it: (P, 1 + K)."""
    classes = labels.shape[1] if labels.ndim == 2 else int(labels.max(initial=-1)) + 1
    table = np.zeros((total, 1 + classes))
    rows = np.flatnonzero(parts >= 0)
    np.add.at(table[:, 0], parts[rows], 1)
    if labels.ndim == 2:
        for k in range(total):
            table[k, 1:] = labels[parts == k].sum(axis=0)
    else:
        rows = rows[labels[rows] >= 0]
        np.add.at(table, (parts[rows], 1 + labels[rows]), 1)
    return table


def _divided(
    parts: NDArray[np.int64], groups: NDArray[np.int64], inside: NDArray[np.int64]
) -> list[NDArray[np.int64]]:
    """The rows of each group that is in several parts."""
    order = inside[np.argsort(groups[inside], kind="stable")]
    if not len(order):
        return []
    starts = np.flatnonzero(np.diff(groups[order], prepend=groups[order[0]] - 1))
    lowest = np.minimum.reduceat(parts[order], starts)
    highest = np.maximum.reduceat(parts[order], starts)
    every = np.split(order, starts[1:])
    return [every[k] for k in np.flatnonzero(lowest != highest)]


def _group(
    rows: NDArray[np.int64], parts: NDArray[np.int64], labels: NDArray[Any], total: int
) -> _Group:
    if labels.ndim == 2:
        counts = labels[rows].sum(axis=0)
        classes = np.flatnonzero(counts)
        counts = counts[classes]
    else:
        classes, counts = np.unique(labels[rows][labels[rows] >= 0], return_counts=True)
    return _Group(
        rows,
        np.concatenate([[0], 1 + classes]).astype(np.int64),
        np.concatenate([[len(rows)], counts]).astype(np.float64),
        np.bincount(parts[rows], minlength=total),
    )


def _weights(target: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the square of a deviation counts, of each part's size and classes."""
    weight = 1 / target.clip(1)
    weight[:, 0] *= _WHOLE * max(1, target.shape[1] - 1)
    return weight


def _best(
    group: _Group,
    part: int,
    others: Sequence[int],
    off: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> int:
    """The part that brings all nearest to what is wanted; the one it is in, if none is better."""
    columns, counts = group.columns, group.counts
    leaving = weight[part, columns] @ (counts * (counts - 2 * off[part, columns]))
    best, lowest = part, -1e-9
    for other in others:
        if other == part:
            continue
        entering = weight[other, columns] @ (counts * (counts + 2 * off[other, columns]))
        moved = int(group.inside[part] - group.inside[other])
        cost = float(leaving + entering) + _MOVE * moved
        if cost < lowest:
            best, lowest = other, cost
    return best


def _shift(group: _Group, part: int, other: int, off: NDArray[np.float64]) -> None:
    off[part, group.columns] -= group.counts
    off[other, group.columns] += group.counts


def _fill(
    result: NDArray[np.int64],
    groups: NDArray[np.int64],
    labels: NDArray[Any],
    divided: Sequence[NDArray[np.int64]],
    off: NDArray[np.float64],
    target: NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    """Move rows that are in no divided group where a part has too many to one that has too few."""
    slack = np.maximum(1, _SLACK * target)
    if not ((np.abs(off) > slack) & (target > 0)).any():
        return
    total = len(target)
    fixed = np.zeros(len(result), bool)
    for rows in divided:
        fixed[rows] = True
    free = np.flatnonzero((result >= 0) & ~fixed)
    order = free[np.argsort(groups[free], kind="stable")]
    if not len(order):
        return
    starts = np.flatnonzero(np.diff(groups[order], prepend=groups[order[0]] - 1))
    every = np.split(order, starts[1:])
    weight, there = _weights(target), np.flatnonzero(target[:, 0])
    # The classes first, as above.
    by_class = weight * (np.arange(weight.shape[1]) > 0)
    for by in (by_class, weight):
        for k in rng.permutation(len(every)):
            part = int(result[every[k][0]])
            group = _group(every[k], result, labels, total)
            columns = group.columns[by[part, group.columns] > 0]
            # Only what lessens a surplus that is too large, or fills such a gap.
            surplus = off[part, columns] > slack[part, columns]
            gaps = (off[there][:, columns] < -slack[there][:, columns]).any(axis=1)
            others = there if surplus.any() else there[gaps]
            best = _best(group, part, others.tolist(), off, by)
            if best != part:
                _shift(group, part, best, off)
                result[every[k]] = best
