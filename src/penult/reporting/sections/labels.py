"""Images whose labels are likely wrong, to be looked through and put right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from penult.interface import shell_quote
from penult.reporting.content import Report
from penult.reporting.sections.base import LARGE, Section
from penult.web.thumbnails import Thumbnails

if TYPE_CHECKING:
    from penult.classify.diagnosis.label_errors import LabelIssue

__all__ = ["COLUMNS", "SECTION", "issue_cells"]

MOST_ISSUES = 48

COLUMNS = ("id", "label", "confidence", "suggested", "suggested_confidence")
"""Of ``label_errors.csv``, and of the list that the page saves."""


def issue_cells(issue: LabelIssue) -> tuple[str, str, str, str, str]:
    """Write an image whose label is likely wrong as the cells of a row."""
    confidences = [f"{value:.4f}" for value in (issue.confidence, issue.suggested_confidence)]
    return issue.id, issue.label, confidences[0], issue.suggested, confidences[1]


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    """Show the images whose labels are likely wrong, the likeliest first."""
    issues = () if report.trained is None else report.trained.label_issues or ()
    if not (issues or report.contradictions):
        return None
    shown = issues[:MOST_ISSUES]
    classes = () if report.trained is None or report.multilabel else report.trained.scores.classes
    return {
        # Right photos of both classes, which the table of classes has, stand beside a large one.
        "places": {one.label: k for k, one in enumerate(classes)},
        "contradictions": report.contradictions,
        "columns": COLUMNS,
        "shown": [(one, issue_cells(one), thumbnails.photo(one.id, LARGE)) for one in shown],
        "total": len(issues),
        "labelled": sum(report.class_counts.values()),
        "command": f"penult labels apply reviewed.csv {shell_quote(report.feature_file)} "
        "-o corrected.csv",
    }


SECTION = Section(
    name="labels", title="Labels that look wrong", content=_content, tab="Wrong labels"
)
