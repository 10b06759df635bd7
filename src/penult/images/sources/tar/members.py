"""A file or link in a tar archive, and where it lies."""

from __future__ import annotations

import tarfile
from typing import NamedTuple

from penult.images.sources.file_names import IMAGE_EXTENSIONS

__all__ = ["Member", "is_folder", "member_of", "path_in_archive"]

# GNU tar's own: the list of a folder, of names, and the name of the volume.
_NOTES = (b"N", b"V")
_NO_FILES = (tarfile.DIRTYPE, b"D", *_NOTES)
_SPECIAL = {
    tarfile.FIFOTYPE: "is a named pipe, not a file",
    tarfile.CHRTYPE: "is a device, not a file",
    tarfile.BLKTYPE: "is a device, not a file",
    b"M": "is the rest of a file that begins in another volume of the archive",
}


class Member(NamedTuple):
    """What an archive holds under a name.

    Attributes
    ----------
    name : str
        Its path in the archive.
    key : str
        The place of its archive, of several in one file, and the path up to its name's first dot.
    extension : str
        What comes after that dot.
    at : int
        Where its header is.
    offset, size : int
        Where its bytes are, and how many.
    target : str or None
        Of a link, what it leads to.
    is_hard : bool
        Whether that is a path from the root of the archive.
    reason : str
        Why it cannot be read; "" where it can.
    """

    name: str
    key: str
    extension: str
    at: int
    offset: int
    size: int
    target: str | None = None
    is_hard: bool = False
    reason: str = ""

    @property
    def is_image(self) -> bool:
        """Whether its name is that of an image."""
        return f".{self.extension.lower().rpartition('.')[2]}" in IMAGE_EXTENSIONS

    @property
    def is_plain(self) -> bool:
        """Whether its name is that of an image, and has one dot."""
        return f".{self.extension.lower()}" in IMAGE_EXTENSIONS


def path_in_archive(name: str) -> str | None:
    """Where a name leads from the root of an archive; None if out of it.

    ``./a//b/../c`` is ``a/c``. A name that begins with a slash keeps it.
    """
    path = name.removeprefix("./")
    if not (path.startswith((".", "/")) or "/." in path or "//" in path):
        return path  # as nearly all are
    parts: list[str] = []
    for part in name.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/" * name.startswith("/") + "/".join(parts)


def is_folder(header: tarfile.TarInfo) -> bool:
    """Whether a folder is made where a header is unpacked that is of no file or link."""
    return header.type not in _NOTES


def member_of(header: tarfile.TarInfo, name: str, start: int) -> Member | None:
    """What a header tells of a file or link; None of a folder.

    Parameters
    ----------
    header : TarInfo
    name : str
        Its path in the archive.
    start : int
        Where the archive begins, of several in one file.
    """
    kind = header.type
    if kind in _NO_FILES or header.name.endswith("/"):  # which is how old ones mark folders
        return None
    folder, _, base = name.rpartition("/")
    stem, _, extension = base.partition(".")
    key = f"{start}/{folder}/{stem}"
    place = header.offset, header.offset_data, header.size
    if kind == tarfile.REGTYPE and header.sparse is None:  # as nearly all are
        return Member(name, key, extension, *place)
    if kind in (tarfile.LNKTYPE, tarfile.SYMTYPE):
        is_hard = kind == tarfile.LNKTYPE
        return Member(name, key, extension, header.offset, 0, 0, header.linkname, is_hard)
    reason = ""
    if header.issparse():
        reason = "is stored as a sparse file"
    elif not header.isfile():
        unknown = f"is of the type {kind.decode('latin-1')!a}, which is not known"
        reason = _SPECIAL.get(kind, unknown)
    return Member(name, key, extension, *place, reason=reason)
