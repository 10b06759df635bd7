"""A score, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

from penult.representation import short_repr

__all__ = ["ScoreInterval"]


@short_repr
@dataclass(frozen=True)
class ScoreInterval:
    """A score, and how sure it is.

    Attributes
    ----------
    value : float
        In [0, 1]; NaN where no query could be scored.
    low, high : float
        Ends of its 95% interval, by a bootstrap over the queries: see
        `penult.retrieve.evaluation.bootstrap`.
    """

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float | None]:
        """Write it as what JSON can hold, unrounded.

        Returns
        -------
        dict
            ``value``, ``low`` and ``high``; None where they are NaN.
        """
        found = {"value": self.value, "low": self.low, "high": self.high}
        return {name: None if isnan(one) else one for name, one in found.items()}
