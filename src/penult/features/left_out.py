"""Images that an update would drop only because it was not given where they are."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from penult.errors import UsageError
from penult.features.origin import every_origin
from penult.images.relocate import places_of
from penult.images.sources.remote.connection import is_url
from penult.interface import at_command_line, command, option
from penult.records import Changes, Features
from penult.wording import count, listed

__all__ = ["require_all_given"]


def require_all_given(
    path: str | Path, old: Features, origin: Mapping[str, Any], changes: Changes
) -> None:
    """Refuse an update that drops images of places which it was not given.

    A place that is not there any more is no reason, nor one in place of which another was given
    that has all of its images. What was merged tells of several runs, perhaps on other machines:
    there, every place has to be given.

    Parameters
    ----------
    path : path
        The file that is brought up to date.
    old : Features
        What is in it.
    origin : mapping
        Of the images of now.
    changes : Changes
        What the update would change.

    Raises
    ------
    UsageError
        Names places that are missing, and says what to do.
    """
    if not changes.removed:
        return
    origins, given = every_origin(old.origin), {_same(one) for one in places_of(origin)}
    missing = [
        one
        for run in origins
        for one in places_of(run)
        if not _is_within(one, given) and (len(origins) > 1 or is_url(one) or Path(one).exists())
    ]
    if not missing:
        return
    are = "is" if len(missing) == 1 else "are"
    what = (
        f"{path} has images of {listed(missing, 3)}, which {are} not given, and this would remove "
        f"{count(len(changes.removed), 'image')}; give every place that its images come from"
    )
    if len(origins) > 1:
        merged = _merged_anew(path)
        what += (
            f", or, as it was put together of {len(origins)} runs, update their folders of rows "
            f"and merge them anew ({merged})"
        )
    raise UsageError(
        f"{what}; {option('overwrite', True)} beside {option('update', True)} removes those images"
    )


def _merged_anew(path: str | Path) -> str:
    """What merges folders of rows in the place of a file; a list where Python takes one."""
    if at_command_line():
        return command("merge", "FOLDER.rows", "FOLDER.rows", output=str(path), overwrite=True)
    return f"penult.merge([FOLDER, FOLDER], {str(path)!r}, {option('overwrite', True)})"


def _same(place: str) -> str:
    """Write a place as every name of it is written."""
    return place.rstrip("/") if is_url(place) else os.path.realpath(place)


def _is_within(place: str, given: Collection[str]) -> bool:
    between = "/" if is_url(place) else os.sep
    parts = _same(place).split(between)
    return any(between.join(parts[:k]) in given for k in range(1, len(parts) + 1))
