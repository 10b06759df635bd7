"""Classes of which there is no row: named by a folder, say, of which no photo could be read."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from penult.wording import listed

if TYPE_CHECKING:
    from penult.records import Features

__all__ = ["log_empty_classes", "without_empty_classes"]


def without_empty_classes(features: Features) -> Features:
    """The same rows, of no other classes than those that some row has: nothing learns the rest.

    Parameters
    ----------
    features : Features
    """
    names, kept = features.label_names, features.classes_with_rows
    if len(kept) == len(names):
        return features
    places = [names.index(name) for name in kept]
    place_of = np.full(len(names) + 1, -1, np.int64)  # its last is that of no label, -1
    place_of[places] = np.arange(len(places))
    targets = features.targets
    return replace(
        features,
        labels=place_of[np.asarray(features.labels)],
        label_names=kept,
        targets=None if targets is None else np.asarray(targets, bool)[:, places],
    )


def log_empty_classes(features: Features) -> None:
    """Log which classes have no row, where others have some, and are left out of training."""
    kept = {*features.classes_with_rows}
    empty = [name for name in features.label_names if name not in kept]
    if kept and empty:
        logging.getLogger("penult").warning(
            "penult: %s %s left out",
            listed(empty, 5),
            "has no row, and is" if len(empty) == 1 else "have no row, and are",
        )
