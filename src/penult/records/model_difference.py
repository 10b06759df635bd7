"""By how much one network is better than another, and whether that is more than noise."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from penult.representation import short_repr

__all__ = ["ModelDifference"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class ModelDifference:
    """By how much one network is better than another on the same images, and how sure that is.

    Attributes
    ----------
    a, b : str
        Names of two compared networks.
    score : str
        What was compared: ``"accuracy"``, say.
    difference : float
        Mean of a's score less b's.
    low, high : float
        Ends of its 95% interval, by the paired bootstrap of
        `penult.comparison.differences.find_differences`.
    p : float
        Two-sided, of that bootstrap, corrected for all pairs by Holm's method.
    separable : bool
        Whether that is below 0.05: otherwise the two cannot be told apart on these images.
    """

    a: str
    b: str
    score: str
    difference: float
    low: float
    high: float
    p: float
    separable: bool

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            Its attributes, by their names.
        """
        return asdict(self)
