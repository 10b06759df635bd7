"""Which differences between networks are more than noise."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.comparison.significance import holm, sign_flip_p
from penult.records.model_difference import ModelDifference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["LEVEL", "find_differences"]

LEVEL = 0.05
_SIXTIETHS = 60.0  # halves to sixths of an image's score are whole numbers of them
_STEPS = 200  # to the largest difference, where they are not
_DRAWN = 1 << 20  # counts drawn at once, 8 MB


def find_differences(
    values: Mapping[str, NDArray[np.float64]],
    units: NDArray[np.int64],
    *,
    score: str,
    seed: int,
    resamples: int = 10_000,
) -> tuple[ModelDifference, ...]:
    """Compare each two networks on the images that both were scored on.

    A difference is the mean of a's score less b's, over all runs and images that both have. What
    counts as one observation is a *unit*: an image that is held out in three runs tells no more
    than one image, and neither do its copies, views and group. So a unit keeps together all that
    it has in any run.

    *The interval* is the 95% percentile interval of a paired bootstrap over the units (Efron &
    Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13): as many as there are are
    drawn with replacement, and the statistic is the sum of the differences of the drawn units over
    the number of their cells, run by image. Units with the same sum and as many cells are
    interchangeable, so what is drawn is how often each *kind* of unit occurs, which is multinomial:
    the same distribution as of units that are drawn one by one, at a cost that does not grow with
    the images. The bias-corrected interval (BCa) covers the true difference less often here:
    see ``benchmarks/differences.py``, which also says why `scipy.stats.bootstrap` is not used.

    *The p-value* is of the exact sign-flip test of the units' sums, `sign_flip_p`, and not of the
    bootstrap, which takes three differences of 340, all the same way, for more than noise (p about
    0.05), where three tossed coins fall alike one time in four. It is corrected by Holm's method
    for the tests that there are. A pair that is equal on all images is none: no way to give its
    differences their signs is significant, so it can raise no false alarm, and need not be paid for
    (Tarone, "A Modified Bonferroni Method for Discrete Data", Biometrics 1990). And networks that
    are equal to each other on all images are one in this: their tests against a third are the same
    test, which is wrong or right but once. So rows that repeat others, as of a layer that changes
    nothing, hide no difference between the rest.

    *So that the two agree:* the interval is widened to reach 0 where the pair's own p, before
    Holm's correction, is 0.05 or more; and a pair is separable if p after the correction is below
    0.05 and the interval leaves out 0. An interval that leaves out 0 of a pair that is not
    separable therefore means one thing: the pair alone would be, but so many are compared that
    such a difference was to be expected among them.

    Both take the trained classifiers as they are. How the scores would vary with other training
    images is seen only in so far as the runs train on different ones.

    Parameters
    ----------
    values : mapping of str to float64 array, shape (R, N)
        By the networks' names, best first: the score of image i in run r; NaN where it was not held
        out in that run, or that network has no row of it. Of accuracy it is 1 or 0.
    units : int64 array, shape (N,)
        The same number to images that tell no more than one.
    score : str
        What the values are.
    seed : int
        Of the bootstrap. Each pair starts from it anew, so its interval depends neither on the
        other networks nor on their order.
    resamples : int
        Drawings.

    Returns
    -------
    tuple of ModelDifference
        Each pair once, in the order of the names. Pairs that have no image in common in any run
        are left out.

    Raises
    ------
    ValueError
        The shapes do not fit together.
    """
    _check(values, units)
    places = np.unique(units, return_inverse=True)[1]
    kinds = [
        (a, b, found)
        for a, b in combinations(values, 2)
        if (found := _Kinds.of(values, a, b, places)).counts.size
    ]
    p = np.array([sign_flip_p(found.steps, found.counts) for _, _, found in kinds])
    first = _first_equals(values)
    tests = [frozenset((first[a], first[b])) for a, b, _ in kinds]
    distinct = {
        test: own
        for test, own, (*_, found) in zip(tests, p, kinds, strict=True)
        if found.steps.any()
    }
    corrected = dict(zip(distinct, holm(np.array([*distinct.values()])), strict=True))
    return tuple(
        _difference(a, b, score, found, own, corrected.get(test, 1.0), seed, resamples)
        for (a, b, found), own, test in zip(kinds, p, tests, strict=True)
    )


def _first_equals(values: Mapping[str, NDArray[np.float64]]) -> dict[str, str]:
    """Find of each network the first that has the same score on all images."""
    found: dict[str, str] = {}
    for name, one in values.items():
        equals = (k for k in found.values() if np.array_equal(values[k], one, equal_nan=True))
        found[name] = next(equals, name)
    return found


def _check(values: Mapping[str, NDArray[np.float64]], units: NDArray[np.int64]) -> None:
    runs = {len(one) for one in values.values()}
    for name, one in values.items():
        if len(runs) > 1 or one.shape[1:] != units.shape:
            raise ValueError(
                f"the scores of {name} have shape {one.shape}: all have to have the same runs, "
                f"and a column for each of the {len(units):,} units"
            )


@dataclass(frozen=True)
class _Kinds:
    """The units of a pair, those together that have the same sum and as many cells."""

    steps: NDArray[np.int64]  # sum of a kind's differences, in whole steps
    cells: NDArray[np.int64]  # in a unit of the kind
    counts: NDArray[np.int64]  # units of the kind
    scale: float  # steps to a difference of 1
    difference: float  # from the sums themselves, not rounded to steps
    turned: bool  # whether it is b less a

    @classmethod
    def of(
        cls,
        values: Mapping[str, NDArray[np.float64]],
        a: str,
        b: str,
        places: NDArray[np.int64],
    ) -> _Kinds:
        # the name that sorts first less the other: the same drawings, whichever ranks above
        first, second = sorted((a, b))
        differences = values[first] - values[second]
        both = ~np.isnan(differences)
        differences[~both] = 0.0
        cells = _summed(places, both.sum(axis=0)).astype(np.int64)
        sums = _summed(places, differences.sum(axis=0))[cells > 0]
        cells = cells[cells > 0]
        scale = _scale(sums)
        steps = np.rint(sums * scale).astype(np.int64)
        if scale == _SIXTIETHS:
            sums = steps / scale  # 0.6 - 0.4 - 0.2 is 0
        # one whole number for each pair of them: np.unique of rows is ten times as slow
        width = int(cells.max(initial=0)) + 1
        codes, counts = np.unique(steps * width + cells, return_counts=True)
        total = int(cells.sum())
        difference = float(sums.sum() / total) if total else np.nan
        return cls(codes // width, codes % width, counts, scale, difference, a == second)

    @property
    def units(self) -> int:
        return int(self.counts.sum())

    def interval(self, seed: int, resamples: int) -> tuple[float, float]:
        """Ends of the percentile interval of the bootstrap."""
        rng = np.random.default_rng(seed)
        shares = self.counts / self.units
        means = np.empty(resamples)
        block = max(1, _DRAWN // len(shares))
        for start in range(0, resamples, block):
            stop = min(start + block, resamples)
            drawn = rng.multinomial(self.units, shares, size=stop - start)
            means[start:stop] = (drawn @ self.steps) / (drawn @ self.cells)
        rounded = float(self.steps @ self.counts) / float(self.cells @ self.counts)
        shift = self.difference - rounded / self.scale  # what rounding to steps took away
        low, high = np.quantile(means, [LEVEL / 2, 1 - LEVEL / 2]) / self.scale + shift
        return min(float(low), self.difference), max(float(high), self.difference)


def _summed(places: NDArray[np.int64], values: NDArray[Any]) -> NDArray[np.float64]:
    return np.bincount(places, weights=values).astype(np.float64, copy=False)


def _scale(sums: NDArray[np.float64]) -> float:
    """Find how many steps 1 has, so that the sums are whole numbers of steps, or nearly so."""
    steps = sums * _SIXTIETHS
    if np.allclose(steps, np.rint(steps), rtol=0, atol=1e-6):
        return _SIXTIETHS
    return _STEPS / float(np.abs(sums).max())


def _difference(
    a: str,
    b: str,
    score: str,
    kinds: _Kinds,
    own: float,
    corrected: float,
    seed: int,
    resamples: int,
) -> ModelDifference:
    difference, (low, high) = kinds.difference, kinds.interval(seed, resamples)
    if kinds.turned:
        difference, low, high = 0.0 - difference, 0.0 - high, 0.0 - low
    if own >= LEVEL:
        low, high = min(low, 0.0), max(high, 0.0)
    return ModelDifference(
        a=a,
        b=b,
        score=score,
        difference=difference,
        low=low,
        high=high,
        p=float(corrected),
        separable=bool(corrected < LEVEL and not low <= 0 <= high),
        images=kinds.units,
    )
