"""The files that a report is, and what was made for it."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penult.classify.classifier import Classifier
from penult.classify.diagnosis.label_errors import LabelIssue
from penult.classify.evaluation.result import Evaluation
from penult.records import Clustering, Duplicates, Features, Outliers, Predictions, RowMap
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
        The rows, of the layer that the page is about.
    classifier : Classifier or None
        What was trained on them, or given; None where there were no labels to train it on.
    label_issues : tuple of LabelIssue, or None
        The images whose labels are likely wrong, the likeliest first; None where they were not
        looked for, or could not be.
    findings : tuple of Finding
        What the page says first: sentences, each with the name of its section.
    untrained : str
        Why no classifier was trained, in words; "" where one was, or one was given.
    predictions : Predictions or None
        Of a classifier that was given: what it says of every image.
    evaluation : Evaluation or None
        Of one that was given, on the images that have a label it knows.
    verdict : str
        Of a fine-tuned network, whether fine-tuning was worth it; "" of any other report.
    map : RowMap or None
        The points of the page's map; None where it was not wanted, or could not be had, as are the
        next.
    clusters : Clustering or None
        The images that look alike.
    outliers : Outliers or None
        How unusual each image is.
    duplicates : Duplicates or None
        Copies and near-duplicates.
    """

    page: Path
    features: Features
    classifier: Classifier | None
    label_issues: tuple[LabelIssue, ...] | None = None
    findings: tuple[Finding, ...] = ()
    untrained: str = ""
    predictions: Predictions | None = None
    evaluation: Evaluation | None = None
    verdict: str = ""
    map: RowMap | None = None
    clusters: Clustering | None = None
    outliers: Outliers | None = None
    duplicates: Duplicates | None = None

    def __repr__(self) -> str:
        page = short_text(str(self.page), 100)
        return f"ReportFiles({page}, {self._about()!r})"

    def _about(self) -> object:
        if self.evaluation is not None:
            return self.evaluation
        if self.predictions is not None:
            return self.predictions
        return self.features if self.classifier is None else self.classifier

    def _repr_html_(self) -> str:
        # Of the classifier what it says itself; the link is of a path, escaped as any text.
        page = html.escape(str(self.page))
        link = f'<a href="{html.escape(self.page.resolve().as_uri())}">{page}</a>'
        about: Any = self._about()
        return f"<div><b>Report</b> {link}</div>{about._repr_html_()}"
