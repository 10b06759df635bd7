"""What the names of files say: which hold images, which are hidden, how they become text."""

from __future__ import annotations

import os

__all__ = ["IMAGE_EXTENSIONS", "escape_undecodable", "is_hidden"]

IMAGE_EXTENSIONS = frozenset(
    [".avif", ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"]
)
"""File name extensions taken for images, in any case."""


def escape_undecodable(name: str) -> str:
    """A file's name as text; bytes that are not UTF-8 are escaped, and so is NUL."""
    return os.fsencode(name).decode("utf-8", "backslashreplace").replace("\0", r"\x00")


def is_hidden(name: str) -> bool:
    """A hidden file or folder, or what macOS adds to archives."""
    return name.startswith(".") or name == "__MACOSX"
