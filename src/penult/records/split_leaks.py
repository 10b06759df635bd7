"""How far near-duplicates between the parts flatter the scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from penult.representation import short_repr

__all__ = ["SplitLeaks"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class SplitLeaks:
    """The parts of a dataset, and what near-duplicates between them do to the scores.

    Attributes
    ----------
    parts : mapping of str to int
        Images of each part: "train", "validation", "test".
    drawn : bool
        Whether `penult.train` would draw the parts, since the file names none.
    description : str
        How the parts came about, in words.
    held_out : int
        Images of the held-out part that were scored.
    near : int
        Those of them with a near-duplicate in the training part.
    not_trained_on : int
        Images that training leaves out, since they are identical to held-out ones.
    score : str
        What was scored: "accuracy", or "mean average precision" of several labels an image.
    all_images, without : float or None
        That score of all held-out images, and without those; None where it cannot be had, and
        `why` says why.
    why : str
        Empty where there are both scores.
    """

    parts: Mapping[str, int] = field(default_factory=dict)
    drawn: bool
    description: str
    held_out: int = 0
    near: int = 0
    not_trained_on: int = 0
    score: str = "accuracy"
    all_images: float | None = None
    without: float | None = None
    why: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            Its attributes, by their names.
        """
        return asdict(self) | {"parts": dict(self.parts)}
