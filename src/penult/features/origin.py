"""What a feature file says of where its images came from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penult.errors import FileFormatError
from penult.parsing import read_json, to_record

__all__ = ["every_origin", "joined_origin", "read_origin", "where_to_look", "whereabouts"]

_WHERE = ("sources", "folder", "labels", "path_column")
_ADDED = "added"


@dataclass(frozen=True, kw_only=True)
class _JoinedOf:
    """What `penult.join` says of the files that it joined."""

    files: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    missing: int = 0
    changed: int = 0


@dataclass(frozen=True, kw_only=True)
class _Used:
    """What is used of an origin, here or elsewhere; whatever else there is may be anything."""

    sources: tuple[str, ...] = ()
    folder: str = ""
    labels: str = ""
    label_pattern: str | None = None
    path_column: str | None = None
    passed_over: Mapping[str, int] = field(default_factory=dict)
    max_pixels: int | None = None
    allow_truncated: bool = False
    shuffle: int | None = None
    augment: int | None = None
    augment_to: int | None = None
    augment_policy: str | None = None
    augment_seed: int | None = None
    joined: _JoinedOf | None = None
    added: tuple[Mapping[str, Any], ...] = ()


def read_origin(text: str) -> dict[str, Any]:
    """Read an origin from JSON.

    Raises
    ------
    ValueError
        If it is not what `penult.extract` writes.
    """
    origin = read_json(text)
    if not isinstance(origin, dict):
        raise FileFormatError(f"origin is {text[:40]!r}")
    for one in every_origin(origin):
        used = to_record(_Used, one, ignore_unknown=True)
        if any("\0" in source for source in used.sources):
            raise ValueError("a source of its origin has a NUL in it")
    return origin


def whereabouts(origin: Mapping[str, Any]) -> str:
    """Write, as JSON, what of an origin says where the images are."""
    first, *more = ({k: one[k] for k in _WHERE if k in one} for one in every_origin(origin))
    return json.dumps({**first, _ADDED: more} if more else first, default=str)


def joined_origin(first: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Make the origin of rows to which others were added; both are kept, each once."""
    before, after = every_origin(first), every_origin(more)
    added = [*before[1:], *(one for one in after if one not in before)]
    return {**before[0], **({_ADDED: added} if added else {})}


def every_origin(origin: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Take apart what `joined_origin` put together; one origin alone where it joined nothing."""
    own = {name: value for name, value in origin.items() if name != _ADDED}
    added = origin.get(_ADDED, ())
    known = added if isinstance(added, list | tuple) else ()
    return (own, *(one for one in known if isinstance(one, Mapping)))


def where_to_look(
    origin: Mapping[str, Any], images: str | Path | Sequence[str | Path] | None = None
) -> list[tuple[Mapping[str, Any], list[str | Path] | None]]:
    """List where images of an origin may be, each as `penult.images.relocate` takes it.

    Parameters
    ----------
    origin : mapping
        Of rows that may have been put together.
    images : path, str or sequence of them, optional
        Where the images are now, if they have moved. Those of several origins are in their folders
        all together, or each by itself.
    """
    origins = every_origin(origin)
    if images is None:
        return [(one, None) for one in origins]
    several = [images] if isinstance(images, str | Path) else [*images]
    is_divided = len(origins) > 1 and len(several) > 1
    return [(origin, way) for way in [several, *([one] for one in several if is_divided)]]
