"""What the conversation has to know of the messenger that it is held in."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Messenger"]


@dataclass(frozen=True, kw_only=True)
class Messenger:
    """A messenger's limits.

    Attributes
    ----------
    name : str
        What people call it.
    max_bytes : int
        The largest file that a bot can fetch from it.
    max_pictures : int
        How many pictures an album has at most.
    sending_a_file : str
        How a photo is sent so that it keeps its bytes, for a sentence that says so.
    """

    name: str
    max_bytes: int
    max_pictures: int
    sending_a_file: str
