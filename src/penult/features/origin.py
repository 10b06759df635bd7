"""What a feature file says of where its images came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from penult.errors import FileFormatError
from penult.parsing import read_json, to_record

__all__ = ["read_origin"]


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
    used = to_record(_Used, origin, ignore_unknown=True)
    if any("\0" in source for source in used.sources):
        raise ValueError("a source of its origin has a NUL in it")
    return origin
