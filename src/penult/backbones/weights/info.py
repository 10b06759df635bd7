"""What a network's weights are, and where."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from penult.inputs import open_file

__all__ = ["WeightsInfo", "sha256_of"]


@dataclass(frozen=True)
class WeightsInfo:
    """What a network's weights are, and where.

    Attributes
    ----------
    name : str
        A package and version, a hub id, a file name, ``"file:PATH"`` where the user named the
        file, or ``"random"``.
    sha256 : str
        Hex digest of the file, or of the tensors where there is no one file.
    path : Path or None
        The file, where there is one.
    """

    name: str
    sha256: str
    path: Path | None = None


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file."""
    with open_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
