"""The feature files that an index was made of, and whether they are still the same."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import PenultError
from penult.features.read import load
from penult.interface import at_command_line, command, option
from penult.neighbors.glued_rows import row_blocks
from penult.rows_folders import is_rows_folder
from penult.wording import count, listed

if TYPE_CHECKING:
    from penult.records import Features

__all__ = ["Source", "source_of", "staleness"]

_SHOWN = 5  # removed rows that the command names


@dataclass(frozen=True, kw_only=True)
class Source:
    """A feature file as it was when its rows were taken.

    Attributes
    ----------
    file : str
        Its path: absolute; in an index file as seen from that, with POSIX separators.
    layer : str
        Which of its sets of rows.
    size, changed : int
        In bytes, and in nanoseconds since 1970.
    fingerprint : str
        Hex BLAKE2b-128 digest over rows, ids, labels and what else the index has of them.
    """

    file: str
    layer: str
    size: int
    changed: int
    fingerprint: str

    def seen_from(self, folder: Path) -> Source | None:
        """The same with a path relative to a folder; None where no path leads there."""
        try:
            path = os.path.relpath(self.file, folder.resolve())
        except ValueError:  # another drive
            return None
        return replace(self, file=Path(path).as_posix())

    def seen_from_here(self, folder: Path) -> Source:
        """The same with an absolute path, of one that was relative to a folder."""
        return replace(self, file=os.path.normpath(folder.resolve() / self.file))


def source_of(features: Features) -> Source | None:
    """Take the fingerprint of the file that features lie in; None of features in memory.

    Raises
    ------
    FeatureFileError
        If it is damaged at some row.
    """
    named = getattr(features.features, "named", "")
    path = Path(named)
    # Before it is read: what is written meanwhile makes it another.
    found = _status(path) if named else None
    if found is None:
        return None
    return Source(
        file=str(path.resolve()),
        layer=features.name,
        size=found.st_size,
        changed=found.st_mtime_ns,
        fingerprint=_fingerprint(features),
    )


def _fingerprint(features: Features) -> str:
    rows = features.features
    digest = hashlib.blake2b(f"{rows.shape} {rows.dtype.name}\n".encode(), digest_size=16)
    for block in row_blocks(rows):
        digest.update(np.ascontiguousarray(block).reshape(-1).view(np.uint8).data)
    for array in (features.labels, features.targets):
        digest.update(b"none" if array is None else np.ascontiguousarray(array).tobytes())
    digest.update(json.dumps(features.label_names).encode())
    for column in (features.ids, features.splits, features.groups, features.content):
        digest.update(b"\1" if column is None else b"\2")
        for text in column or ():
            encoded = str(text).encode("utf-8", "surrogatepass")
            digest.update(len(encoded).to_bytes(4, "little") + encoded)
    return digest.hexdigest()


def staleness(
    index: Path,
    sources: Sequence[Source],
    recipe: Any,
    options: dict[str, str],
    removed: Sequence[str],
) -> str:
    """Say how the feature files of an index are not what they were; those that are gone are fine.

    Parameters
    ----------
    index : its path
    recipe : of its rows
    options : with which it was built
    removed : ids of rows that were taken out

    Returns
    -------
    str
        With the command that builds it anew; empty where nothing changed.
    """
    for source in sources:
        path = Path(source.file)
        if why := _changed(path, source, recipe):
            again = _again(index, sources, options, removed)
            what = f"{_short(path)} {why}"
            return f"{what} since it was built; {again}{_also(source, sources)}"
    return ""


def _also(changed: Source, sources: Sequence[Source]) -> str:
    """Which other files have to be extracted before the index can be built again."""
    recipe = _recipe(changed)
    others = [one for one in sources if one is not changed and _recipe(one) != recipe]
    if recipe is None or not others:
        return ""
    first, *files = [_short(Path(one.file)) for one in (changed, *others)]
    return (
        f"; before that, extract {listed(files, _SHOWN)} again in the way of {first}, since an "
        "index is of rows of one recipe"
    )


def _recipe(source: Source) -> Any:
    """Of the rows that are there now; None where there are none."""
    for layer in (source.layer, None):  # the last, where it has none of that name any more
        try:
            return load(Path(source.file), layer).recipe
        except (PenultError, OSError, ValueError):
            continue
    return None


def _changed(path: Path, source: Source, recipe: Any) -> str | None:
    """How a file differs from what it was; None where it does not, or is not there."""
    found = _status(path)
    if found is None:
        return None
    if (found.st_size, found.st_mtime_ns) == (source.size, source.changed):
        return None
    try:
        features = load(path, source.layer)
        if features.recipe != recipe:
            return "has rows of another recipe"
        return None if _fingerprint(features) == source.fingerprint else "has changed"
    except PenultError:
        return "has changed"


def _status(path: Path) -> os.stat_result | None:
    """Of a file, or of what says what is in a folder of rows; None where it is neither."""
    if is_rows_folder(path):
        path /= "manifest.json"
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    # Whatever an index from elsewhere names, no pipe or device is read.
    return found if stat.S_ISREG(found.st_mode) else None


def _short(path: Path) -> str:
    """A path as it is typed here: relative where it lies below this folder."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def is_near(file: str) -> bool:
    """Whether a path in an index may be looked at: a relative one, on this machine."""
    path = PurePosixPath(file)
    return bool(file) and not path.is_absolute() and not set(file) & {"\0", "\\", ":"}


def _again(
    index: Path, sources: Sequence[Source], options: dict[str, str], removed: Sequence[str]
) -> str:
    first, *more = [_short(Path(one.file)) for one in sources]
    several = {"add": more, "remove": list(removed) if len(removed) <= _SHOWN else []}
    said = {"output": str(index), **options, "overwrite": True}
    if at_command_line():
        typed = command("index", first, **said)
        for name, values in several.items():
            typed += "".join(f" {option(name, value)}" for value in values)
    else:
        lists = {name: values for name, values in several.items() if values}
        typed = command("index", first, **said, **lists)
    unsaid = (
        "" if len(removed) <= _SHOWN else f", and remove its {count(len(removed), 'row')} again"
    )
    return f"build it again: {typed}{unsaid}"
