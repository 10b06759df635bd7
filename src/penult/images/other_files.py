"""What a file is, by its first bytes, where its name says nothing, or something else."""

from __future__ import annotations

import re
import zipfile
from typing import BinaryIO

from penult.file_kinds import NAMES, ZIP, kind_of_file

__all__ = ["image_kind", "other_kind"]

_HEAD = 16

_IMAGES = {
    rb"\xff\xd8\xff": (".jpg", "a JPEG"),
    rb"\x89PNG\r\n": (".png", "a PNG"),
    rb"GIF8[79]a": (".gif", "a GIF"),
    rb"RIFF.{4}WEBP": (".webp", "a WebP"),
    rb"II\*\0|MM\0\*": (".tif", "a TIFF"),
    rb".{4}ftyp(heic|heix|mif1|msf1)": (".heic", "a HEIC"),
    rb".{4}ftypavi[fs]": (".avif", "an AVIF"),
}
_IMAGE = [(re.compile(begin, re.DOTALL), what) for begin, what in _IMAGES.items()]

_OTHERS = {
    b"\x93NUMPY": "an array of NumPy",
    b"PAR1": "a Parquet file",
    b"SQLite format 3\0": "a database of SQLite",
    b"%PDF-": "a PDF",
    b"\x1f\x8b": "compressed with gzip",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
}


def image_kind(head: bytes) -> tuple[str, str] | None:
    """Which extension an image should have, and what it is, ``"a JPEG"``; None if it is none."""
    return next((what for begin, what in _IMAGE if begin.match(head)), None)


def other_kind(file: BinaryIO) -> str | None:
    """What a file is that should be text, ``"a feature file"``; None where that is not known.

    Parameters
    ----------
    file : binary file
        At its beginning, where it is again afterwards.
    """
    try:
        own = kind_of_file(file)
        file.seek(0)
        return NAMES[own] if own is not None else _foreign_kind(file)
    finally:
        file.seek(0)


def _foreign_kind(file: BinaryIO) -> str | None:
    head = file.read(_HEAD)
    if image := image_kind(head):
        return f"{image[1]} image"
    if head.startswith(ZIP):
        return _kind_of_zip(file)
    return next((kind for begin, kind in _OTHERS.items() if head.startswith(begin)), None)


def _kind_of_zip(file: BinaryIO) -> str:
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return "a zip archive"
    if names and all(name.endswith(".npy") for name in names):
        return "arrays of NumPy (.npz)"
    return "a spreadsheet" if "xl/workbook.xml" in names else "a zip archive"
