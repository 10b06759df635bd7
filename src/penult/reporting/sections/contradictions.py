"""Images that trained a classifier that was given, and are called otherwise by it all the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.reporting.content import Report
from penult.reporting.sections.base import LARGE, Section
from penult.web.thumbnails import Thumbnails

__all__ = ["SECTION"]

MOST_SHOWN = 96


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    applied = report.applied
    images = None if applied is None else applied.trained_images
    if applied is None or images is None or applied.evaluation is None:
        return None
    wrong = applied.contradicted
    if not wrong or applied.evaluation.apart is None:
        return None  # where all of them trained it, these are the page's mistakes
    return {
        "total": len(wrong),
        "images": len(images),
        "shown": [(one, thumbnails.photo(one.id, LARGE)) for one in wrong[:MOST_SHOWN]],
    }


SECTION = Section(
    name="contradictions",
    title="Trained on, and called otherwise",
    tab="Contradictions",
    content=_content,
)
