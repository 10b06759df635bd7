"""What an interrupted training goes on from: one file, written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from penult.errors import FileFormatError
from penult.output import atomic_output

__all__ = ["load_state", "save_state"]

_FORMAT = 1


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write the state of a training: tensors, numbers and texts, in dictionaries and lists.

    Raises
    ------
    OutputError
    """
    with atomic_output(path, overwrite=True) as temporary:
        torch.save({"format": _FORMAT, **state}, temporary)


def load_state(path: Path) -> dict[str, Any] | None:
    """Read it; None where there is none. Only tensors and plain values are unpickled.

    Raises
    ------
    FileFormatError
        If it is damaged.
    """
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever torch meets in a damaged file
        raise FileFormatError(f"{path} is damaged, so the training cannot go on from it") from error
    if state.pop("format", None) != _FORMAT:
        raise FileFormatError(f"{path} was written by another version of penult")
    return state
