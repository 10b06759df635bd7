"""Which rows train a classifier, which are held out, and how the training rows fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import TrainingError
from penult.interface import option
from penult.partition.draw import MOSTLY_ALONE, draw_held_out, draw_untrained, union_of_labels
from penult.partition.row_groups import content_numbers, find_groups, index_groups
from penult.partition.split_checks import (
    require_labels,
    require_rows_per_class,
    require_split_options,
    require_two_classes,
    require_two_to_train_with,
    require_undivided_groups,
    telling_of_unlabelled,
)
from penult.partition.stratification import count_classes, is_labelled, is_of_class, stratify_labels
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features

__all__ = ["Fold", "Split", "cross_validation", "hold_out", "hold_out_plainly"]

Fold = tuple["NDArray[np.int64]", "NDArray[np.int64]"]


@dataclass(frozen=True, kw_only=True)
class Split:
    """How the rows of one feature file are divided.

    Attributes
    ----------
    train : int64 array, shape (n_train,)
        Row numbers, ascending.
    held_out : int64 array, shape (n_held_out,)
        Row numbers, ascending; none is in both parts.
    description : str
        How they were chosen, in words.
    left_out : mapping of str to int
        Reason to number of rows that are in neither part.
    dropped : tuple of int
        Classes that were left out, indices into the label names.
    drawn : bool
        Whether chance chose it, so that another seed gives another.
    copies : int
        Rows in the parts whose image is, byte for byte, that of a row before.
    trained_network : int or None
        How many of the held-out images trained the network that made the rows; None where that is
        not known.
    """

    train: NDArray[np.int64]
    held_out: NDArray[np.int64]
    description: str
    left_out: Mapping[str, int]
    dropped: tuple[int, ...] = ()
    drawn: bool = False
    copies: int = 0
    trained_network: int | None = None


def hold_out_plainly(
    features: Features,
    *,
    test_size: float = 0.25,
    seed: int = 0,
    folds: int = 3,
    cross_validated: bool = True,
    stored: bool = True,
    min_per_class: int = 0,
    in_test_file: NDArray[np.bool_] | None = None,
) -> Split:
    """Divide the labelled rows into a training part and a held-out part.

    The splits stored in the feature file are used if it has any: rows of "test" are held out, or
    those of "validation" where there is no "test"; all others train. Without stored splits a
    stratified random part is held out. Rows of one group are never divided, nor are identical
    images (`find_groups`): where the file's own splits divide those, the training part goes
    without.

    Where some of the images trained the network that made the rows (`Features.trained_network`),
    the random part is drawn from the others, or is all of these, if they are enough: see
    `penult.partition.draw.draw_untrained`.

    Parameters
    ----------
    features : Features
        Rows with labels.
    test_size : float, default=0.25
        The part held out where the file does not say, in (0, 1); met as nearly as the groups
        allow, and `Split.description` has what came of it.
    seed : int, default=0
        Of the random choice.
    folds : int, default=3
        Every class must have that many rows (groups, where there are any) left to train with.
    cross_validated : bool, default=True
        Whether they are for folds, and the caller can be told to ask for fewer.
    stored : bool, default=True
        Whether the splits stored in the file count.
    min_per_class : int, default=0
        Classes with fewer labelled rows than this are left out; 0 keeps all.
    in_test_file : bool array, shape (N,), optional
        Where the held-out rows are in another file: which of these images are there too. All
        labelled rows train but those; where that leaves none, all do, and the description says so.

    Returns
    -------
    Split
        The two parts.

    Raises
    ------
    UsageError
        For a `test_size` that is no fraction, a `seed` that is none, or fewer than two `folds`.
    TrainingError
        If there are too few labels, classes, rows or groups; names the classes and what to do.
    """
    require_split_options(test_size=test_size, seed=seed, folds=folds)
    labels: NDArray[Any] = np.asarray(features.labels)
    if features.targets is not None:
        labels = np.array(features.targets, bool)
    rows = np.flatnonzero(is_labelled(labels))
    require_labels(len(rows), len(labels), features.origin)
    left_out = {"unlabelled": len(labels) - len(rows)} if len(rows) < len(labels) else {}
    small = _small_classes(labels, features.label_names, min_per_class)
    if small:
        for k in small:
            reason = (
                f"class {features.label_names[k]} has fewer than {count(min_per_class, 'image')}"
            )
            left_out[reason] = int(is_of_class(labels, k).sum())
        # An image of several labels stays with those that are left.
        if labels.ndim == 2:
            labels[:, small] = False
            rows = rows[is_labelled(labels[rows])]
        else:
            rows = rows[~np.isin(labels[rows], small)]
    require_two_classes(
        labels[rows],
        features.label_names,
        dropped=[features.label_names[k] for k in small],
        min_per_class=min_per_class,
        origin=features.origin,
    )

    drawn, copies = False, 0
    splits = np.asarray(features.splits if stored and features.splits is not None else [])
    groups, digests = find_groups(features), content_numbers(features)
    grouped = features.groups is not None
    trained = features.trained_network
    if in_test_file is not None:
        train, held_out, description = rows[~in_test_file[rows]], rows[:0], "another file"
        if not len(train):
            train, description = rows, "another file, which holds every image that trained it"
        elif copies := len(rows) - len(train):
            left_out["images that are in the test features as well"] = copies
    elif (splits == "test").any() or (splits == "validation").any():
        train, held_out, description, unnamed = _stored(splits, rows)
        if unnamed:
            left_out["in no split"] = unnamed
        twins = np.isin(digests[train], digests[held_out])
        if copies := int(twins.sum()):
            left_out["copies of held-out images, in the training split"] = copies
            train = train[~twins]
    else:
        together = None if groups is None else groups[rows]
        if together is not None:
            require_rows_per_class(
                labels,
                groups,
                rows,
                folds,
                features.label_names,
                grouped=grouped,
                cross_validated=cross_validated,
            )
        kind = "stratified" if features.groups is None else "stratified, groups kept together"
        new = None
        if trained is not None and trained[rows].any():
            new = draw_untrained(
                labels[rows], together, trained[rows], test_size=test_size, folds=folds, seed=seed
            )
        if new is not None:
            held, drawn = new
            kind += ", all of them images that did not train the network"
        else:
            held = draw_held_out(
                labels[rows], together, test_size=test_size, folds=folds, seed=seed
            )
            drawn = True
        train, held_out = rows[~held], rows[held]
        part = float(held.mean())
        asked = f" instead of {100 * test_size:.3g}%" if abs(part - test_size) >= 0.005 else ""
        description = f"{100 * part:.3g}% held out{asked}, {kind}, seed {seed}"
    if grouped:
        require_undivided_groups(np.asarray(features.groups), train, held_out)
    require_two_to_train_with(
        labels[train],
        features.label_names,
        copies=copies,
        another_file=in_test_file is not None,
    )
    require_rows_per_class(
        labels,
        groups,
        train,
        folds,
        features.label_names,
        grouped=grouped,
        copies=copies,
        cross_validated=cross_validated,
    )
    return Split(
        train=train,
        held_out=held_out,
        description=description,
        left_out=left_out,
        dropped=tuple(small),
        drawn=drawn,
        copies=len(train)
        + len(held_out)
        - len(np.unique(digests[np.concatenate([train, held_out])])),
        trained_network=None if trained is None else int(trained[held_out].sum()),
    )


hold_out = telling_of_unlabelled(hold_out_plainly)
"""`hold_out_plainly`, which says of too few labelled rows how many others have no label."""


def cross_validation(
    labels: NDArray[Any],
    groups: NDArray[np.str_] | None,
    *,
    folds: int = 3,
    seed: int = 0,
) -> list[Fold]:
    """Divide the training part into stratified folds; rows of one group stay in one fold.

    Parameters
    ----------
    labels : array, shape (n,) int64 or (n, K) bool
        Class of each row; or its labels, where a row may have several.
    groups : str array, shape (n,), or None
        Group of each row; None where each row stands alone.
    folds : int, default=3
        Number of folds.
    seed : int, default=0
        Of the random choice.

    Returns
    -------
    list of (train, test)
        Positions in `labels`; every row is in exactly one test part.

    Raises
    ------
    TrainingError
        If a class would be missing from the training part of a fold.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    first, unit = index_groups(groups, len(labels))
    if labels.ndim == 2:
        part = stratify_labels(union_of_labels(labels, unit), [1 / folds] * folds, seed=seed)[unit]
        tests = [np.flatnonzero(part == fold) for fold in range(folds)]
    elif len(first) >= MOSTLY_ALONE * len(labels):
        # scikit-learn's grouped folds take a second for 5,000 groups.
        divided = StratifiedKFold(folds, shuffle=True, random_state=seed).split(
            first, labels[first]
        )
        tests = [np.flatnonzero(np.isin(unit, test)) for _, test in divided]
    else:
        tests = [
            test
            for _, test in StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(
                labels, labels, groups
            )
        ]
    everything = np.arange(len(labels))
    result = [(np.setdiff1d(everything, test), test.astype(np.int64)) for test in tests]
    classes = labels.shape[1] if labels.ndim == 2 else int(labels.max()) + 1
    present = count_classes(labels, classes) > 0
    for train, _ in result:
        absent = int((present & (count_classes(labels[train], classes) == 0)).sum())
        if absent:
            raise TrainingError(
                f"the groups cannot be divided into {folds} folds with every class in each "
                f"training part ({absent} classes would be missing); give fewer folds or "
                "more groups a class"
            )
    return result


def _small_classes(labels: NDArray[Any], names: Sequence[str], min_per_class: int) -> list[int]:
    counts = count_classes(labels, len(names))
    return [k for k, n in enumerate(counts) if 0 < n < min_per_class]


def _stored(
    splits: NDArray[np.str_], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], str, int]:
    named = splits[rows]
    held_name = "test" if (named == "test").any() else "validation"
    held_out = rows[named == held_name]
    if (named == "train").any():
        train = rows[(named != held_name) & (named != "")]
        unnamed = int((named == "").sum())
    else:
        train, unnamed = rows[named != held_name], 0
    if not len(train) or not len(held_out):
        part = "test" if not len(train) else "train"
        raise TrainingError(
            f"every labelled row is in the split {part!r}, so there is nothing to "
            f"{'train on' if part == 'test' else 'score with'}; give "
            f"{option('ignore_splits', True)} to hold out a random part"
        )
    also = " and validation" if (splits[train] == "validation").any() else ""
    description = f"the file's split {held_name!r}, trained on its 'train'{also}"
    return train, held_out, description, unnamed
