"""Pairs with different labels, of which one is likely wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.reporting.duplicate_pictures import pictured_pairs
from penult.reporting.duplicate_sections.content import DuplicatesContent
from penult.web.section import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["SUSPECTS"]

MOST_PAIRS = 40


def _content(shown: DuplicatesContent, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    found = shown.duplicates
    if not any(label is not None for group in found.groups for label in group.labels):
        return None
    return {
        "pairs": pictured_pairs(found.suspects[:MOST_PAIRS], thumbnails),
        "total": found.suspects_total,
    }


SUSPECTS = Section[DuplicatesContent](name="suspects", title="Different labels", content=_content)
