"""The note in a safetensors file that says what its tensors are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from penult.errors import FileFormatError
from penult.file_kinds import safetensors_header
from penult.inputs import open_file
from penult.parsing import read_json

__all__ = ["NOTE", "parse_note", "read_note"]

NOTE = "penult"
"""The key of what a checkpoint says of itself."""


def parse_note(note: str, path: Path, what: str, newest: int) -> dict[str, Any]:
    """Read what `read_note` gave, if it is of a format that this penult knows.

    Raises
    ------
    FileFormatError
        If it is damaged, or of a format beyond `newest`.
    """
    try:
        data = read_json(note)
    except ValueError as error:
        raise FileFormatError(f"{path} is a damaged checkpoint: {error}") from error
    number = data.get("format") if isinstance(data, dict) else None
    if not isinstance(number, int):
        raise FileFormatError(f"{path} is a damaged checkpoint: it states no format")
    if number > newest:
        raise FileFormatError(
            f"{path} is {what} of format {number}; this penult reads {newest}: update it"
        )
    return dict(data)


def read_note(path: Path, key: str) -> str | None:
    """What a safetensors file says of itself under that key; None where it is no such file."""
    with open_file(path) as file:
        length = safetensors_header(file.read(9))
        if length is None or length > path.stat().st_size:
            return None
        header = b"{" + file.read(length - 1)
    try:
        note = read_json(header).get("__metadata__", {}).get(key)
    except (ValueError, AttributeError):
        return None
    return note if isinstance(note, str) else None
