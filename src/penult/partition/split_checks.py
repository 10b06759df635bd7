"""Whether rows, as they are divided, are enough to learn from; refused in one line where not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from penult.arguments import require_seed
from penult.errors import TrainingError, UsageError
from penult.interface import option
from penult.partition.stratification import count_classes, is_labelled, is_of_class
from penult.wording import count, listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features

__all__ = [
    "require_labels",
    "require_rows_per_class",
    "require_split_options",
    "require_two_classes",
    "require_two_to_train_with",
    "require_undivided_groups",
    "telling_of_unlabelled",
    "without_labels",
]

P = ParamSpec("P")
Result = TypeVar("Result")


def require_split_options(*, test_size: float, seed: int, folds: int) -> None:
    """Refuse what no rows can be divided by.

    Raises
    ------
    UsageError
    """
    if not 0 < test_size < 1:
        raise UsageError(f"{option('test_size')} is {test_size:g}; give a number between 0 and 1")
    require_seed(seed)
    if folds < 2:
        raise UsageError(f"{folds} folds cannot be cross-validated; give 2 or more")


def require_labels(count: int, rows: int, origin: Mapping[str, Any]) -> None:
    """Refuse rows of which none has a label, and say why that may be.

    Parameters
    ----------
    count : labelled rows
    rows : all of them
    origin : how the labels were made, as a feature file has it
    """
    if not count:
        raise TrainingError(without_labels(rows, origin, "there is nothing to learn"))


def without_labels(rows: int, origin: Mapping[str, Any], consequence: str) -> str:
    """Say that no row has a label, what follows from it, and what to do.

    Parameters
    ----------
    rows : how many there are
    origin : how the labels were made, as a feature file has it
    consequence : what cannot be done
    """
    labels, pattern = origin.get("labels", ""), origin.get("label_pattern")
    if pattern is not None:
        why = f"the pattern {pattern!r} matched no file name; extract again with another one"
    elif labels == "none":
        why = (
            f"they were extracted with {option('labels', 'none')}; extract again without it, from "
            "one folder a class"
        )
    elif labels in ("", "parent"):
        why = (
            "put the images into one folder a class, or extract again with "
            f"{option('labels')} or {option('label_pattern')}"
        )
    else:
        why = f"the labels of {labels} are of other images; extract again with those of these"
    which = "the 1 row has no" if rows == 1 else f"none of the {rows:,} rows has a"
    return f"{which} label, so {consequence}; {why}"


def telling_of_unlabelled(
    function: Callable[Concatenate[Features, P], Result],
) -> Callable[Concatenate[Features, P], Result]:
    """Have a function that finds too few labelled rows say how many others have no label."""

    @wraps(function)
    def call(features: Features, /, *args: P.args, **kwargs: P.kwargs) -> Result:
        try:
            return function(features, *args, **kwargs)
        except TrainingError as error:
            labels = np.asarray(features.labels if features.targets is None else features.targets)
            without = np.flatnonzero(~is_labelled(labels))
            if not 0 < len(without) < len(labels):
                raise
            raise TrainingError(f"{error}; {_without_label(features, without)}") from error

    return call


def _without_label(features: Features, without: NDArray[np.intp]) -> str:
    have = "has" if len(without) == 1 else "have"
    told = f"{count(len(without), 'other image')} {have} no label"
    if all("/" not in str(features.ids[k]) for k in without):
        told += ", for they lie directly in the folder: put them into one folder a class"
    return told


def require_two_classes(
    labels: NDArray[Any],
    names: Sequence[str],
    *,
    dropped: Sequence[str] = (),
    min_per_class: int = 0,
    origin: Mapping[str, Any] | None = None,
) -> None:
    """Refuse labelled rows of fewer than two classes.

    Parameters
    ----------
    labels : (n,) int64 or (n, K) bool
    names : of the K classes
    dropped : classes that were left out, for they are small
    min_per_class : what they were too small for
    origin : how the labels were made, as a feature file has it
    """
    present = _present(labels, names)
    if len(present) >= 2:
        return
    what = f"one class only ({present[0]})" if present else "no class"
    if dropped:
        given = option("min_per_class", min_per_class)
        remedy = (
            f"{given} left out {count(len(dropped), 'class')}, {listed(dropped)}; give a smaller "
            "number, or add images"
        )
    elif (origin or {}).get("labels", "parent") == "parent" and not (origin or {}).get(
        "label_pattern"
    ):
        remedy = "put the images into one folder a class"
    else:
        remedy = "add images of another, or extract again with other labels"
    raise TrainingError(
        f"the labelled rows are of {what}; a classifier needs at least two: {remedy}"
    )


def require_two_to_train_with(
    labels: NDArray[Any], names: Sequence[str], *, copies: int = 0, another_file: bool = False
) -> None:
    """Refuse a training part of fewer than two classes, where all labelled rows have more.

    Parameters
    ----------
    labels : (n,) int64 or (n, K) bool, of the training part
    names : of the K classes
    copies : rows that it went without, being copies of held-out ones
    another_file : whether those are in another file
    """
    present = _present(labels, names)
    if len(present) >= 2:
        return
    held = "the test features have" if another_file else "the held-out split has"
    what = f"images of one class only ({present[0]})" if present else "no image"
    left = "" if not copies else f", once {count(copies, 'image')} that {held} too are left out"
    ignore = "" if another_file else f", or give {option('ignore_splits', True)}"
    mend = f"score with other images{ignore}" if copies else f"mend the splits{ignore}"
    raise TrainingError(
        f"the training part has {what}{left}, and a classifier needs at least two classes; {mend}"
    )


def _present(labels: NDArray[Any], names: Sequence[str]) -> list[str]:
    return [names[int(k)] for k in np.flatnonzero(count_classes(labels, len(names)))]


def require_undivided_groups(
    groups: NDArray[np.str_], train: NDArray[np.int64], held_out: NDArray[np.int64]
) -> None:
    """Refuse parts that have rows of the same group."""
    torn = np.intersect1d(groups[train], groups[held_out])
    if len(torn):
        raise TrainingError(
            f"{count(len(torn), 'group')} with rows in both the training and the held-out split of "
            f"the file ({listed(torn)}), so the score would be too good; mend the splits, or give "
            f"{option('ignore_splits', True)}"
        )


def require_rows_per_class(
    labels: NDArray[Any],
    groups: NDArray[np.str_] | None,
    train: NDArray[np.int64],
    folds: int,
    names: Sequence[str],
    *,
    grouped: bool = False,
    copies: int = 0,
    cross_validated: bool = True,
) -> None:
    """Refuse a training part in which a class has fewer rows, or groups of rows, than folds.

    Parameters
    ----------
    labels : (n,) int64 or (n, K) bool
    groups : (n,) which rows are not to be parted, or None
    train : numbers of the rows to train with
    folds : of the cross-validation
    names : of the K classes
    grouped : whether the file names groups; without, those that there are hold identical images
    copies : rows that the training part went without, being copies of held-out ones
    cross_validated : whether there will be folds at all; without, that many rows are needed
    """
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
            f"every image to train with has the label {listed(everywhere)}, so there is nothing to "
            "tell it from; leave it out when extracting"
        )
    if few:
        unit = "images" if groups is None else "groups of images" if grouped else "different images"
        same = " (identical ones count once)" if unit == "different images" else ""
        left = f", {count(copies, 'copy', 'copies')} of held-out images left out" if copies else ""
        needed, instead = f"each class needs {folds}", "leave small classes out"
        if cross_validated:
            needed = f"{folds}-fold cross-validation needs {folds} in each class"
            instead = (
                f"give fewer {option('folds')}, or drop small classes with "
                f"{option('min_per_class', folds)}"
            )
        raise TrainingError(
            f"too few {unit} to train with in {count(len(few), 'class')}: "
            f"{listed(few)}{same}{left}; {needed} after the held-out part is taken: add images, "
            f"{'' if cross_validated else 'or '}{instead}"
        )
