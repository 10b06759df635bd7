"""Images that could not be read."""

from __future__ import annotations

from penult.records.failure import failure_counts
from penult.reporting.content import Report
from penult.reporting.findings.finding import Finding

__all__ = ["unreadable"]


def unreadable(report: Report) -> Finding | None:
    """Say how many images could not be read, or are not there.

    Returns
    -------
    Finding or None
        None where every one could.
    """
    if not report.failures:
        return None
    said = "; ".join(failure_counts(report.failures, report.images))
    return Finding(f"{said}.", "failures")
