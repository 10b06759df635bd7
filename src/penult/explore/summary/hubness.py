"""How often each row is among the nearest of others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from penult.records import Hubness

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["measure_hubness"]

_STRONGEST = 10  # rows named


def measure_hubness(near: NDArray[np.int64], ids: Sequence[str]) -> Hubness:
    """Count k-occurrences and measure their skewness: Radovanović et al. (2010).

    Parameters
    ----------
    near : int64 array, shape (n, k)
        Places, in `ids`, of the nearest others of each row; -1 for none.
    ids : sequence of str, length n
    """
    counts = np.bincount(near[near >= 0], minlength=len(near)).astype(np.int64)
    apart = counts - counts.mean()
    std = float(counts.std())
    order = np.argsort(-counts, kind="stable")[:_STRONGEST]
    return Hubness(
        neighbors=near.shape[1],
        occurrences=counts,
        skewness=float((apart**3).mean() / std**3) if std else 0.0,
        strongest=tuple((str(ids[k]), int(counts[k])) for k in order.tolist()),
    )
