"""One HTML page of what a classifier learned, and its figures and numbers as files."""

from penult.reporting.content import Report
from penult.reporting.figures.confusion_matrix import confusion_matrix_png
from penult.reporting.page import check_report, write_report
from penult.reporting.results import check_results, write_results
from penult.reporting.trained import Trained

__all__ = [
    "Report",
    "Trained",
    "check_report",
    "check_results",
    "confusion_matrix_png",
    "write_report",
    "write_results",
]
