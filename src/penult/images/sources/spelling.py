"""Paths that are written otherwise than on the disk: Unicode forms, Windows separators."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import PurePath
from unicodedata import is_normalized

from penult.texts import composed

__all__ = ["Spelling"]

_FOLDERS_AT_ONCE = 16


class Spelling:
    """Says how the paths of a list are written on the disk.

    macOS takes names apart (``e`` and an accent), most others compose them (``é``); to people and
    to a terminal they are the same, to a file system they are two names.

    Parameters
    ----------
    base : str
        The folder that paths are relative to.
    """

    def __init__(self, base: str) -> None:
        self._base = base
        self._names = lru_cache(_FOLDERS_AT_ONCE)(_names_by_form)

    def __call__(self, path: str) -> str:
        """The path as it is on the disk; if nothing is there, with ``/`` and else unchanged."""
        if "\\" in path and (os.sep == "\\" or not self._is_there(path)):
            path = path.replace("\\", "/")
        has_forms = not (is_normalized("NFC", path) and is_normalized("NFD", path))
        if has_forms and not self._is_there(path):
            return self._in_another_form(path) or path
        return path

    def _is_there(self, path: str) -> bool:
        return os.path.lexists(os.path.join(self._base, path))  # noqa: PTH118

    def _in_another_form(self, path: str) -> str | None:
        parts: list[str] = []
        for part in PurePath(path).parts:
            if not self._is_there(os.path.join(*parts, part)):  # noqa: PTH118
                names = self._names(os.path.join(self._base, *parts))  # noqa: PTH118
                found = names.get(composed(part))
                if found is None:
                    return None
                part = found
            parts.append(part)
        return PurePath(*parts).as_posix()


def _names_by_form(folder: str) -> dict[str, str | None]:
    """From composed names to those in a folder; None where two of them differ only in form."""
    names: dict[str, str | None] = {}
    try:
        for name in os.listdir(folder):  # noqa: PTH208
            if not name.isascii():
                names[composed(name)] = None if composed(name) in names else name
    except OSError:
        return {}
    return names
