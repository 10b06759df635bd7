"""The rows to hold out, drawn by chance: a share of all and of each class, no group divided."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import TrainingError
from penult.interface import option
from penult.partition.row_groups import index_groups
from penult.partition.stratification import stratify_labels
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MOSTLY_ALONE", "draw_groups", "draw_held_out", "draw_untrained", "union_of_labels"]

# From this part on of groups that are one row alone, they are divided as rows are, in no time.
MOSTLY_ALONE = 0.9
# Unless the rows drawn miss the share: rows of several labels by more than this part of it, groups,
# some of which may be large, by more than so much.
NEAR, NEAR_GROUPS = 0.2, 0.01

# What part of the wanted rows those of images that did not train the network have to be.
LEAST_NEW = 0.25

# Random orders to start from are tried until so many groups were looked at; one at least.
LOOKS = 20_000
MOST_STARTS, MOST_PASSES = 50, 20
# What a deviation from the share of all rows counts beside one from the shares of the classes.
WHOLE = 10


def draw_held_out(
    labels: NDArray[Any],
    groups: NDArray[np.str_] | None,
    *,
    test_size: float,
    folds: int,
    seed: int,
) -> NDArray[np.bool_]:
    """Draw the rows to hold out.

    Parameters
    ----------
    labels : array, shape (n,) int64 or (n, K) bool
        Class of each row; or its labels, where a row may have several.
    groups : str array, shape (n,), or None
        Rows of one group are drawn together; None where each stands alone.
    test_size : float
        The part to draw, in (0, 1); met as nearly as the groups allow.
    folds : int
        Rows (groups, where there are any) of each class that are to be left.
    seed : int
        Of the random choice.

    Returns
    -------
    bool array, shape (n,)
        Which rows are held out.

    Raises
    ------
    TrainingError
        If that cannot be; says which part can.
    """
    first, unit = index_groups(groups, len(labels))
    if len(first) >= MOSTLY_ALONE * len(labels):
        if labels.ndim == 2:
            shares = [1 - test_size, test_size]
            drawn = stratify_labels(union_of_labels(labels, unit), shares, seed=seed) == 1
        else:
            drawn = _draw_alone(labels[first], test_size, folds, seed)
        held: NDArray[np.bool_] = drawn[unit]
        most = NEAR * test_size if groups is None else NEAR_GROUPS
        near = abs(held.mean() - test_size) <= max(most, 2 / len(labels))
        if near and held.any() and (labels.ndim == 1 or _leaves_enough(labels, ~held, folds)):
            return held
    rows, classes = np.nonzero(labels) if labels.ndim == 2 else (np.arange(len(labels)), labels)
    classes = np.unique(classes, return_inverse=True)[1]
    counts = np.zeros((len(first), int(classes.max()) + 1))
    np.add.at(counts, (unit[rows], classes), 1)
    sizes = np.bincount(unit)
    drawn = draw_groups(sizes, counts, test_size, keep=folds, seed=seed)
    part = float(sizes[drawn].sum() / len(labels))
    # What is off by more than a group is not the groups' doing.
    if not drawn.any() or abs(part - test_size) > sizes.max() / len(labels):
        what = "rows" if groups is None else "groups"
        closest = (
            f"the closest is {option('test_size', float(f'{part:.4g}'))}"
            if drawn.any()
            else f"add images, or give fewer {option('folds')}"
        )
        raise TrainingError(
            f"of {len(first)} {what}, {100 * test_size:.3g}% cannot be held out with {folds} of "
            f"each class left, which {folds}-fold cross-validation needs; {closest}"
        )
    return drawn[unit]


def draw_untrained(
    labels: NDArray[Any],
    groups: NDArray[np.str_] | None,
    trained: NDArray[np.bool_],
    *,
    test_size: float,
    folds: int,
    seed: int,
) -> tuple[NDArray[np.bool_], bool] | None:
    """Draw the rows to hold out from those whose images did not train the network.

    As many are drawn as `draw_held_out` would of all, or all of them where there are fewer: scores
    on some of them are worth more than scores on many that the network has learnt by heart.

    Parameters
    ----------
    labels, groups, test_size, folds, seed : as for `draw_held_out`
    trained : bool array, shape (n,)
        Whose images trained the network. A row is not held out if one of its group did.

    Returns
    -------
    held_out : bool array, shape (n,)
        Which rows are held out.
    drawn : bool
        Whether chance chose among them, so that another seed gives others.

    None in place of both where the others are less than a quarter of what is asked for, or some
    class has none of them, or would have too few rows left.
    """
    first, unit = index_groups(groups, len(labels))
    touched = np.zeros(len(first), bool)
    np.logical_or.at(touched, unit, trained)
    new = np.flatnonzero(~touched[unit])
    wanted, classes = test_size * len(labels), _classes(labels)
    if len(new) < LEAST_NEW * wanted or not np.array_equal(_classes(labels[new]), classes):
        return None
    held = np.zeros(len(labels), bool)
    drawn = len(new) - wanted >= max(1, len(classes))
    if not drawn:
        held[new] = True
    else:
        together = None if groups is None else groups[new]
        try:
            held[new] = draw_held_out(
                labels[new], together, test_size=wanted / len(new), folds=0, seed=seed
            )
        except TrainingError:
            return None
    return (held, drawn) if _all_keep(labels, unit, ~held, folds) else None


def _all_keep(
    labels: NDArray[Any], unit: NDArray[np.int64], kept: NDArray[np.bool_], folds: int
) -> bool:
    # Of each class as many groups as there are folds.
    if labels.ndim == 2:
        return _leaves_enough(labels, kept, folds)
    pairs = np.unique(np.column_stack([labels[kept], unit[kept]]), axis=0)[:, 0]
    found, counts = np.unique(pairs, return_counts=True)
    return np.array_equal(found, _classes(labels)) and int(counts.min()) >= folds


def _classes(labels: NDArray[Any]) -> NDArray[np.int64]:
    return np.flatnonzero(labels.any(axis=0)) if labels.ndim == 2 else np.unique(labels)


def union_of_labels(targets: NDArray[np.bool_], unit: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Give each group all labels that its rows have, (G, K)."""
    result = np.zeros((int(unit.max()) + 1, targets.shape[1]), bool)
    np.logical_or.at(result, unit, targets)
    return result


