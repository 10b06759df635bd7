"""Where a run stands."""

from __future__ import annotations

from dataclasses import dataclass

from penult.representation import short_repr

__all__ = ["Progress"]


@short_repr
@dataclass(frozen=True)
class Progress:
    """Where a run stands; what a function given as `progress` is called with.

    Attributes
    ----------
    done : int
        Images (or what `unit` says) with an outcome so far, failures included.
    total : int or None
        Those to do; None where that is not known.
    failed : int
        Failures so far.
    kept : int
        Of `done`, those taken over from an interrupted run, or by an update from the file.
    stage : str
        What is being done: ``"extract"``, ``"train"``; ``"loading bundled:efficientnet_lite0"``.
    unit : str
        What is counted: ``"images"``, ``"fits"``, ``"rows"``, ``"bytes"``; empty where nothing is.
    brief : bool
        Whether it is a step that takes a few seconds at most, and is worth no line of a log.
    """

    done: int
    total: int | None
    failed: int
    kept: int = 0
    stage: str = ""
    unit: str = "images"
    brief: bool = False

    @property
    def counted(self) -> bool:
        """Whether anything is counted; if not, all that is known is the stage."""
        return self.unit != ""
