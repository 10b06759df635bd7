"""Addresses that went through a path, which folds the two slashes of ``s3://`` into one."""

from __future__ import annotations

import os
import re

__all__ = ["unfolded"]

_FOLDED = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+(.+)")
_SUFFIX = ".rows"  # the first of `penult.suffixes.ROWS_FOLDER`, which stands above
_ON_DISK = ("file", "local")


def unfolded(place: str | os.PathLike[str]) -> str:
    """Return an address of a folder of rows as it was typed, and any other place as it is.

    Examples
    --------
    >>> from pathlib import Path
    >>> unfolded(Path("s3://bucket/photos.rows")), unfolded("photos.h5")
    ('s3://bucket/photos.rows', 'photos.h5')
    """
    text = str(place)
    folded = _FOLDED.fullmatch(text)
    if folded is None or not text.rstrip("/").lower().endswith(_SUFFIX):
        return text
    scheme, rest = folded.groups()
    slashes = ":///" if scheme.lower() in _ON_DISK else "://"
    return f"{scheme}{slashes}{rest}"
