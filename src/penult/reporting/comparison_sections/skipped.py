"""What could not be compared, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.reporting.comparison_sections.content import ComparisonContent
from penult.web.section import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["SKIPPED"]


def _content(shown: ComparisonContent, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    return {"skipped": shown.comparison.skipped} if shown.comparison.skipped else None


SKIPPED = Section[ComparisonContent](name="skipped", title="Skipped", content=_content)
