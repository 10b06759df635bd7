"""The files that a report is, and what was made for it."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path

from penult.classify.classifier import Classifier
from penult.classify.diagnosis.label_errors import LabelIssue
from penult.records import Features
from penult.reporting.findings import Finding
from penult.representation import short_text

__all__ = ["ReportFiles"]


@dataclass(frozen=True)
class ReportFiles:
    """What `penult.report` made.

    Attributes
    ----------
    page : Path
        Of ``index.html``; the other files are beside it.
    features : Features
        The rows, of the layer that the classifier was trained on.
    classifier : Classifier
        What was trained on them.
    label_issues : tuple of LabelIssue, or None
        The images whose labels are likely wrong, the likeliest first; None where they were not
        looked for, or could not be.
    findings : tuple of Finding
        What the page says first: sentences, each with the name of its section.
    """

    page: Path
    features: Features
    classifier: Classifier
    label_issues: tuple[LabelIssue, ...] | None = None
    findings: tuple[Finding, ...] = ()

    def __repr__(self) -> str:
        return f"ReportFiles({short_text(str(self.page), 100)}, {self.classifier!r})"

    def _repr_html_(self) -> str:
        # Of the classifier what it says itself; the link is of a path, escaped as any text.
        page = html.escape(str(self.page))
        link = f'<a href="{html.escape(self.page.resolve().as_uri())}">{page}</a>'
        return f"<div><b>Report</b> {link}</div>{self.classifier._repr_html_()}"
