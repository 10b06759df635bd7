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
        Images that the file did not name among its rows; one that was moved is one of these.
    removed : tuple of str
        Images that are no longer there by that id, and whose rows were dropped.
    relabelled : tuple of str
        Images that have other labels now.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    relabelled: tuple[str, ...] = ()
