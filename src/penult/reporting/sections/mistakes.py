"""Images put into the wrong class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.reporting.content import Report
from penult.reporting.misclassified import misclassified
from penult.reporting.sections.base import LARGE, Section
from penult.web.thumbnails import Thumbnails

__all__ = ["SECTION"]

MOST_MISTAKES = 48


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    trained = report.trained
    if trained is None:
        return None
    wrong = misclassified(trained.held_out)
    return {
        "shown": [(m, thumbnails(m.id, LARGE)) for m in wrong[:MOST_MISTAKES]],
        "total": len(wrong),
    }


SECTION = Section(name="mistakes", title="Mistakes", content=_content)
