"""Copies and near-duplicates among the images, and those that leak into the held-out part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.reporting.content import Report
from penult.reporting.duplicate_pictures import pictured_groups, pictured_pairs
from penult.reporting.sections.base import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["SECTION"]

MOST_GROUPS, MOST_PAIRS = 12, 9


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    found = report.duplicates
    if found is None or not (found.groups or found.across_total or found.suspects_total):
        return None
    groups = sorted(
        enumerate(found.groups, 1), key=lambda one: (one[1].exact, one[1].weakest, one[0])
    )
    return {
        "found": found,
        "across": pictured_pairs(found.across_splits[:MOST_PAIRS], thumbnails),
        "suspects": pictured_pairs(found.suspects[:MOST_PAIRS], thumbnails),
        "groups": pictured_groups(groups[:MOST_GROUPS], thumbnails),
        "rows": report.images - len(report.failures),
    }


SECTION = Section(
    name="duplicates", title="Duplicates and leaks", content=_content, tab="Duplicates"
)
