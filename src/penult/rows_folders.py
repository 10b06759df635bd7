"""How a folder of rows is known: by its name, and by what is in it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["ROWS_SUFFIX", "is_rows_folder", "rows_folder_around"]

ROWS_SUFFIX = ".rows"

_OF_ROWS = re.compile(r"(manifest|run)\.json|rows-[0-9a-f]{8}-\d{5,}\.(h5|parquet|json)")


def is_rows_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a local folder is one of rows, finished or not."""
    if not os.fspath(path).lower().endswith(ROWS_SUFFIX):
        return False
    try:
        return any(map(_OF_ROWS.fullmatch, os.listdir(path)))  # noqa: PTH208
    except (OSError, ValueError):
        return False


def rows_folder_around(path: Path) -> Path | None:
    """Find the folder of rows that a place lies in, at any depth and through links."""
    return next(filter(is_rows_folder, _above(path)), None)


def _above(path: Path) -> Iterator[Path]:
    yield from path.parents
    yield from Path(os.path.realpath(path.parent) + "/_").parents
