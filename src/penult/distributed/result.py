"""What a worker answers when it has done a task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.distributed.tasks import Task
from penult.records import Failure

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Note", "Result"]


@dataclass(frozen=True)
class Note:
    """Something that was logged while a task was done."""

    logger: str
    level: int
    message: str


@dataclass(frozen=True)
class Result:
    """A task's outcome: an entry, or an error.

    Attributes
    ----------
    task : Task
    node : str
        The name of the machine that did it.
    entry : object
        What the destination says of the part that was put there; None where there is an error, or
        nothing was left to put.
    failed : int
        How many photos have no row.
    failures : sequence of Failure
        The first of them.
    again : int64 array, shape (k,)
        Positions of images whose rows were known before, by their bytes.
    digests : sequence of str
        The digests of these bytes.
    unopened : int
        A position whose bytes this machine cannot open at all, if that may be the machine's fault;
        else -1.
    notes : sequence of Note
    error : Exception or None
    """

    task: Task
    node: str
    entry: Any = None
    failed: int = 0
    failures: Sequence[Failure] = ()
    again: NDArray[np.int64] | None = None
    digests: Sequence[str] = ()
    unopened: int = -1
    notes: Sequence[Note] = ()
    error: Exception | None = None
