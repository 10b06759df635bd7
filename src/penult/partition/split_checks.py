"""Whether rows, as they are divided, are enough to learn from; refused in one line where not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import TrainingError, UsageError
from penult.interface import option
from penult.partition.stratification import count_classes, is_of_class

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "require_rows_per_class",
    "require_split_options",
    "require_two_classes",
    "require_undivided_groups",
]


def require_split_options(*, test_size: float, seed: int, folds: int) -> None:
    """Refuse what no rows can be divided by.

    Raises
    ------
    UsageError
    """
    if not 0 < test_size < 1:
        raise UsageError(f"the held-out part is {test_size:g}; give a number between 0 and 1")
    if not 0 <= seed < 1 << 32:
        raise UsageError(f"the seed is {seed}; give a whole number from 0 to {(1 << 32) - 1}")
    if folds < 2:
        raise UsageError(f"{folds} folds cannot be cross-validated; give 2 or more")


def require_two_classes(labels: NDArray[Any], names: Sequence[str]) -> None:
    """Refuse rows of fewer than two classes; labels are (n,) int64 or (n, K) bool."""
    present = [names[int(k)] for k in np.flatnonzero(count_classes(labels, len(names)))]
    if len(present) < 2:
        what = f"one class only ({present[0]})" if present else "no class"
        raise TrainingError(
            f"the labelled rows are of {what}; a classifier needs at least two: put the images "
            "into one folder a class"
        )


def require_undivided_groups(
    groups: NDArray[np.str_], train: NDArray[np.int64], held_out: NDArray[np.int64]
) -> None:
    """Refuse parts that have rows of the same group."""
    torn = np.intersect1d(groups[train], groups[held_out])
    if len(torn):
        raise TrainingError(
            f"{len(torn)} groups have rows in both the training and the held-out split of the file "
            f"({_some(torn)}), so the score would be too good; mend the splits, or give "
            f"{option('ignore_splits', True)}"
        )


def require_rows_per_class(
    labels: NDArray[Any],
    groups: NDArray[np.str_] | None,
    train: NDArray[np.int64],
    folds: int,
    names: Sequence[str],
) -> None:
    """Refuse a training part in which a class has fewer rows, or groups of rows, than folds."""
    require_two_classes(labels[train], names)
    few, several = [], labels.ndim == 2
    for k in range(len(names)):
        mine = train[is_of_class(labels[train], k)]
        units = len(mine) if groups is None else len(np.unique(groups[mine]))
        # A class that is only in the held-out part cannot be learned; it is scored as it is.
        if 0 < units < folds:
            few.append(f"{names[k]} ({units})")
    everywhere = (
        [names[int(k)] for k in np.flatnonzero(labels[train].all(axis=0))] if several else []
    )
    if everywhere:
        raise TrainingError(
            f"every image to train with has the label {_some(everywhere)}, so there is nothing to "
            "tell it from; leave it out when extracting"
        )
    if few:
        unit = "images" if groups is None else "groups of images"
        raise TrainingError(
            f"too few {unit} to train with in {len(few)} classes: {_some(few)}; {folds}-fold "
            f"cross-validation needs {folds} in each class after the held-out part is taken: add "
            f"images, give fewer {option('folds')}, or drop small classes with "
            f"{option('min_per_class')}"
        )


def _some(names: Iterable[str], most: int = 8) -> str:
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more
