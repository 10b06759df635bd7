"""Held-out images that the classifier as good as knew."""

from __future__ import annotations

from penult.reporting.content import Report
from penult.reporting.findings.finding import Finding
from penult.wording import count, percent

__all__ = ["changes_the_score", "leaks"]


def leaks(report: Report) -> Finding | None:
    """Say how many held-out images have a near-duplicate among those that were trained on.

    Returns
    -------
    Finding or None
        None where there is none, or they were not looked for.
    """
    found = None if report.duplicates is None else report.duplicates.leaks
    if found is None or not found.near:
        return None
    have = "has" if found.near == 1 else "have"
    text = (
        f"{found.near:,} of {count(found.held_out, 'held-out image')} {have} a near-duplicate "
        "among those trained on"
    )
    if found.without is not None:
        without = "it" if found.near == 1 else "them"
        text += f"; without {without} the {found.score} is {percent(found.without)}"
    return Finding(f"{text}.", "duplicates")


def changes_the_score(report: Report) -> bool:
    """Whether the score without those images is below the 95% interval of the one with them."""
    found = None if report.duplicates is None else report.duplicates.leaks
    if found is None or found.without is None or report.trained is None or report.multilabel:
        return False
    interval = report.trained.scores.interval
    return interval is not None and found.without < interval[0]
