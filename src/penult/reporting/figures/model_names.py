"""Names of compared networks as figures have them: with their ranks, which small ones show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from penult.reporting.figures.fonts import drawable
from penult.wording import shorten

__all__ = ["ModelNames", "model_names"]


@dataclass(frozen=True)
class ModelNames:
    """Names of compared networks, in the order of their ranks.

    Attributes
    ----------
    names : as they can be drawn
    families : the fonts, for matplotlib
    recommended : place of the one to take
    undrawn : names that no font can draw
    remedy : what to install, so that they are drawn
    """

    names: tuple[str, ...]
    families: tuple[str, ...]
    recommended: int | None
    undrawn: tuple[str, ...]
    remedy: str

    def numbered(self, longest: int) -> list[str]:
        """Return each with its rank, at most `longest` characters of the name, all distinct."""
        return [f"{k}. {name}" for k, name in enumerate(shorten(self.names, longest), 1)]


def model_names(names: Sequence[str], recommended: str | None) -> ModelNames:
    """Make names fit to be drawn; they are other people's."""
    shown = drawable(names)
    place = names.index(recommended) if recommended in names else None
    return ModelNames(shown.names, shown.families, place, shown.undrawn, shown.remedy)
