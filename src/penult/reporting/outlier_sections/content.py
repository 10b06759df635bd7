"""What the page of outliers is made from."""

from __future__ import annotations

from dataclasses import dataclass

from penult.records import Outliers

__all__ = ["OutliersContent"]


@dataclass(frozen=True, kw_only=True)
class OutliersContent:
    """What the page of outliers is made from.

    Attributes
    ----------
    outliers : Outliers
        What was found.
    file : str
        The feature file, as it is typed in a command.
    """

    outliers: Outliers
    file: str
