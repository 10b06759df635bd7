"""How many labels look wrong."""

from __future__ import annotations

from penult.reporting.content import Report
from penult.reporting.findings.finding import Finding
from penult.wording import count

__all__ = ["wrong_labels"]


def wrong_labels(report: Report) -> Finding | None:
    """Count the images whose labels are likely wrong, and the files that have several.

    Returns
    -------
    Finding or None
        None where label errors were not looked for, and no file stands under two labels.
    """
    issues = None if report.trained is None else report.trained.label_issues
    files = len(report.contradictions)
    said = [f"{count(files, 'file')} {'is' if files == 1 else 'are'} there under several labels"]
    if not files:
        said = []
        if issues is None:
            return None
        if not issues:
            return Finding("No label looks wrong.", "making")
    if issues:
        of = f"{len(issues):,} of {count(report.judged, 'label')}"
        said.append(f"{of} {'looks' if len(issues) == 1 else 'look'} wrong")
    them = "it" if files + len(issues or ()) == 1 else "them"
    return Finding(f"{', and '.join(said)}: check {them} first.", "labels")
