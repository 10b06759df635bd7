"""Pairs of which one image is in another part than the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.reporting.duplicate_pictures import pictured_pairs
from penult.reporting.duplicate_sections.content import DuplicatesContent
from penult.web.section import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["ACROSS"]

MOST_PAIRS = 40


def _content(shown: DuplicatesContent, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    found = shown.duplicates
    if not found.across_splits and found.leaks is None and found.repaired is None:
        return None  # parts were not asked for
    return {
        "pairs": pictured_pairs(found.across_splits[:MOST_PAIRS], thumbnails),
        "total": found.across_total,
        "leaks": found.leaks,
        "repaired": found.repaired,
    }


ACROSS = Section[DuplicatesContent](
    name="across", title="Pairs across the parts", content=_content, tab="Across parts"
)
