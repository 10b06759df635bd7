"""Rules that label images: by their source, by their names, by a file, or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from penult.errors import UsageError
from penult.images.labels.annotations import SPLITS, Annotation, ImageEntry
from penult.images.labels.label_file import LabelFile
from penult.images.other_files import other_kind
from penult.inputs import require_file, what_special
from penult.interface import option
from penult.texts import composed

__all__ = ["by_pattern", "by_source", "is_table", "label_rule", "unlabelled"]


def is_table(labels: str | Path) -> bool:
    """Whether labels are a file with a table, and no word or column that they are named by."""
    return isinstance(labels, Path) or not (
        labels in ("", "parent", "none") or labels.startswith("column:")
    )


def label_rule(
    labels: str | Path,
    label_pattern: str | None,
    path_column: str | None = None,
    label_column: str | None = None,
) -> tuple[Callable[[ImageEntry], Annotation], str | None]:
    """The rule that annotates images, by what a user chose.

    Parameters
    ----------
    labels : {"parent", "none", "column:NAME"} or path
        See `list_images`.
    label_pattern : str or None
        See `by_pattern`.
    path_column, label_column : str or None
        Of a table of labels; the latter also of the source's own table.

    Returns
    -------
    rule : callable
        From what a source tells of an image to its annotation.
    column : str or None
        The column of the source that states labels; "" for the usual one, None for none.

    Raises
    ------
    UsageError, PathNotFoundError, SourceError
    """
    if label_pattern is not None:
        if labels != "parent":
            raise UsageError(f"a label pattern and labels {str(labels)!r} exclude each other")
        _refuse_column(label_column, "a label pattern")
        return by_pattern(label_pattern), None
    if labels == "parent":
        return by_source, label_column or ""
    if labels == "none" or (isinstance(labels, str) and labels.startswith("column:")):
        _refuse_column(label_column, f"labels {str(labels)!r}")
    if labels == "none":
        return unlabelled, None
    if isinstance(labels, str) and labels.startswith("column:"):
        if labels == "column:":
            raise UsageError("labels 'column:' names no column; write e.g. column:species")
        return by_source, labels.removeprefix("column:")
    if not isinstance(labels, Path) and not labels.lower().endswith(".csv"):
        if (special := _special(labels)) is not None:
            raise UsageError(
                f"{option('labels', labels)} is {special}, and no table of labels; allowed: "
                "parent, none, column:NAME, or the name of a .csv file"
            )
        raise UsageError(
            f"labels {labels!r} is not known; allowed: parent, none, column:NAME, or the name of a "
            f".csv file{_other_table(labels)}"
        )
    return LabelFile(
        require_file(Path(labels), "a table of labels", (".csv",)), path_column, label_column
    ), None


def _special(labels: str) -> str | None:
    """What of that name is there and is no file, or one of another kind."""
    path = Path(labels)
    try:
        if special := what_special(path.stat()):
            return special
        with path.open("rb") as file:
            return other_kind(file)
    except (OSError, ValueError):
        return None


def _other_table(labels: str) -> str:
    if not labels.lower().endswith((".parquet", ".tsv", ".xlsx", ".json")):
        return ""
    return (
        f"; save {labels} as CSV"
        + " or, if it names the images, give it in their place"
        * labels.lower().endswith(".parquet")
    )


def _refuse_column(label_column: str | None, beside: str) -> None:
    if label_column is not None:
        raise UsageError(
            f"{option('label_column', label_column)} and {beside} exclude each other: both say "
            "where labels come from"
        )


def unlabelled(entry: ImageEntry) -> Annotation:
    """Leave an image without a label, but keep its split and group."""
    return Annotation(split=entry.split, group=entry.group)


def by_source(entry: ImageEntry) -> Annotation:
    """Label an image as its source says, or else by the folder it lies in."""
    labels = entry.folders[-1:] if entry.labels is None else entry.labels
    return Annotation(labels, entry.split, entry.group)


def by_pattern(pattern: str) -> Callable[[ImageEntry], Annotation]:
    r"""Label an image by what a regular expression finds in its file name.

    Parameters
    ----------
    pattern : str
        With a group ``label``, and if need be ``split`` and ``group``; searched for in the name
        without its extension, and if it is not there, in the whole name:
        ``(?P<label>.+)_\d+`` finds baby_shoe in baby_shoe_12.jpg.

    Raises
    ------
    UsageError
        If it is no regular expression, or has no group ``label``.
    """
    try:
        compiled = re.compile(composed(pattern))
    except re.error as error:
        raise UsageError(
            f"the label pattern '{pattern}' is not a regular expression: {error}"
        ) from (error)
    if "label" not in compiled.groupindex:
        raise UsageError(
            f"the label pattern '{pattern}' has no group named label; "
            r"write e.g. '(?P<label>.+)_\d+' to find baby_shoe in baby_shoe_12.jpg"
        )

    def rule(entry: ImageEntry) -> Annotation:
        name = PurePosixPath(composed(entry.id))
        match = compiled.search(name.stem) or compiled.search(name.name)
        if match is None:
            return unlabelled(entry)
        groups = match.groupdict()
        split = groups.get("split")
        return Annotation(
            labels=(groups["label"],) if groups["label"] else (),
            split=SPLITS.get(split.lower()) if split else entry.split,
            group=groups.get("group") or entry.group,
        )

    return rule
