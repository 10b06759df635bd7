"""Names of folders and files, made of any text, that every file system takes."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence

__all__ = ["folder_names", "safe_name"]

# What Windows, macOS or Linux refuses in a name or reads as something else; and the sign that
# stands for it here. A dot is unsafe at both ends (hidden; "." and ".."), a space at the end.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f%/\\:*?"<>|\ud800-\udfff]|^[. ]|[. ]$')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)
_LONGEST = 120  # in bytes; names may have 255, and a number may have to be added


def folder_names(labels: Sequence[str], *, reserved: Iterable[str] = ()) -> list[str]:
    """Name a folder for each label, no two the same on any file system, and none as one reserved.

    Labels that are safe names stay as they are. In the others, what is unsafe becomes ``%`` and the
    hex digits of its UTF-8 bytes, as in an address. Of labels that differ in case alone, which is
    the same name on Windows and macOS, the later ones get a number.
    """
    names: list[str] = []
    taken = set(map(_folded, reserved))
    for label in labels:
        first = name = safe_name(label)
        number = 1
        while _folded(name) in taken:
            number += 1
            name = f"{first} ({number})"
        taken.add(_folded(name))
        names.append(name)
    return names


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())


def safe_name(text: str) -> str:
    """Turn any text into a file name that is safe everywhere; different texts stay different."""
    name = _UNSAFE.sub(lambda found: _escaped(found[0]), text) or "%"
    if _RESERVED.match(name):
        name = _escaped(name[0]) + name[1:]
    data = name.encode()
    if len(data) > _LONGEST:
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        name = data[: _LONGEST - 20].decode("utf-8", "ignore").rstrip(". ") + "%." + digest
    return name


def _escaped(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))
