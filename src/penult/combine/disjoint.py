"""Rows of several runs that may stand in one file: made alike, and of different images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import RecipeMismatchError, SourceError
from penult.features.id_keys import id_key
from penult.features.origin import every_origin
from penult.images.pixels.decode import MAX_PIXELS
from penult.interface import command, option
from penult.recipe.comparison import require_equal
from penult.representation import short_text
from penult.wording import count, listed, times

if TYPE_CHECKING:
    from penult.records import Features

__all__ = ["require_disjoint", "require_made_alike"]

_NO_VIEWS = "without augmented views"
_READING = {"max_pixels": MAX_PIXELS, "allow_truncated": False}
"""Options that no recipe has, and what they are where they are not given."""


def require_made_alike(files: Sequence[Features], places: Sequence[str]) -> None:
    """Refuse rows of one name that were made in several ways.

    Parameters
    ----------
    files : sequence of Features
    places : sequence of str
        What messages call them.

    Raises
    ------
    RecipeMismatchError
        Names the two, and in what they differ.
    """
    first, views = files[0], None
    for one, place in zip(files, places, strict=True):
        if one.layers != first.layers:
            raise RecipeMismatchError(
                f"{places[0]} has the rows {listed(first.layers, 3)}, and {place} has "
                f"{listed(one.layers, 3)}; merge what was extracted with the same options"
            )
        require_equal(first.recipe, one.recipe, name=places[0], other_name=place)
        kinds = [f"{times(x.features.shape[1:])} {x.features.dtype}" for x in (first, one)]
        if kinds[0] != kinds[1]:
            raise RecipeMismatchError(
                f"{places[0]} has rows of {kinds[0]}, and {place} has rows of {kinds[1]}; merge "
                "what was extracted with the same options"
            )
        if one.augmented is not None:
            views = views or (one.augmented.recipe, place)
            require_equal(views[0], one.augmented.recipe, name=views[1], other_name=place)
        said = [_augmentation(x) for x in (first, one)]
        if said[0] != said[1]:
            raise RecipeMismatchError(
                f"{places[0]} was extracted {said[0]}, and {place} {said[1]}: a classifier would "
                "be trained on more views of the photos of one; merge what was extracted with the "
                "same options"
            )
        _require_read_alike(first, one, places[0], place)


def _require_read_alike(one: Features, other: Features, place: str, other_place: str) -> None:
    """Refuse rows of which those options differ that decide which images have one.

    What says nothing of them is older than the options, or a program's.
    """
    for name, without in _READING.items():
        said = [_said_of(name, without, features) for features in (one, other)]
        if all(said) and said[0] != said[1]:
            shown = [" and ".join(sorted(values)) for values in said]
            instead = "merge what was extracted with the same options"
            if len(said[0]) == 1:
                instead = (
                    f"type what {command('info', other_place)} says makes {other_place} again, but "
                    f"{shown[0]} and with {option('overwrite', True)}"
                )
            raise RecipeMismatchError(
                f"{place} was extracted {shown[0]}, and {other_place} {shown[1]}: an image may "
                f"have a row in one and fail in the other; {instead}"
            )


def _said_of(name: str, without: object, features: Features) -> set[str]:
    """What each run that the rows are of was told."""
    values = {
        without if one[name] is None else one[name]
        for one in every_origin(features.origin)
        if name in one
    }
    return {f"{'without' if v == without else 'with'} {_typed(name, v, without)}" for v in values}


def _typed(name: str, value: object, without: object) -> str:
    return option(name) if value == without else option(name, value)


def _augmentation(features: Features) -> str:
    """What was asked for of augmented views, in each run that the rows are of.

    Not which photos have some, for those of other splits than train have none.
    """
    asked = {_asked(origin) for origin in every_origin(features.origin)}
    if asked == {_NO_VIEWS} and features.augmented is not None:
        asked = {"with augmented views"}  # a program's, which says no more
    return " and ".join(sorted(asked))


def _asked(origin: Mapping[str, Any]) -> str:
    names = (name for name in ("augment", "augment_to") if origin.get(name))
    return next((f"with {option(name, origin[name])}" for name in names), _NO_VIEWS)


def require_disjoint(files: Sequence[Features], places: Sequence[str]) -> None:
    """Refuse an image that is in two of them, with a row or as a failure.

    Parameters
    ----------
    files, places
        As for `require_made_alike`.

    Raises
    ------
    SourceError
        Names the two, and some of the images.
    """
    columns = [[one.ids, [failure.id for failure in one.failures]] for one in files]
    keys = [
        np.array([id_key(str(text)) for column in both for text in column], "V16")
        for both in columns
    ]
    owner = np.repeat(np.arange(len(files)), [len(one) for one in keys])
    all_keys = np.concatenate(keys).view("S16")
    order = np.argsort(all_keys, kind="stable")
    same = np.flatnonzero(
        (all_keys[order][1:] == all_keys[order][:-1]) & (owner[order][1:] != owner[order][:-1])
    )
    if not len(same):
        return
    one, other = int(owner[order[same[0]]]), int(owner[order[same[0] + 1]])
    of_these = [
        int(order[k + 1])
        for k in same.tolist()
        if (owner[order[k]], owner[order[k + 1]]) == (one, other)
    ]
    start = sum(len(of) for of in keys[:other])
    ids, failed = columns[other]
    names = [
        str(ids[k - start] if k - start < len(ids) else failed[k - start - len(ids)])
        for k in sorted(of_these)
    ]
    are = "is" if len(names) == 1 else "are"
    raise SourceError(
        f"{count(len(names), 'image')} {are} both in {places[one]} and in {places[other]}: "
        f"{listed(map(short_text, names), 3)}; an image has one row, so give folders of different "
        "images"
    )
