"""Near-duplicates: rows so similar that they must be of one picture, resized or recompressed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from penult.errors import SearchError, TrainingError, UsageError
from penult.interface import option
from penult.neighbors.forest import Forest
from penult.neighbors.pairs import Pairs, least_memory, near_pairs
from penult.partition.row_groups import content_numbers
from penult.wording import count

if TYPE_CHECKING:
    from penult.records import Features

__all__ = ["join_near_duplicates", "require_cosine"]


def require_cosine(cosine: float, name: str = "near_duplicates") -> None:
    """Refuse a cosine from which no rows, or all, would be near-duplicates.

    Raises
    ------
    UsageError
    """
    if not 0 < cosine <= 1:
        raise UsageError(
            f"{option(name)} is {cosine:g}; give a cosine above 0 and up to 1, for example 0.95"
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
        Bytes that may be taken; rows that need more are read in parts, as often as it takes.

    Returns
    -------
    Features
        The same with other `content`: equal where images are near-duplicates, or identical.

    Raises
    ------
    UsageError
        If the cosine is not in (0, 1].
    TrainingError
        If the memory is too little for even a part of the rows, or a row holds a NaN or an
        infinity.
    """
    require_cosine(cosine)
    least = least_memory(features.features)
    if least > memory:
        raise TrainingError(
            f"to find near-duplicates among {count(len(features), 'row')} takes at least "
            f"{least / 1e6:,.0f} MB, and {memory / 1e6:,.3g} MB are allowed; give more with "
            f"{option('max_memory')}, or leave out {option('near_duplicates')}"
        )
    forest = Forest(len(features))
    forest.add(_same_content(features))
    try:
        for pairs in near_pairs(
            features.features, cosine, ids=features.ids, every=False, memory=memory
        ):
            forest.add(pairs)
    except SearchError as error:  # rows that are no numbers
        raise TrainingError(str(error)) from None
    return replace(features, content=forest.groups().astype(str).tolist())


def _same_content(features: Features) -> Pairs:
    """Pair each image with the first of the same content."""
    content = content_numbers(features)
    _, first, same = np.unique(content, return_index=True, return_inverse=True)
    second = np.flatnonzero(first[same] < np.arange(len(content)))
    return Pairs.of(first[same[second]], second, np.ones(len(second)))
