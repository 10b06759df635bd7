"""By how much one network is better than another, and whether that is more than noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from penult.representation import short_repr
from penult.wording import points

__all__ = ["ModelDifference", "find_best"]


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
        Two-sided, of the exact sign-flip test, corrected for all pairs by Holm's method.
    separable : bool
        Whether that is below 0.05, and 0 outside the interval: otherwise the two cannot be told
        apart on these images.
    images : int
        Held-out images that both have; those that tell no more than one, as copies, count once.
    """

    a: str
    b: str
    score: str
    difference: float
    low: float
    high: float
    p: float
    separable: bool
    images: int = 0

    def __str__(self) -> str:
        """Say it in one sentence, without a full stop; the better one comes first."""
        a, b, low, high = self.a, self.b, self.low, self.high
        if self.difference < 0:
            a, b, low, high = b, a, -high, -low
        how = f"{points(abs(self.difference))} points better than"
        if not self.difference:
            how = "as good as"
        elif abs(self.difference) < 0.0005:
            how = "less than 0.1 points better than"
        verdict = "more than noise" if self.separable else "not separable"
        if not self.separable and not low <= 0 <= high:
            verdict += " among so many pairs"
        return f"{a} is {how} {b} (95% interval {points(low)} to {points(high)}): {verdict}"

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            Its attributes, by their names.
        """
        return asdict(self)


def find_best(names: Sequence[str], differences: Sequence[ModelDifference]) -> str:
    """Find the first that none is better than by more than noise, on the images of both.

    That is the first of all, unless some were scored on fewer images than others.

    Parameters
    ----------
    names : sequence of str
        Of the networks, highest mean first.
    differences : sequence of ModelDifference
        Between them.

    Returns
    -------
    str
        "" where there are no names.
    """
    behind = {one.b if one.difference > 0 else one.a for one in differences if one.separable}
    return next((name for name in names if name not in behind), names[0] if names else "")