def _leaves_enough(targets: NDArray[np.bool_], kept: NDArray[np.bool_], folds: int) -> bool:
    # Of each label as many rows as there are folds, where it has more than that.
    total, left = targets.sum(axis=0), targets[kept].sum(axis=0)
    return bool(((left >= folds) | (total <= folds)).all())


def _draw_alone(
    labels: NDArray[np.int64], test_size: float, folds: int, seed: int
) -> NDArray[np.bool_]:
    from sklearn.model_selection import train_test_split

    counts = np.unique(labels, return_counts=True)[1]
    n, classes, smallest = len(labels), len(counts), int(counts.min())
    drawn = np.zeros(n, bool)
    n_test, fits = _rows_to_draw(counts, test_size)
    possible = fits and smallest > 1
    if possible:
        _, chosen = train_test_split(
            np.arange(n), test_size=test_size, random_state=seed, stratify=labels
        )
        drawn[chosen] = True
        left = np.unique(labels[~drawn], return_counts=True)[1]
        possible = smallest <= folds or left.min() >= folds
    if not possible:
        most = n - int(np.ceil(folds * n / smallest))
        closest_part = min(max(n_test, classes), most) / n
        closest = (
            f"the closest is {option('test_size', float(f'{closest_part:.4g}'))}"
            if smallest > folds and most >= classes
            else f"add images{_without_small(counts, test_size, folds)}"
        )
        raise TrainingError(
            f"{count(n, 'image')} of {count(classes, 'class')}, the smallest of "
            f"{smallest}, are too few to hold out "
            f"{100 * test_size:.3g}% with some of every class, and {folds} of each left to train "
            f"with; {closest}"
        )
    return drawn


