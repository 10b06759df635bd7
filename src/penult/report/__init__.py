"""One HTML page of what a classifier learned, and its figures as files."""

from penult.report.content import Report
from penult.report.figures import confusion_matrix_png
from penult.report.page import check_report, write_report

__all__ = ["Report", "check_report", "confusion_matrix_png", "write_report"]
