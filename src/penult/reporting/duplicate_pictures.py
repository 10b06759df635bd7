"""Duplicates with their pictures, as many of them as a page can hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from penult.records import DuplicateGroup, DuplicatePair
from penult.web.thumbnails import Thumbnails, WholePicture

__all__ = ["PicturedCopy", "PicturedGroup", "PicturedPair", "pictured_groups", "pictured_pairs"]

SIDE = 192  # pixels of the longer side, shown at most as large

MOST_COPIES = 6
"""Images of a group that are shown, of which the kept one is the first."""


@dataclass(frozen=True, kw_only=True)
class PicturedCopy:
    """An image among its duplicates."""

    id: str
    picture: WholePicture | None
    label: str | None = None
    split: str | None = None
    cosine: float | None = None
    kept: bool = False


@dataclass(frozen=True)
class PicturedGroup:
    """A group with its number in the table of all groups, from 1, and the images that are shown."""

    number: int
    group: DuplicateGroup
    copies: tuple[PicturedCopy, ...]

    @property
    def left_out(self) -> int:
        """How many images are not shown."""
        return len(self.group) - len(self.copies)


@dataclass(frozen=True)
class PicturedPair:
    """A pair with both of its images."""

    pair: DuplicatePair
    copies: tuple[PicturedCopy, PicturedCopy]


def pictured_groups(
    groups: Iterable[tuple[int, DuplicateGroup]], thumbnails: Thumbnails
) -> list[PicturedGroup]:
    """Put pictures beside groups, the kept image first and then those most similar to it.

    Parameters
    ----------
    groups : iterable of (int, DuplicateGroup)
        With the number that each has in the table of all groups, from 1.
    thumbnails : Thumbnails

    Returns
    -------
    list of PicturedGroup
    """
    return [
        PicturedGroup(number, group, tuple(_copies(group, thumbnails))) for number, group in groups
    ]


def pictured_pairs(pairs: Sequence[DuplicatePair], thumbnails: Thumbnails) -> list[PicturedPair]:
    """Put pictures beside pairs.

    Returns
    -------
    list of PicturedPair
        In the order of the pairs.
    """
    return [
        PicturedPair(
            pair,
            (
                _of_pair(pair.first, pair.labels[0], pair.splits[0], thumbnails),
                _of_pair(pair.second, pair.labels[1], pair.splits[1], thumbnails),
            ),
        )
        for pair in pairs
    ]


def _copies(group: DuplicateGroup, thumbnails: Thumbnails) -> Iterable[PicturedCopy]:
    known = range(len(group.cosines))
    order = sorted(
        range(len(group)),
        key=lambda k: (group.ids[k] != group.keep, -group.cosines[k] if k in known else 0, k),
    )
    for place in order[:MOST_COPIES]:
        one = group.ids[place]
        kept = one == group.keep
        yield PicturedCopy(
            id=one,
            picture=thumbnails.whole(one, SIDE),
            label=group.labels[place] if group.labels else None,
            split=group.splits[place] if group.splits else None,
            cosine=group.cosines[place] if place in known and not (kept or group.exact) else None,
            kept=kept,
        )


def _of_pair(
    image_id: str, label: str | None, split: str | None, thumbnails: Thumbnails
) -> PicturedCopy:
    picture = thumbnails.whole(image_id, SIDE)
    return PicturedCopy(id=image_id, picture=picture, label=label, split=split)
