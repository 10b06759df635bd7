"""What an interrupted training goes on from: one file, written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from penult.errors import FileFormatError, ResumeError
from penult.inputs import refuse_unread
from penult.interface import option
from penult.output import atomic_output

__all__ = ["TrainingState"]

_FORMAT = 1
_STAGE = (
    *("network", "optimizer", "part", "epochs", "best", "learned", "start"),
    *("within", "random", "random_cuda"),
)
"""What each stage keeps; see `Training`."""


class TrainingState:
    """What the stages of a training have kept, in a file.

    Parameters
    ----------
    path : Path or None
        Read if it is there; None where nothing is to be kept, for nobody could go on from it.
    photos : str
        What tells the photos, and how they are divided, from others.

    Raises
    ------
    FileFormatError
        If the file is damaged.
    ResumeError
        If it is of other photos.
    """

    def __init__(self, path: Path | None, photos: str) -> None:
        self._path, self._photos = path, photos
        self._stages: dict[str, dict[str, Any]] = {}
        if path is not None and path.exists():
            found = _load(path)
            if found["photos"] != photos:
                raise ResumeError(
                    f"the photos, or their labels, are not those of the interrupted run in "
                    f"{path.parent.parent}; give {option('restart', True)} to begin anew"
                )
            self._stages = found["stages"]

    @property
    def seconds(self) -> float:
        """What the epochs took that are kept."""
        return sum(
            float(epoch["seconds"]) for stage in self._stages.values() for epoch in stage["epochs"]
        )

    def stage(self, name: str) -> dict[str, Any] | None:
        """What a stage kept; None where it was not begun."""
        return self._stages.get(name)

    def keep(self, name: str, state: dict[str, Any]) -> None:
        """Write what a stage needs, tensors and plain values, beside what others kept.

        Raises
        ------
        OutputError
        """
        if self._path is None:
            return
        self._stages[name] = state
        kept = {"format": _FORMAT, "photos": self._photos, "stages": self._stages}
        with atomic_output(self._path, overwrite=True) as temporary, temporary.open("wb") as file:
            try:
                torch.save(kept, file)
            except RuntimeError as error:  # torch closes its archive, and so hides a full disk
                if isinstance(error.__context__, OSError):
                    raise error.__context__ from error
                raise


def _load(path: Path) -> dict[str, Any]:
    """Read it; only tensors and plain values are unpickled."""
    again = f"the training cannot go on from it; give {option('restart', True)} to begin anew"
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        number, _ = state["format"], state["photos"]
        for stage in state["stages"].values() if number == _FORMAT else ():
            _ = [stage[name] for name in _STAGE], [epoch["seconds"] for epoch in stage["epochs"]]
    except Exception as error:  # whatever torch meets in a damaged file
        refuse_unread(path, error)
        raise FileFormatError(f"{path} is damaged: {again}") from error
    if number != _FORMAT:
        raise FileFormatError(f"{path} was written by another version of penult: {again}")
    return state
