"""The parts of a dataset: those that its file names, or those that training would draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from penult.errors import SearchError, TrainingError
from penult.interface import command
from penult.partition.splits import Split, hold_out

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features

__all__ = ["PARTS", "Parts", "count_parts"]

PARTS = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts of a dataset.

    Attributes
    ----------
    numbers : int64 array, shape (N,)
        Place in `PARTS` of each row's, -1 for none.
    split : Split or None
        How training takes them; None where it cannot.
    why : str
        Why not.
    drawn : bool
        Whether the file names none, and these are those that `penult.train` would draw.
    description : str
        How they came about, in words.
    """

    numbers: NDArray[np.int64]
    split: Split | None
    why: str
    drawn: bool
    description: str

    @classmethod
    def of(cls, features: Features, named: str) -> Parts:
        """Those of the file, or those that training draws by default.

        Parameters
        ----------
        features : Features
        named : str
            What a message calls them.

        Raises
        ------
        SearchError
            If all rows are in one part, or the file names no parts, and none can be drawn.
        """
        splits = np.array([str(one) for one in features.splits or ()])
        stored = len(splits) > 0 and bool((splits != "").any())
        split, why = None, ""
        try:
            split = hold_out(features)
        except TrainingError as error:
            why = str(error)
        if stored:
            numbers = np.full(len(features), -1, np.int64)
            for k, name in enumerate(PARTS):
                numbers[splits == name] = k
            if not (splits == "train").any():
                # Training takes all that is held out nowhere.
                numbers[splits == ""] = 0
            there = [name for k, name in enumerate(PARTS) if (numbers == k).any()]
            if len(there) < 2:
                raise SearchError(
                    f"all rows of {named} are in one split, {there[0]!r}, so there is nothing "
                    "between parts"
                )
            return cls(
                numbers=numbers,
                split=None if split is None or split.drawn else split,
                why=why,
                drawn=False,
                description="the file's own splits",
            )
        if split is None:
            raise SearchError(f"{named} has no splits, and none can be drawn: {why}")
        numbers = np.full(len(features), -1, np.int64)
        numbers[split.train], numbers[split.held_out] = 0, PARTS.index("test")
        return cls(
            numbers=numbers,
            split=split,
            why="",
            drawn=True,
            description=f"as {command('train')} draws them: {split.description}",
        )

    def names(self) -> list[str | None]:
        """The part of each row by name; None for none."""
        every: list[str | None] = [*PARTS, None]
        return [every[k] for k in self.numbers.tolist()]

    def sizes(self) -> dict[str, int]:
        """Part to the number of its rows, of those that there are."""
        return count_parts(self.numbers)


def count_parts(numbers: NDArray[np.int64]) -> dict[str, int]:
    """Part to the number of its rows, of those that there are."""
    counts = np.bincount(numbers[numbers >= 0], minlength=len(PARTS)).tolist()
    return {name: rows for name, rows in zip(PARTS, counts, strict=True) if rows}
