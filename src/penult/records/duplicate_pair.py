"""Two images that are nearly the same picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from penult.representation import short_repr

__all__ = ["DuplicatePair"]


@short_repr
@dataclass(frozen=True)
class DuplicatePair:
    """Two images that are nearly the same picture.

    Attributes
    ----------
    first, second : str
        Their ids, in the order of the feature file.
    cosine : float
        Of their rows, in [-1, 1]; 1 where `exact`.
    exact : bool
        Whether their files are the same, byte for byte.
    labels : tuple of str or None
        Of both; None where there is none, several of one image joined by ``|``.
    splits : tuple of str or None
        The parts in which both are: of the feature file, or as drawn; None where there are none.
    """

    first: str
    second: str
    cosine: float
    exact: bool = False
    labels: tuple[str | None, str | None] = (None, None)
    splits: tuple[str | None, str | None] = (None, None)

    def to_list(self) -> list[Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        list
            Both ids and their cosine.
        """
        return [self.first, self.second, self.cosine]