def _rows_to_draw(counts: NDArray[np.int64], test_size: float) -> tuple[int, bool]:
    """How many of so many rows a class; and whether each class has one drawn and one left."""
    total, classes = int(counts.sum()), len(counts)
    drawn = int(np.ceil(test_size * total))
    return drawn, classes <= drawn <= total - classes


def _without_small(counts: NDArray[np.int64], test_size: float, folds: int) -> str:
    """Say how to drop no more classes than has to be; "" where that does not help."""
    sizes = np.unique(counts).tolist()
    for dropped, least in pairwise(sizes):
        kept = counts[counts >= least]
        enough = least - int(np.ceil(test_size * least)) >= max(folds, 1)
        if enough and len(kept) >= 2 and _rows_to_draw(kept, test_size)[1]:
            return f", or drop the smallest classes with {option('min_per_class', dropped + 1)}"
    return ""


def draw_groups(
    sizes: NDArray[np.int64],
    counts: NDArray[np.float64],
    share: float,
    *,
    keep: int,
    seed: int,
) -> NDArray[np.bool_]:
    """Draw groups whose rows are as nearly `share` of all, and of each class, as can be.

    scikit-learn's grouped splitters either are not stratified or know no shares but 1/k. Here each
    group, in a random order, is drawn or put back wherever that brings the rows drawn nearer to
    what was asked for, until nothing does; of several orders the best outcome is taken.

    Parameters
    ----------
    sizes : int64 array, shape (G,)
        Rows of each group.
    counts : float64 array, shape (G, K)
        Rows of each class in each group; a row may be of several.
    share : float
        In (0, 1).
    keep : int
        Groups that each class keeps; one, where it has no more than that.
    seed : int
        Of the orders.

    Returns
    -------
    bool array, shape (G,)
        Which groups are drawn: at least one, unless all have to be kept.
    """
    rng = np.random.default_rng(seed)
    table = np.column_stack([sizes, counts])
    total = table.sum(axis=0)
    # Squared deviations, of the whole and of each class, count by these.
    weight = 1 / total.clip(1)
    weight[0] *= WHOLE * counts.shape[1]
    bound = counts > 0
    spare = bound.sum(axis=0)
    spare -= np.where(spare > keep, keep, 1)
    best, lowest = np.zeros(len(sizes), bool), np.inf
    for _ in range(int(np.clip(LOOKS // len(sizes), 1, MOST_STARTS))):
        order = rng.permutation(len(sizes))
        drawn, off = _draw(table, bound, share * total, spare, weight, order)
        value = float(weight @ off**2)
        if value < lowest:
            best, lowest = drawn, value
    return best


def _draw(
    table: NDArray[np.float64],
    bound: NDArray[np.bool_],
    wanted: NDArray[np.float64],
    spare: NDArray[np.int64],
    weight: NDArray[np.float64],
    order: NDArray[np.int64],
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    # Which groups, and by how many rows they are off what was wanted, in all and of each class.
    drawn, count = np.zeros(len(table), bool), 0
    off, spare = -wanted, spare.copy()
    # The classes first, then all: so the last moves are those that cost the classes least.
    for by in (weight * (np.arange(len(weight)) > 0), weight):
        for _ in range(MOST_PASSES):
            changed = False
            for g in order:
                sign = -1 if drawn[g] else 1
                if (sign > 0 and not (spare[bound[g]] > 0).all()) or count + sign == 0:
                    continue
                # by @ (off + sign * row)**2 - by @ off**2
                if by @ (table[g] * (2 * sign * off + table[g])) < -1e-9 or not count:
                    drawn[g], count, changed = sign > 0, count + sign, True
                    off = off + sign * table[g]
                    spare[bound[g]] -= sign
            if not changed:
                break
    return drawn, off
