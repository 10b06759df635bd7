"""One HTML page of what a classifier learned, and its figures and numbers as files."""

from penult.report.content import Report
from penult.report.figures.confusion_matrix import confusion_matrix_png
from penult.report.page import check_report, write_report
from penult.report.results import check_results, write_results

__all__ = [
    "Report",
    "check_report",
    "check_results",
    "confusion_matrix_png",
    "write_report",
    "write_results",
]
