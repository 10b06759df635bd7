"""What the names of files say: which hold images, which are hidden, how they become text."""

from __future__ import annotations

import os

__all__ = ["IMAGE_EXTENSIONS", "escape_undecodable", "is_hidden"]

_COMMON = ".jpg .jpeg .jpe .jfif .png .webp .gif .bmp .tif .tiff .avif"
_PHONES = ".heic .heics .heif .heifs .hif .mpo"
_OTHERS = ".jp2 .j2k .j2c .jpc .jpf .jpx .ico .pbm .pgm .pnm .ppm"
_UNREAD = ".jxl"  # a failure, which says what to do

IMAGE_EXTENSIONS = frozenset(f"{_COMMON} {_PHONES} {_OTHERS} {_UNREAD}".split())
"""File name extensions taken for images, in any case."""


def escape_undecodable(name: str) -> str:
    """A file's name as text; bytes that are not UTF-8 are escaped, and so is NUL."""
    return os.fsencode(name).decode("utf-8", "backslashreplace").replace("\0", r"\x00")


def is_hidden(name: str) -> bool:
    """A hidden file or folder, or what macOS adds to archives."""
    return name.startswith(".") or name == "__MACOSX"
