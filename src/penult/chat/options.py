"""What who runs a bot decides."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ChatOptions"]


@dataclass(frozen=True, kw_only=True)
class ChatOptions:
    """What who runs a bot decides.

    Attributes
    ----------
    k : int
        How many of the nearest pictures are shown at once.
    per_minute : int
        How many photos, texts and presses of buttons a user may send in a minute.
    allow : frozenset of str
        The only users that are answered; empty where all are.
    relabel : bool
        Whether users may put labels of the gallery right.
    """

    k: int = 5
    per_minute: int = 20
    allow: frozenset[str] = frozenset()
    relabel: bool = True
