"""The groups: those of near-duplicates, and those of exact copies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.reporting.duplicate_pictures import pictured_groups
from penult.reporting.duplicate_sections.content import DuplicatesContent
from penult.web.section import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["GROUPS"]

MOST_NEAR, MOST_EXACT = 50, 20  # groups; exact copies look the same


def _content(shown: DuplicatesContent, thumbnails: Thumbnails) -> Mapping[str, Any]:
    numbered = list(enumerate(shown.duplicates.groups, 1))
    near = sorted((one for one in numbered if not one[1].exact), key=lambda one: one[1].weakest)
    exact = [one for one in numbered if one[1].exact]
    return {
        "near": pictured_groups(near[:MOST_NEAR], thumbnails),
        "near_total": len(near),
        "exact": pictured_groups(exact[:MOST_EXACT], thumbnails),
        "exact_total": len(exact),
        "zeros": shown.duplicates.zeros,
        "unseen": shown.duplicates.unseen,
    }


GROUPS = Section[DuplicatesContent](name="groups", title="Groups", content=_content)
