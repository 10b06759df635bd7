"""Labels that somebody has changed or confirmed."""

from __future__ import annotations

from dataclasses import dataclass

from penult.representation import short_repr

__all__ = ["ChangedLabel", "LabelChanges", "LabelEntries", "LabelEntry", "LabelHistory"]


@short_repr
@dataclass(frozen=True)
class LabelEntry:
    """An entry of the label log: somebody has changed the label of an image, or confirmed it.

    Attributes
    ----------
    entry : int
        Its number in the log.
    id : str
        The image's id.
    old, new : str or None
        The label before and after, equal where it was confirmed; None is no label.
    who : str or None
        Who did it, as they said.
    when : str
        Date and time, UTC, ISO 8601.
    batch : int or None
        The number of the call that made it, together with other entries or alone.
    undoes : int or None
        The number of the entry that it takes back.
    new_class : bool
        Whether it was a change that gave a label that no image of the gallery had: misspelt, maybe.
    """

    entry: int
    id: str
    old: str | None
    new: str | None
    who: str | None
    when: str
    batch: int | None = None
    undoes: int | None = None
    new_class: bool = False


@short_repr
@dataclass(frozen=True)
class LabelEntries:
    """What one call has put into the label log: all of it, or it would have failed.

    Attributes
    ----------
    entries : tuple of LabelEntry
        One an image.
    batch : int or None
        By what number `Client.undo` undoes them all; None where they are from several calls.
    new_class : bool
        Whether the label was one that no image of the gallery had: misspelt, maybe.
    """

    entries: tuple[LabelEntry, ...]
    batch: int | None = None
    new_class: bool = False


@short_repr
@dataclass(frozen=True)
class LabelHistory:
    """The label of an image, and how it came to be.

    Attributes
    ----------
    id : str
        The image's id.
    label : str or None
        Its present label; None is no label.
    history : tuple of LabelEntry
        What was done to it, oldest first.
    """

    id: str
    label: str | None
    history: tuple[LabelEntry, ...]


@short_repr
@dataclass(frozen=True)
class ChangedLabel:
    """The present label of an image that somebody has changed or confirmed.

    Attributes
    ----------
    id : str
        The image's id.
    label : str or None
        Its present label; None is no label.
    who : str or None
        Who has changed or confirmed it last, as they said.
    when : str
        Date and time of that, UTC, ISO 8601.
    """

    id: str
    label: str | None
    who: str | None = None
    when: str | None = None


@short_repr
@dataclass(frozen=True)
class LabelChanges:
    """Labels that somebody has changed or confirmed.

    Attributes
    ----------
    labels : tuple of ChangedLabel
        One an image.
    total : int or None
        How many there are in all.
    not_in_gallery : int
        How many more are of images that the gallery has not any more.
    changed : int or None
        How many images have another label than the gallery's file says; not of those confirmed.
    """

    labels: tuple[ChangedLabel, ...]
    total: int | None = None
    not_in_gallery: int = 0
    changed: int | None = None
