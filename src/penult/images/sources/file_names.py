"""What the names of files say: which hold images, which are hidden, how they become text."""

from __future__ import annotations

import os
from pathlib import Path

from penult.errors import ImageError
from penult.images.files import open_regular
from penult.images.other_files import image_kind
from penult.texts import without_loss

__all__ = [
    "IMAGE_EXTENSIONS",
    "escape_undecodable",
    "format_by_content",
    "has_hidden_part",
    "is_hidden",
]

_COMMON = ".jpg .jpeg .jpe .jfif .png .webp .gif .bmp .tif .tiff .avif"
_PHONES = ".heic .heics .heif .heifs .hif .mpo"
_OTHERS = ".jp2 .j2k .j2c .jpc .jpf .jpx .ico .pbm .pgm .pnm .ppm"
_UNREAD = ".jxl"  # a failure, which says what to do

IMAGE_EXTENSIONS = frozenset(f"{_COMMON} {_PHONES} {_OTHERS} {_UNREAD}".split())
"""File name extensions taken for images, in any case."""


def format_by_content(path: str) -> tuple[str, str] | None:
    """Which extension a file should have, and what it is, ``"a JPEG"``; None if it is no image."""
    try:
        with open_regular(Path(path)) as file:
            head = file.read(16)
    except (OSError, ImageError):
        return None
    return image_kind(head)


def escape_undecodable(name: str) -> str:
    """A file's name as text without loss; bytes that are not UTF-8 are escaped, and so is NUL."""
    if name.isascii() and "\\" not in name and "\0" not in name:
        return name  # as nearly all are
    return without_loss(os.fsencode(name)).replace("\0", r"\x00")


def is_hidden(name: str) -> bool:
    """A hidden file or folder, or what macOS adds to archives."""
    return name.startswith(".") or name == "__MACOSX"


def has_hidden_part(path: str) -> bool:
    """Whether a file, or a folder around it, is hidden; parts of the path end in slashes."""
    may_have = path.startswith(".") or "/." in path or "__MACOSX" in path
    return may_have and any(map(is_hidden, path.split("/")))
