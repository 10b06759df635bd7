"""Images that are all one picture, as far as a chain of similarities says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from penult.records.duplicate_pair import DuplicatePair
from penult.representation import short_repr

__all__ = ["DuplicateGroup", "KeptFor"]

KeptFor = Literal["pixels", "bytes", "order"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class DuplicateGroup:
    """Images that are all one picture, as far as a chain of near-duplicates says so.

    Attributes
    ----------
    ids : tuple of str, length M
        Two or more, in the order of the feature file.
    keep : str
        The one to keep.
    weakest : float
        The least cosine of `links`. The images are one group at every threshold up to it, and fall
        apart above; the cosine of two of them that are not linked may be less.
    exact : bool
        Whether all files are the same, byte for byte.
    links : tuple of DuplicatePair, length M - 1
        What holds them together: the most similar pairs that connect all (a maximum spanning tree),
        the weakest first.
    kept_for : {"pixels", "bytes", "order"}
        What set the kept one apart from the others: more pixels; of as many pixels, more bytes; or
        the shortest file name, where those are the same or not known.
    cosines : tuple of float, length M
        Of each image to the kept one, that of the kept one to itself being 1. May be below the
        threshold, where they are connected by others.
    labels, splits : tuple of str or None, length M
        Of each image, as a `DuplicatePair` has them.
    """

    ids: tuple[str, ...]
    keep: str
    weakest: float
    exact: bool
    links: tuple[DuplicatePair, ...] = ()
    kept_for: KeptFor = "order"
    cosines: tuple[float, ...] = ()
    labels: tuple[str | None, ...] = ()
    splits: tuple[str | None, ...] = ()

    def __len__(self) -> int:
        """The number of images."""
        return len(self.ids)

    @property
    def removable(self) -> tuple[str, ...]:
        """The ids of all but the one to keep."""
        return tuple(one for one in self.ids if one != self.keep)

    @property
    def contested(self) -> bool:
        """Whether an image has a label that the one to keep has not, so that a person must decide.

        Dropping the others would drop that label, which may be the right one.
        """
        labels = dict(zip(self.ids, self.labels, strict=False))
        return any(label not in (None, labels[self.keep]) for label in self.labels)

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold: an element of ``groups`` in ``duplicates --json``.

        Returns
        -------
        dict
            ``ids``, ``keep``, ``weakest``, ``exact``; besides, ``kept_for``, and ``links`` as
            lists of two ids and their cosine.
        """
        return {
            "ids": list(self.ids),
            "keep": self.keep,
            "weakest": self.weakest,
            "exact": self.exact,
            "kept_for": self.kept_for,
            "links": [link.to_list() for link in self.links],
        }
