"""A score in each of several runs."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, isnan, nan
from statistics import fmean, stdev
from typing import Any

from penult.representation import short_repr
from penult.wording import percent

__all__ = ["RunScores"]


@short_repr
@dataclass(frozen=True)
class RunScores:
    """A score in each of several runs, which hold out other images.

    Attributes
    ----------
    runs : tuple of float
        One a run; NaN where it could not be scored in that run.
    """

    runs: tuple[float, ...]

    def __post_init__(self) -> None:
        # One NaN for all, so that equal scores are equal: tuples look whether it is the same.
        object.__setattr__(self, "runs", tuple(nan if isnan(one) else one for one in self.runs))

    @property
    def mean(self) -> float:
        """Mean over the runs that could be scored; NaN if none could."""
        found = self._found
        return fmean(found) if found else nan

    @property
    def std(self) -> float:
        """Standard deviation over the runs, with ``n - 1`` in its denominator; 0 of one run."""
        found = self._found
        return stdev(found) if len(found) > 1 else 0.0

    @property
    def percent(self) -> str:
        """The mean as a percentage with one decimal, as it is shown; a dash if there is none."""
        return percent(self.mean) if self._found else "–"

    @property
    def spread(self) -> str:
        """The standard deviation in points, as it is shown beside `percent`; "" of one run."""
        if len(self._found) < 2:
            return ""
        points = 100 * self.std
        if 0 < points < 0.05:
            return "± <0.1"
        return f"± {points:.{points < 9.95:d}f}"

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold, unrounded.

        Returns
        -------
        dict
            ``mean``, ``std`` and ``runs``; None where they are NaN.
        """
        found = self._found
        return {
            "mean": self.mean if found else None,
            "std": self.std if found else None,
            "runs": [one if isfinite(one) else None for one in self.runs],
        }

    @property
    def _found(self) -> list[float]:
        return [one for one in self.runs if isfinite(one)]
