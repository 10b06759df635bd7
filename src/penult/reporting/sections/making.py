"""How the features and the classifier were made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.reporting.content import Report
from penult.reporting.sections.base import Section
from penult.reporting.thumbnails import Thumbnails

__all__ = ["SECTION"]

MEASURES = ("accuracy", "log_loss")  # of a candidate; all else are its parameters


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any]:
    settings = dict(report.settings)
    chosen, grid = settings.pop("chosen", {}), list(settings.pop("grid", ()))
    tried = [{k: v for k, v in point.items() if k not in MEASURES} for point in grid]
    common = {k for k, v in tried[0].items() if all(t.get(k) == v for t in tried)} if tried else {}
    candidates = [
        {
            "parameters": {k: v for k, v in one.items() if k not in common} or one,
            "accuracy": point["accuracy"],
            "log_loss": point.get("log_loss"),
            "chosen": one == chosen,
        }
        for one, point in zip(tried, grid, strict=True)
    ]
    shown = {k.replace("_", " "): v for k, v in settings.items() if v not in (None, "", (), [], {})}
    return {"settings": shown, "chosen": chosen, "grid": candidates}


SECTION = Section(name="making", title="How it was made", content=_content, tab="Making")
