"""An image without a row, and why."""

from __future__ import annotations

from dataclasses import dataclass

from penult.representation import short_repr, short_text

__all__ = ["MISSING", "Failure"]

MISSING = "but there is no such image"
"""How the reason ends where a table of labels names an image that is not there."""


@short_repr
@dataclass(frozen=True)
class Failure:
    """An image that could not become a row.

    Attributes
    ----------
    id : str
        The image's id.
    reason : str
        Why, in one line.
    """

    id: str
    reason: str

    @property
    def is_missing(self) -> bool:
        """Whether there is no image: a table of labels names it, and nothing could be read."""
        return self.reason.endswith(MISSING)

    @property
    def line(self) -> str:
        """Both in one line, of which neither is longer than can be read."""
        return f"{short_text(self.id, 200)}: {short_text(self.reason, 600)}"
