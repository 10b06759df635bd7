"""One thing that a report found."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Finding"]


@dataclass(frozen=True)
class Finding:
    """One thing that a report found, and where it shows more of it.

    Attributes
    ----------
    text : str
        A sentence.
    section : str
        The name of the section about it, which the page may lack.
    filter : str
        What of that section it is about, as the section's address has it: ``class=3``; "" for all.
    """

    text: str
    section: str
    filter: str = ""
