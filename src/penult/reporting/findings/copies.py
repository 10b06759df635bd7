"""Images that are there more than once."""

from __future__ import annotations

from penult.reporting.content import Report
from penult.reporting.findings.finding import Finding
from penult.wording import count

__all__ = ["copies"]


def copies(report: Report) -> Finding | None:
    """Say how many images are in groups of duplicates.

    Returns
    -------
    Finding or None
        None where there are no duplicates, or they were not looked for.
    """
    found = report.duplicates
    if found is None or not found.groups:
        return None
    groups = count(len(found.groups), "group")
    of = f"{found.images:,} of {count(found.rows, 'image')}"
    return Finding(f"{of} are in {groups} of near-duplicates.", "duplicates")
