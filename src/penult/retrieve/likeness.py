"""Whether a row is like anything in a gallery, by the gallery's own rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penult.likeness import Likeness
from penult.neighbors.glued_rows import GluedRows, Piece
from penult.partition.row_groups import find_groups
from penult.retrieve.changed_rows import kept_features

if TYPE_CHECKING:
    from penult.records import Features, Rows

__all__ = ["likeness_of"]

MOST_ROWS = 10_000
"""Of more rows a random part is looked at, which is as sharp (see `penult.likeness.likeness`)."""


def likeness_of(features: Features, rows: Rows) -> Likeness | None:
    """Find what tells rows like a gallery's from others.

    Parameters
    ----------
    features : Features
        What is known of the rows. Rows of one group, and identical images, are not compared.
    rows : array or h5py dataset, shape (N, …)
        The rows, wherever they are read fastest. All finite.

    Returns
    -------
    Likeness or None
        None of fewer than six images, or groups, which say too little.
    """
    places = np.arange(len(rows))
    if len(places) > MOST_ROWS:
        places = np.sort(np.random.default_rng(0).choice(len(rows), MOST_ROWS, replace=False))
    some = kept_features(features, GluedRows([Piece(rows, places)]), places)
    labels = some.labels if some.targets is None else some.targets
    return Likeness.of(some, np.arange(len(places)), labels, find_groups(some), seed=0)
