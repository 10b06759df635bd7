"""Which columns of a table name the images and their labels."""

from __future__ import annotations

from collections.abc import Sequence

from penult.errors import UsageError
from penult.interface import option
from penult.texts import composed

__all__ = ["find_label_column", "find_path_column"]

_PATHS = ("filepath", "file_path", "image_path", "img_path", "filename", "file_name", "image_name",
          "file", "image", "img", "photo")  # fmt: skip
_LABELS = ("class", "class_name", "classname", "category", "target", "species")


def find_path_column(columns: Sequence[str], wanted: str | None, table: str) -> str | None:
    """The column that names the images: `wanted`, or ``path``, or the only one that is named so.

    Parameters
    ----------
    columns : sequence of str
        In lower case.
    wanted : str or None
        As the user typed it.
    table : str
        For messages.

    Raises
    ------
    UsageError
        If `wanted` is not there, or several columns may be meant.
    """
    if wanted is None and "path" in columns:
        return "path"
    return _find(columns, wanted, _PATHS, table, "path_column", "the images")


def find_label_column(columns: Sequence[str], wanted: str | None, table: str) -> str | None:
    """The column of the labels: `wanted`, or ``label``, ``labels``, or the only one named so.

    Parameters
    ----------
    columns : sequence of str
        In lower case.
    wanted : str or None
        As the user typed it; "" for the usual one, None for none.
    table : str
        For messages.

    Raises
    ------
    UsageError
        If `wanted` is not there, or several columns may be meant.
    """
    if wanted is None:
        return None
    usual = next((name for name in ("label", "labels") if name in columns), None)
    if not wanted and usual:
        return usual
    return _find(columns, wanted or None, _LABELS, table, "label_column", "the labels")


def _find(
    columns: Sequence[str], wanted: str | None, names: Sequence[str], table: str, by: str, what: str
) -> str | None:
    if wanted is not None:
        if composed(wanted).lower() in columns:
            return composed(wanted).lower()
        there = ", ".join(columns) if any(columns) else "nothing"
        raise UsageError(f"{table} has no column {wanted}; its first line names {there}")
    found = [column for column in columns if column in names]
    if len(found) > 1:
        raise UsageError(
            f"{table} has several columns that may name {what}: {', '.join(found)}; choose one "
            f"with {option(by, found[0])}"
        )
    return found[0] if found else None
