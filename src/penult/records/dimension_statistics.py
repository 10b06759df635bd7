"""What each number of a row is like over all rows."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, sqrt
from typing import TYPE_CHECKING, Any

from penult.representation import short_repr

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["DimensionStatistics"]

_NEAR = 0.01  # of the median standard deviation


@short_repr
@dataclass(frozen=True, kw_only=True)
class DimensionStatistics:
    """What each of the D numbers of a row is like over all rows.

    Attributes
    ----------
    mean : float64 array, shape (D,)
        Arithmetic mean.
    std : float64 array, shape (D,)
        Standard deviation, divided by the number of rows as NumPy's is; 0 where the number
        is always the same.
    min : float64 array, shape (D,)
        Least value.
    max : float64 array, shape (D,)
        Largest value.
    zeros : float64 array, shape (D,)
        Share of the rows in which the number is exactly 0, in [0, 1].
    """

    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    min: NDArray[np.float64]
    max: NDArray[np.float64]
    zeros: NDArray[np.float64]

    def __len__(self) -> int:
        """How many numbers a row has, D."""
        return len(self.mean)

    @property
    def constant(self) -> NDArray[np.bool_]:
        """Which numbers are the same in all rows: dead dimensions; bool array, shape (D,)."""
        same: NDArray[np.bool_] = self.min == self.max
        return same

    @property
    def always_zero(self) -> NDArray[np.bool_]:
        """Which numbers are 0 in all rows; bool array, shape (D,)."""
        zero: NDArray[np.bool_] = self.constant & (self.min == 0)
        return zero

    @property
    def near_constant(self) -> NDArray[np.bool_]:
        """Which numbers vary, but hardly; bool array, shape (D,).

        Those whose standard deviation is below 1% of the median of all that vary.
        """
        hardly: NDArray[np.bool_] = ~self.constant & (self.std < _NEAR * self._median_std)
        return hardly

    @property
    def largest_std(self) -> float:
        """The largest standard deviation, as a multiple of the median of those that vary.

        NaN where no number varies.
        """
        median = self._median_std
        return float(self.std.max() / median) if median else float("nan")

    @property
    def _median_std(self) -> float:
        import numpy as np

        varying = self.std[~self.constant]
        return float(np.median(varying)) if len(varying) else 0.0

    @property
    def total_mean(self) -> float:
        """The mean of all numbers of all rows."""
        return float(self.mean.mean())

    @property
    def total_std(self) -> float:
        """The standard deviation of all numbers of all rows."""
        return sqrt((self.std**2).mean() + self.mean.var())

    @property
    def zero_share(self) -> float:
        """The share of all numbers of all rows that are exactly 0, in [0, 1]."""
        return float(self.zeros.mean())

    def to_dict(self) -> dict[str, Any]:
        """Write what they come to as what JSON can hold; not those of each number.

        Returns
        -------
        dict
            Over all numbers of all rows ``mean``, ``std``, ``min``, ``max`` and ``zero_share``;
            how many of the D numbers are ``constant``, ``always_zero`` and ``near_constant``;
            ``largest_std``, null where it is NaN. Further keys may come.
        """
        largest = self.largest_std
        return {
            "mean": self.total_mean,
            "std": self.total_std,
            "min": float(self.min.min()),
            "max": float(self.max.max()),
            "zero_share": self.zero_share,
            "constant": int(self.constant.sum()),
            "always_zero": int(self.always_zero.sum()),
            "near_constant": int(self.near_constant.sum()),
            "largest_std": largest if isfinite(largest) else None,
        }
