"""What is odd about some pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from penult.representation import short_repr

__all__ = ["PictureIssue"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class PictureIssue:
    """Pictures of which one thing is odd, the worst first.

    Attributes
    ----------
    reason : str
        ``dark``, ``light``, ``blurry``, ``low_information``, ``odd_aspect_ratio``, ``tiny``,
        ``large`` or ``grayscale``.
    ids : tuple of str, length n
        The images.
    values : tuple of float, length n
        What was measured of each: a score in [0, 1], the lower the worse; of ``tiny`` and
        ``large`` the square root of its area, in pixels; of ``grayscale`` 0.
    threshold : float
        Below which a value is listed, of ``large`` above which.
    common : bool
        Whether more than half of all pictures are so: then it says something of the collection
        and not of single pictures, and is no reason to list one.
    """

    reason: str
    ids: tuple[str, ...]
    values: tuple[float, ...]
    threshold: float
    common: bool = False

    def __len__(self) -> int:
        """The number of pictures."""
        return len(self.ids)

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            The attributes by their names; further keys may come.
        """
        return {
            "reason": self.reason,
            "ids": list(self.ids),
            "values": list(self.values),
            "threshold": self.threshold,
            "common": self.common,
        }
