"""Near-duplicates: rows so similar that they must be of one picture, resized or recompressed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from penult.errors import TrainingError, UsageError
from penult.interface import option
from penult.neighbors.unit import unit_rows
from penult.partition.row_groups import content_numbers
from penult.partition.rows import read_rows, row_length

if TYPE_CHECKING:
    from penult.records import Features

__all__ = ["join_near_duplicates", "require_cosine"]

# Rows compared with all others at a time: their products are 200 MB for 50,000 rows.
_BLOCK = 1024


def require_cosine(cosine: float) -> None:
    """Refuse a cosine from which no rows, or all, would be near-duplicates.

    Raises
    ------
    UsageError
    """
    if not 0 < cosine <= 1:
        raise UsageError(
            f"a cosine of {cosine:g} was given for near-duplicates; give one above 0 and up to 1, "
            "for example 0.95"
        )


def join_near_duplicates(features: Features, cosine: float, memory: int) -> Features:
    """Take images whose rows have at least that cosine for one image, as identical files are.

    Parameters
    ----------
    features : Features
        (N, D) rows, or more axes.
    cosine : float
        In (0, 1]; chains count, so that a copy of a copy belongs to the first.
    memory : int
        Bytes that the rows may take.

    Returns
    -------
    Features
        The same with other `content`: equal where images are near-duplicates, or identical.

    Raises
    ------
    UsageError
        If the cosine is not in (0, 1].
    TrainingError
        If the rows, which are all compared with all, do not fit into the memory.
    """
    require_cosine(cosine)
    count = len(features)
    if 2 * 4 * count * row_length(features) > memory:
        raise TrainingError(
            f"to find near-duplicates, all {count:,} rows have to fit into memory twice, and "
            f"{memory / 1e9:,.1f} GB are allowed; give more with "
            f"{option('max_memory')}, or leave out {option('near_duplicates')}"
        )
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows = unit_rows(read_rows(features, np.arange(count)))
    content = content_numbers(features)
    _, same = np.unique(content, return_inverse=True)
    # A graph of the images, each of which is tied to the first of the same content.
    first = np.full(int(same.max()) + 1, count)
    np.minimum.at(first, same, np.arange(count))
    ones, others = [np.arange(count)], [first[same]]
    for start in range(0, count, _BLOCK):
        # Rounding must not part a row from its equal.
        near = rows[start : start + _BLOCK] @ rows.T >= cosine - 1e-6
        here, there = np.nonzero(near)
        ones.append(here + start)
        others.append(there)
    pairs = (np.concatenate(ones), np.concatenate(others))
    edges = coo_array((np.ones(len(pairs[0]), bool), pairs), shape=(count, count))
    together = connected_components(edges, directed=False)[1]
    return replace(features, content=together.astype(str))
