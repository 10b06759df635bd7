"""Images that could not be read."""

from __future__ import annotations

from penult.reporting.content import Report
from penult.reporting.findings.finding import Finding
from penult.wording import count

__all__ = ["unreadable"]


def unreadable(report: Report) -> Finding | None:
    """Say how many images could not be read.

    Returns
    -------
    Finding or None
        None where every one could.
    """
    if not report.failures:
        return None
    of = f"{len(report.failures):,} of {count(report.images, 'image')}"
    return Finding(f"{of} could not be read.", "failures")
