"""The pictures that could not be measured, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.reporting.outlier_sections.content import OutliersContent
from penult.web.section import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["FAILURES"]

_MOST = 200


def _content(shown: OutliersContent, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    found = shown.outliers.failures
    if not found:
        return None
    return {
        "failures": found[:_MOST],
        "all": len(found),
        "left_out": max(0, len(found) - _MOST),
    }


FAILURES = Section[OutliersContent](name="failures", title="Not measured", content=_content)
