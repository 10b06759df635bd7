"""Images whose labels are likely wrong, to be looked through and put right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from penult.interface import as_argument
from penult.reporting.commands import CORRECTED, typed
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
        "labelled": report.judged,
        "then": _steps(report),
    }


def _steps(report: Report) -> list[tuple[str, str]]:
    """What to do with the list that was looked through: a sentence, and a command or ""."""
    words = ["labels", "apply", "reviewed.csv", as_argument(report.feature_file), "-o", CORRECTED]
    if report.corrected_before:
        words.append("--overwrite")  # it is the table of the last time
    said = ["Make the report again with that table; rows of unchanged photos are taken from it."]
    if report.finetuning is not None:
        said = ["Fine-tune again with that table.", "Make the report again."]
    elif len(report.relabelling) > 1:
        said = ["Give the rows these labels; no image is computed again.", "Make the report again."]
    steps = [
        ("Write a table of all labels with these put right; no photo is moved.", typed(*words))
    ]
    for does, command in zip(said, report.relabelling, strict=False):
        if command.startswith("penult "):
            steps.append((does, command))
        else:  # how the rows were made is not known
            steps.append((f"{command[:1].upper()}{command[1:]}.", ""))
    return steps


SECTION = Section(
    name="labels", title="Labels that look wrong", content=_content, tab="Wrong labels"
)
