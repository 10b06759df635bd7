"""Rows that were found, as records of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from penult.records import Hit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.records.neighbors import Metric

__all__ = ["make_hits"]


def make_hits(
    ids: Iterable[str],
    values: NDArray[np.float64],
    labels: Sequence[tuple[str, ...]],
    *,
    metric: Metric,
    several: bool,
) -> tuple[Hit, ...]:
    """Make a record of each row that one query found.

    Parameters
    ----------
    ids : iterable of str, length n
    values : float64 array, shape (n,)
        Of `metric`, nearest first.
    labels : sequence of tuple of str, length n
        Of each row: none, one, or several.
    metric : {"cosine", "euclidean"}
    several : bool
        Whether rows may have several labels.
    """
    return tuple(
        Hit(
            id=one,
            similarity=value if metric == "cosine" else None,
            distance=value if metric == "euclidean" else None,
            label=own[0] if len(own) == 1 else None,
            labels=own if several else None,
        )
        for one, value, own in zip(ids, values.tolist(), labels, strict=True)
    )
