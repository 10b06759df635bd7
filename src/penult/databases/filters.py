"""Which rows of a table may be found, as conditions that every database can be told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias

from penult.representation import short_repr

__all__ = ["Condition", "Filters", "Key", "alternatives", "is_left"]

Key = Literal["label", "split", "group", "id"]


@short_repr
@dataclass(frozen=True)
class Condition:
    """What a row has to be, or must not be.

    Attributes
    ----------
    key : {"label", "split", "group", "id"}
        A row of several labels has each of them.
    value : str
        Case counts.
    negated : bool
        Whether rows with this value are left out.
    glob : bool
        Whether the value is a pattern, as `fnmatch` has them: ``daisy/*``. Of ids alone.
    """

    key: Key
    value: str
    negated: bool = False
    glob: bool = False

    def matches(self, row_id: str, labels: Sequence[str], split: str, group: str) -> bool:
        """Whether a row has the value, negated or not."""
        if self.key == "label":
            return self.value in labels
        if self.glob:
            return fnmatchcase(row_id, self.value)
        return {"id": row_id, "split": split, "group": group}[self.key] == self.value


Filters: TypeAlias = Sequence[Condition]
"""Several conditions of one key that are not negated are alternatives; all else has to hold."""


def alternatives(where: Filters) -> Iterator[tuple[list[Condition], bool]]:
    """Go through the groups of conditions: one of each group has to hold, or none of it.

    Yields
    ------
    list of Condition, bool
        Conditions of one key, and whether none of them may hold.
    """
    for key in dict.fromkeys(one.key for one in where):
        for negated in (False, True):
            own = [one for one in where if one.key == key and one.negated == negated]
            if own:
                yield own, negated


def is_left(where: Filters, row_id: str, labels: Sequence[str], split: str, group: str) -> bool:
    """Whether conditions leave a row; what a database is told has to mean the same.

    Parameters
    ----------
    where : sequence of Condition
        What has to hold.
    row_id : str
        Its id.
    labels : sequence of str
        All that it has.
    split, group : str
        Empty where it has none.

    Returns
    -------
    bool
        Whether all of them hold.
    """
    return all(
        any(one.matches(row_id, labels, split, group) for one in own) != negated
        for own, negated in alternatives(where)
    )
