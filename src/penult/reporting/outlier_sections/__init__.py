"""The sections of the page of outliers, in its order."""

from __future__ import annotations

from penult.reporting.outlier_sections.content import OutliersContent
from penult.reporting.outlier_sections.failures import FAILURES
from penult.reporting.outlier_sections.making import MAKING
from penult.reporting.outlier_sections.pictures import PICTURES, issue_content
from penult.reporting.outlier_sections.unusual import UNUSUAL, unusual_content

__all__ = ["OUTLIER_SECTIONS", "OutliersContent", "issue_content", "unusual_content"]

OUTLIER_SECTIONS = (UNUSUAL, *PICTURES, FAILURES, MAKING)
