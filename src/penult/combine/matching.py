"""Which rows of several files are of the same image: by id and digest, never by position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from penult.combine.writing import named
from penult.errors import SourceError
from penult.features.id_keys import find_places, id_key
from penult.representation import short_text
from penult.texts import composed
from penult.wording import count, listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features

__all__ = ["Match", "match_rows"]


@dataclass(frozen=True, eq=False)
class Match:
    """Rows that belong together.

    Attributes
    ----------
    places : sequence of int array, each of shape (n,)
        One a file: where in it the row of each image is, images in the order of the first file.
    missing : mapping of str to tuple of str
        Ids that some files have no row of, to what those are called; no failures.
    changed : tuple of str
        Ids whose image is another one, by its digest, in some file.
    """

    places: Sequence[NDArray[np.intp]]
    missing: dict[str, tuple[str, ...]]
    changed: tuple[str, ...]


def match_rows(files: Sequence[Features]) -> Match:
    """Match the rows of several features.

    Where features have no digests, as those that a program made, the ids alone count.

    Raises
    ------
    SourceError
        If features have no rows or an id twice, or no image has a row in all.
    """
    for one in files:
        if not len(one.ids):
            raise SourceError(f"{named(one)} has no rows; extract images that can be read")
    keys = [_keys(one) for one in files]
    first = files[0]
    places = [find_places(keys[0], of) for of in keys]
    everywhere = np.logical_and.reduce([found >= 0 for found in places])
    same = _same_images(files, places, everywhere)
    missing = _missing(files, keys, np.flatnonzero(~everywhere), places)
    if not everywhere.any():
        raise SourceError(
            f"no image has a row in {_all(files)}: {named(first)} begins with "
            f"{short_text(str(first.ids[0]))}, {named(files[1])} with "
            f"{short_text(str(files[1].ids[0]))}; rows are matched by id, so extract both from the "
            "same folder"
        )
    if not same.any():
        raise SourceError(
            f"the images of {_all(files)} have the same names, but other bytes: "
            f"{listed(map(str, first.ids), 3)}; extract all of them again from the same images"
        )
    changed = tuple(str(first.ids[k]) for k in np.flatnonzero(everywhere & ~same).tolist())
    return Match([found[same] for found in places], missing, changed)


def _all(files: Sequence[Features]) -> str:
    names = [named(one) for one in files]
    return f"both {names[0]} and {names[1]}" if len(names) == 2 else f"all of {listed(names)}"


def _keys(features: Features) -> NDArray[np.bytes_]:
    """Sixteen bytes an id, in one Unicode form: a million ids take no more than they have to."""
    digests = bytearray()
    for one in features.ids:
        digests += id_key(composed(str(one)))
    keys = np.frombuffer(bytes(digests), "S16")
    _, places, counts = np.unique(keys, return_index=True, return_counts=True)
    if len(places) < len(keys):
        twice = [str(features.ids[k]) for k in np.sort(places[counts > 1])[:3]]
        raise SourceError(
            f"{named(features)} has two rows of {listed(map(short_text, twice))}; rows are matched "
            "by id, so each may be there once"
        )
    return keys


def _same_images(
    files: Sequence[Features],
    places: Sequence[NDArray[np.intp]],
    everywhere: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Whether all files have an image by the same digest, as far as they know one."""
    same = everywhere.copy()
    contents = [(one.content, found) for one, found in zip(files, places, strict=True)]
    known = [(content, found) for content, found in contents if content is not None]
    for row in np.flatnonzero(everywhere).tolist() if len(known) > 1 else ():
        same[row] = len({str(content[found[row]]) for content, found in known} - {""}) < 2
    return same


def _missing(
    files: Sequence[Features],
    keys: Sequence[NDArray[np.bytes_]],
    lacking: NDArray[np.intp],
    places: Sequence[NDArray[np.intp]],
) -> dict[str, tuple[str, ...]]:
    """Ids with a row in some files only, to the others; those that failed there are failures."""
    failed = {failure.id for one in files for failure in one.failures}
    found: dict[str, tuple[str, ...]] = {}

    def note(image_id: str, there: Sequence[bool]) -> None:
        if image_id not in failed and image_id not in found:
            pairs = zip(files, there, strict=True)
            found[image_id] = tuple(named(one) for one, has in pairs if not has)

    for row in lacking.tolist():
        note(str(files[0].ids[row]), [bool(of[row] >= 0) for of in places])
    for number, one in enumerate(files[1:], 1):
        others = np.flatnonzero(find_places(keys[number], keys[0]) < 0)
        there = [find_places(keys[number][others], of) >= 0 for of in keys]
        for k, row in enumerate(others.tolist()):
            note(str(one.ids[row]), [bool(has[k]) for has in there])
    return found


def in_words(ids: Sequence[str], what: str) -> str:
    """Say that some images were left out, and name a few."""
    were = "was" if len(ids) == 1 else "were"
    few = listed(map(short_text, ids), 3)
    return f"{count(len(ids), 'image')} {were} left out, {what}: {few}"
