"""What an update changed in a feature file."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Changes"]


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What an update changed in a feature file, by the ids of the images.

    Attributes
    ----------
    added : tuple of str
        Images that have a row now, and had none.
    removed : tuple of str
        Images that had a row, and have none now: they are no longer there, or can no longer be
        read.
    changed : tuple of str
        Images that have other bytes now, by the same id. A plan, which reads no bytes, has none.
    relabelled : tuple of str
        Images that have other labels now, by the same id, or by the one that they were renamed to.
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
    changed: tuple[str, ...] = ()
    relabelled: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    retried: tuple[str, ...] = ()
