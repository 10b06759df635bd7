"""One change of one image's label, and the lines that a log keeps them in."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from penult.errors import FileFormatError, UsageError
from penult.images.labels.manifest_rows import unique_labels
from penult.parsing import read_json, to_record
from penult.representation import short_repr, short_text
from penult.texts import composed

__all__ = [
    "LabelEntry",
    "checked_label",
    "checked_name",
    "from_line",
    "given_by",
    "giver",
    "named_label",
    "to_line",
]

LONGEST_LABEL, LONGEST_NAME = 200, 100


@short_repr
@dataclass(frozen=True, kw_only=True)
class LabelEntry:
    """One change of one image's label; where it was confirmed, the same before and after.

    Attributes
    ----------
    entry : int
        Its number in the log, from 1.
    batch : int
        The number of the change that it is a part of, from 1: all entries of a batch were made at
        once, or none of them.
    id : str
        The image.
    old, new : str or None
        Its label before and after, None for none; several are separated by ``|``.
    who : str or None
        Who made the change, as they call themselves.
    when : str
        The time in UTC, as ISO 8601 has it.
    undoes : int or None
        The number of the entry that this one takes back.
    """

    entry: int
    batch: int
    id: str
    old: str | None
    new: str | None
    who: str | None
    when: str
    undoes: int | None = None


@dataclass(frozen=True, kw_only=True)
class _Change:
    entry: int
    id: str
    old: str | None
    new: str | None
    undoes: int | None = None


@dataclass(frozen=True, kw_only=True)
class _Line:
    batch: int
    when: str
    who: str | None
    changes: tuple[_Change, ...]


def to_line(entries: Iterable[LabelEntry]) -> bytes:
    """Write the entries of one batch as one line, with its end."""
    batch = list(entries)
    line = {"batch": batch[0].batch, "when": batch[0].when, "who": batch[0].who}
    changes = []
    for one in batch:
        change = {"entry": one.entry, "id": one.id, "old": one.old, "new": one.new}
        changes.append(change if one.undoes is None else {**change, "undoes": one.undoes})
    return json.dumps({**line, "changes": changes}, ensure_ascii=False).encode() + b"\n"


def from_line(line: bytes) -> list[LabelEntry]:
    """Read the entries of one batch.

    Raises
    ------
    FileFormatError
        If the line is anything else.
    """
    try:
        read = to_record(_Line, read_json(line))
    except ValueError as error:  # of JSON, of UTF-8, and of what is no such record
        raise FileFormatError(f"is no change of labels: {error}") from error
    if not read.changes:
        raise FileFormatError("is a change of no image")
    return [
        LabelEntry(
            entry=one.entry,
            batch=read.batch,
            id=one.id,
            old=one.old,
            new=one.new,
            who=read.who,
            when=read.when,
            undoes=one.undoes,
        )
        for one in read.changes
    ]


def given_by(entry: LabelEntry) -> str:
    """Say who gave an image its label, in a sentence that names it."""
    how = "given" if entry.undoes is None else "put back"
    return f"{how} by {giver(entry)}"


def giver(entry: LabelEntry) -> str:
    """Name who made a change, in a sentence."""
    return "somebody" if entry.who is None else entry.who


def named_label(label: str | None) -> str:
    """Name a label in a sentence."""
    return f"the label {label!r}" if label else "no label"


def checked_label(label: str | None, *, several: bool = False) -> str | None:
    """Bring a label into the form that a table of labels gives back, or refuse it.

    Parameters
    ----------
    label : str or None
        As it was typed; None for no label.
    several : bool
        Whether an image may have several, separated by ``|``.

    Returns
    -------
    str or None
        In one Unicode form, without blanks around it; of several each once, in their order as text.

    Raises
    ------
    UsageError
        If it is empty, longer than 200 characters, or has characters that cannot be shown; if it
        has a ``|`` where an image has one label.
    """
    if label is None:
        return None
    text = _printable(label, "label", LONGEST_LABEL)
    names = unique_labels(text.split("|"))
    if not names:
        raise UsageError("the label is empty; give a label, or null for none")
    if not several and text != names[0]:
        raise UsageError(
            f"the label '{short_text(text, 60)}' has a | in it, which separates several labels, "
            "and each of these images has one; leave it out"
        )
    return "|".join(sorted(names))


def checked_name(who: str | None) -> str | None:
    """Refuse what cannot be the name of who changes a label; an empty one is none.

    Raises
    ------
    UsageError
        If it is longer than 100 characters, or has characters that cannot be shown.
    """
    return None if who is None else _printable(who, "name of who changes it", LONGEST_NAME) or None


def _printable(given: str, what: str, longest: int) -> str:
    text = composed(given).strip()
    if len(text) > longest:
        raise UsageError(
            f"the {what} has {len(text):,} characters; {longest} are the most that it may have"
        )
    if not text.isprintable():
        raise UsageError(
            f"the {what} '{short_text(text, 60)}' has characters that cannot be shown; leave them "
            "out"
        )
    return text
