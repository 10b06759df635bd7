"""What a feature file says of where its images came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from penult.parsing import read_json
from penult.recipe import require_types

__all__ = ["read_origin"]


@dataclass(frozen=True, kw_only=True)
class _Known:
    # What is used of it, later and elsewhere; whatever else there is may be anything.
    sources: tuple[str, ...] = ()
    folder: str = ""
    labels: str = ""
    label_pattern: str | None = None
    passed_over: Mapping[str, int] = field(default_factory=dict)
    max_pixels: int | None = None
    allow_truncated: bool = False
    shuffle: int | None = None


def read_origin(text: str) -> dict[str, Any]:
    """Read it from JSON.

    Raises
    ------
    ValueError, TypeError
        If it is not what `penult.extract` writes.
    """
    origin = read_json(text)
    if not isinstance(origin, dict):
        raise TypeError(f"origin is {text[:40]!r}")
    known = {f.name: origin[f.name] for f in fields(_Known) if f.name in origin}
    sources = known.get("sources", [])
    require_types(_Known(**{**known, "sources": tuple(sources)}))
    if any("\0" in source for source in sources):
        raise ValueError("a source of its origin has a NUL in it")
    return origin
