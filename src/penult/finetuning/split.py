"""Which photos train a network, which stop its training, and which score it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import TrainingError
from penult.interface import option
from penult.machine import free_memory
from penult.partition.near_duplicates import join_near_duplicates
from penult.partition.row_groups import find_groups, index_groups
from penult.partition.split_checks import telling_of_unlabelled
from penult.partition.splits import Split, hold_out_plainly
from penult.partition.stratification import count_classes, is_labelled
from penult.wording import count, listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.finetuning.options import FinetuneOptions
    from penult.records import Features

__all__ = ["Parts", "divide"]

_NAMES = ("train", "validation", "test")

_LEAST = {3: 4, 2: 3}
"""By the number of parts: photos, or groups, of a class of which each part gets one, and training
two."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """How labelled photos are divided into three parts; no group and no copy is in two.

    Attributes
    ----------
    train, validation, test : int64 array
        Row numbers, ascending: those that are learned from; those by which the training is
        stopped, weights are averaged and probabilities calibrated; and those that are looked at
        once, in the end. There may be none of these.
    description : str
        How the test part was chosen, in words; empty where there is none.
    units : int64 array, shape (N,)
        The same number to rows that tell no more than one: identical photos, near-duplicates, and
        those of one group.
    only_train : tuple of str
        Classes of so few photos that all of them train, and none is scored.
    """

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]
    description: str
    units: NDArray[np.int64]
    only_train: tuple[str, ...] = ()

    def left_out(self, features: Features) -> dict[str, int]:
        """Reason to the number of photos in no part.

        Parameters
        ----------
        features : Features
            What was divided.
        """
        used = np.concatenate([self.train, self.validation, self.test])
        rest = np.setdiff1d(np.arange(len(self.units)), used)
        bare = ~is_labelled(_labels(features)[rest])
        splits = None if features.splits is None else np.asarray(features.splits)[rest]
        apart = np.zeros(len(rest), bool) if splits is None else ~np.isin(splits, _NAMES) & ~bare
        # A photo with a label and a split is left out where it tells what another part asks.
        grouped = np.zeros(len(rest), bool)
        if features.groups is not None:
            groups = np.asarray(features.groups)
            scored = np.concatenate([self.validation, self.test])
            grouped = np.isin(groups[rest], groups[scored])
        others = ~bare & ~apart
        reasons = {
            "without a label": bare,
            "in no split": apart,
            "of one group with photos in another part": others & grouped,
            "copies of photos in another part": others & ~grouped,
        }
        return {why: int(which.sum()) for why, which in reasons.items() if which.any()}

    def tell_unscored(self) -> None:
        """Log the classes of which none is scored."""
        if self.only_train:
            logging.getLogger("penult").warning(
                "penult: %s of too few photos to be divided into %s parts (%s): all of them "
                "train, and none is scored",
                count(len(self.only_train), "class"),
                "three" if len(self.test) else "two",
                listed(self.only_train, 5),
            )


@telling_of_unlabelled
def divide(features: Features, options: FinetuneOptions) -> Parts:
    """Divide the labelled rows of a feature file into three parts, or two.

    The splits that the file has are used where it names a test or a validation part. What it lacks
    is drawn by chance, stratified; photos that are near-duplicates stay together, as do identical
    ones and those of one group. Where the file's own splits divide such, training goes without.
    With a `test_size` of 0, there is a test part only where the file names one.

    Parameters
    ----------
    features : Features
        Rows with labels.
    options : FinetuneOptions
        How large the parts are, and the seed.

    Returns
    -------
    Parts

    Raises
    ------
    TrainingError
        If there are too few labels, classes or photos.
    """
    joined = join_near_duplicates(features, options.near_duplicates, free_memory() // 2)
    groups = find_groups(joined)
    _, units = index_groups(groups, len(joined))
    stored = not options.ignore_splits
    named = np.asarray(joined.splits if stored and joined.splits is not None else [])
    tested = options.test_size > 0 or bool((named == "test").any())
    parts = 3 if tested else 2
    small = _too_small(joined, units, parts)
    _require_large(joined, small, options.near_duplicates, parts)
    scored = _without(joined, np.isin(np.arange(len(joined)), _of_classes(joined, small)))
    if scored.targets is not None:  # rare labels go where the others of their photos do
        scored = replace(scored, targets=_without_labels(scored.targets, small))
    only_train = tuple(str(joined.label_names[k]) for k in small) if joined.targets is None else ()
    if not tested:
        only = _hold_out_to_validate(scored, options, stored=stored)
        train = np.union1d(only.train, _alone(joined, small, only.held_out, units))
        _require_learnt(joined, train, only.held_out)
        return Parts(
            train=train.astype(np.int64),
            validation=only.held_out,
            test=only.held_out[:0],
            description="",
            units=units,
            only_train=only_train,
        )
    # Where the file names a test part, none is drawn, whatever its size.
    size = options.test_size or options.validation_size
    first = _hold_out(scored, size, options.seed, stored=stored)
    train, validation = first.train, first.train[:0]
    if len(named) and (named == "test").any():
        validation = train[named[train] == "validation"]
        train = train[~np.isin(units[train], units[validation])]
        train = train[named[train] != "validation"]
    if not len(validation):
        rest = _without(scored, ~np.isin(np.arange(len(joined)), train))
        second = _hold_out_to_validate(rest, options, stored=False)
        train, validation = second.train, second.held_out
    train = np.union1d(train, _alone(joined, small, np.union1d(validation, first.held_out), units))
    _require_learnt(joined, train, np.union1d(validation, first.held_out))
    return Parts(
        train=train.astype(np.int64),
        validation=validation,
        test=first.held_out,
        description=first.description,
        units=units,
        only_train=only_train,
    )


def _hold_out(features: Features, size: float, seed: int, *, stored: bool) -> Split:
    # Plainly: of rows that are put aside here, it would tell that they have no label.
    return hold_out_plainly(
        features, test_size=size, seed=seed, folds=2, cross_validated=False, stored=stored
    )


def _hold_out_to_validate(features: Features, options: FinetuneOptions, *, stored: bool) -> Split:
    try:
        return _hold_out(features, options.validation_size, options.seed, stored=stored)
    except TrainingError as error:
        told = str(error).replace(option("test_size"), option("validation_size"))
        raise TrainingError(f"no part to validate on can be drawn: {told}") from error


def _labels(features: Features) -> NDArray[Any]:
    return np.asarray(features.labels if features.targets is None else features.targets)


def _too_small(features: Features, units: NDArray[np.int64], parts: int) -> list[int]:
    """Classes of which there are too few photos to have some in each part."""
    if features.targets is not None:
        rows, labels = np.nonzero(features.targets)
        pairs = np.column_stack([labels, units[rows]])
    else:
        labels = np.asarray(features.labels)
        pairs = np.column_stack([labels[labels >= 0], units[labels >= 0]])
    counts = count_classes(np.unique(pairs, axis=0)[:, 0], len(features.label_names))
    return [k for k, n in enumerate(counts) if 0 < n < _LEAST[parts]]


def _require_large(features: Features, small: list[int], cosine: float, parts: int) -> None:
    """Refuse photos of which no two classes are large enough to be scored."""
    counts = count_classes(_labels(features), len(features.label_names))
    present = int((counts > 0).sum())
    if small and present >= 2 and present - len(small) < 2:
        named = listed([str(features.label_names[k]) for k in small], 3)
        have = "has" if len(small) == 1 else "have"
        apart = f", or give a {option('near_duplicates')} higher than {cosine:g}" * (cosine < 1)
        raise TrainingError(
            f"{count(len(small), 'class')} of {present} ({named}) {have} fewer than "
            f"{_LEAST[parts]} photos each, near-duplicates and groups counted once, and cannot be "
            f"divided into {'three' if parts == 3 else 'two'} parts; add photos{apart}"
        )


def _of_classes(features: Features, classes: list[int]) -> NDArray[np.intp]:
    """Rows of these classes; where a photo may have several labels, of no other one."""
    if features.targets is not None:
        targets = np.asarray(features.targets, bool)
        others = _without_labels(targets, classes)
        return np.flatnonzero(targets.any(axis=1) & ~others.any(axis=1))
    return (
        np.flatnonzero(np.isin(np.asarray(features.labels), classes)) if classes else np.arange(0)
    )


def _without_labels(targets: NDArray[Any], labels: list[int]) -> NDArray[np.bool_]:
    kept = np.array(targets, bool)
    kept[:, labels] = False
    return kept


def _alone(
    features: Features,
    small: list[int],
    scored: NDArray[np.int64],
    units: NDArray[np.int64],
) -> NDArray[np.intp]:
    """The photos of small classes that train: those of which none is in a part that is scored."""
    rows = _of_classes(features, small)
    return rows[~np.isin(units[rows], units[scored])]


def _without(features: Features, left_out: NDArray[np.bool_]) -> Features:
    """The same rows, some of them as if they had no label."""
    labels = np.where(left_out, -1, np.asarray(features.labels))
    targets = features.targets
    if targets is not None:
        targets = np.asarray(targets, bool) & ~left_out[:, None]
    return replace(features, labels=labels, targets=targets)


def _require_learnt(
    features: Features, train: NDArray[np.int64], scored: NDArray[np.int64]
) -> None:
    """Refuse parts of which a class is scored that nothing trains."""
    labels, names = _labels(features), features.label_names
    learnt = count_classes(labels[train], len(names)) > 0
    asked = count_classes(labels[scored], len(names)) > 0
    lacking = [str(names[k]) for k in np.flatnonzero(asked & ~learnt)]
    if lacking and features.targets is None:
        raise TrainingError(
            f"{count(len(lacking), 'class')} ({listed(lacking, 5)}) would be scored, and no photo "
            f"of them trains; add photos, or give {option('ignore_splits', True)}"
        )
    if not is_labelled(labels[train]).any():
        raise TrainingError("no photo is left to train with; add photos")
