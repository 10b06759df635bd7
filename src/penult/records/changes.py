"""What an update changed in a feature file."""

from __future__ import annotations

from dataclasses import dataclass

from penult.representation import short_repr

__all__ = ["Changes", "Relabelled"]


@dataclass(frozen=True)
class Relabelled:
    """An image that has other labels now.

    Attributes
    ----------
    id : str
        Of now, if it was renamed.
    before, after : tuple of str
        Its labels, sorted; none of an image without.
    """

    id: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@short_repr
@dataclass(frozen=True, kw_only=True)
class Changes:
    """What an update changed in a feature file, by the ids of the images.

    Attributes
    ----------
    added : tuple of str
        Images that have a row now, and had none.
    removed : tuple of str
        Images that had a row, and are no longer there.
    failed : tuple of str
        Images that had a row, and can no longer be read. A plan, which reads none, has none.
    changed : tuple of str
        Images that have other bytes now, by the same id. A plan, which reads no bytes, has none.
    relabelled : tuple of Relabelled
        Images that have other labels now, by the same id, or by the one that they were renamed to.
    classes_gone : tuple of str
        Classes of which no image is left, whether those that there were have been removed, were
        given other labels, or can no longer be read; sorted. A plan, which reads none, leaves out
        the last.
    renamed : tuple of (str, str)
        The id that was and the id that is now, of images whose bytes are there under another one:
        they are neither added nor removed. A plan, which reads no bytes, has none: there, they are
        both.
    retried : tuple of str
        Of a plan alone, images that had no row because they failed, and are tried again. An update
        has those that can be read now among `added`.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    relabelled: tuple[Relabelled, ...] = ()
    classes_gone: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    retried: tuple[str, ...] = ()
