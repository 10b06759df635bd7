"""The intrinsic dimension of rows, by the two nearest neighbours of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penult.records import IntrinsicDimension

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["neighbor_distances", "two_nn"]

_LEAST = 10  # rows
_KEPT = 0.9  # of the ratios; the largest are noisy, and the last is at infinity
# Of a row's length: nearer neighbours lie at its place, as far as float32 can tell.
_SAME_PLACE = 1e-6
_UNLIKELY, _ROUNDS = 0.05, 30


def neighbor_distances(values: NDArray[np.float64], metric: str) -> NDArray[np.float64]:
    """Turn cosines into the distances of rows of length one, √(2 - 2 cos); leave distances.

    Parameters
    ----------
    values : float64 array, shape (n, k)
        As `Neighbors.values`.
    metric : {"cosine", "euclidean"}
    """
    if metric == "euclidean":
        return values
    distances: NDArray[np.float64] = np.sqrt((2 - 2 * values).clip(min=0))
    return distances


def two_nn(
    places: NDArray[np.int64],
    distances: NDArray[np.float64],
    lengths: NDArray[np.float64] | float = 1.0,
) -> IntrinsicDimension | None:
    """Estimate the dimension of what rows lie on, by Facco et al. (2017).

    Where rows lie evenly at the scale of their second neighbour, the ratio μ = r₂/r₁ of the
    distances to the two nearest has the distribution function F(μ) = 1 - μ⁻ᵈ, whatever their
    density. So d is the slope of the line through the origin that fits -log(1 - F) to log μ,
    without the largest tenth of the ratios, as in the article.

    Near-duplicates do not lie evenly: they have ratios that d makes impossible, and where one row
    in ten has one, they halve the slope. A ratio that none of all n would reach, but with a
    probability of 5%, n μ⁻ᵈ < 0.05, is taken for one, with the d of the ratios below; then the
    later of the two rows is left out, and the ratios of the others are those without it.

    Parameters
    ----------
    places : int64 array, shape (n, k)
        Of the nearest others of each row, nearest first.
    distances : float64 array, shape (n, k)
        To these.
    lengths : float64 array, shape (n,), or 1
        Of the rows, which say what float32 can tell apart.

    Returns
    -------
    IntrinsicDimension or None
        None of fewer than 10 rows, or if most ratios are 1.
    """
    kept = np.ones(len(places), bool)
    while True:
        there = kept[places]
        two = np.argsort(~there, axis=1, kind="stable")[:, :2]
        asked = np.flatnonzero(kept & (there.sum(axis=1) >= 2))
        if len(asked) < _LEAST:
            return None
        nearest = np.take_along_axis(places, two, axis=1)[asked, 0]
        first, second = np.take_along_axis(distances, two, axis=1)[asked].T
        copies = first <= _SAME_PLACE * np.broadcast_to(lengths, len(places))[asked]
        if not copies.any():
            logs = np.log(second / first)
            if not (median := float(np.median(logs))):
                return None
            value, most = _fit(np.sort(logs), np.log(2) / median)
            copies = logs > most
        if not copies.any():
            return IntrinsicDimension(
                value=value, rows=len(asked), left_out=len(places) - len(asked)
            )
        kept[np.maximum(asked, nearest)[copies]] = False


def _fit(logs: NDArray[np.float64], value: float) -> tuple[float, float]:
    """Fit the line to ascending logarithms of ratios without those that it makes impossible.

    It begins with the dimension of the median ratio, which few near-duplicates hardly move.
    Returns the dimension, and the largest logarithm that is possible.
    """
    left = 0
    for _ in range(_ROUNDS):
        most = float(np.log(len(logs) / _UNLIKELY) / value)
        left, before = int(np.searchsorted(logs, most, "right")), left
        if left == before:
            break
        kept = int(left * _KEPT)
        x, y = logs[:kept], -np.log1p(-np.arange(1, kept + 1) / left)
        value = float(x @ y / (x @ x))
    return value, most
