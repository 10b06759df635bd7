"""One self-contained HTML page, and its figures and numbers as files beside it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult.classify.metrics.scores import scores_to_dict
from penult.messages import escape_formula
from penult.output import atomic_output, explain
from penult.reporting import formatting
from penult.reporting.content import Report
from penult.reporting.findings import find
from penult.reporting.headline import headline
from penult.reporting.held_out import HELD_OUT
from penult.reporting.report_call import CALL
from penult.reporting.results import SCORES, check_results, refuse_existing, write_results
from penult.reporting.sections import SECTIONS, Section
from penult.reporting.sections.labels import COLUMNS, issue_cells
from penult.web.page import write_page
from penult.web.thumbnails import Thumbnails
from penult.written import CONFUSION, LAYERS

if TYPE_CHECKING:
    from penult.classify.diagnosis.label_errors import LabelIssue
    from penult.records import HeldOut

__all__ = ["LABEL_ERRORS", "PAGE", "PREDICTIONS", "check_report", "write_report"]

PAGE, LABEL_ERRORS, PREDICTIONS = "index.html", "label_errors.csv", "predictions.csv"

FILES = (SCORES, CONFUSION, LAYERS, HELD_OUT, LABEL_ERRORS, PAGE)
"""What `write_report` may write, in that order."""

OPTIONAL = (SCORES, CONFUSION, LAYERS, HELD_OUT, LABEL_ERRORS)
"""What not every report has, and is no more of use than the page that it is replaced with."""


def check_report(directory: Path, *, overwrite: bool = False) -> None:
    """Refuse a folder that `write_report` could not write to, before any work is spent.

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
    """
    check_results(directory, overwrite=overwrite, holds=PAGE)
    if directory.is_dir():
        refuse_existing(directory, (PAGE, LABEL_ERRORS), overwrite=overwrite)


def write_report(
    directory: Path,
    report: Report,
    *,
    sections: Sequence[Section] = SECTIONS,
    held_out: Sequence[HeldOut] = (),
    normalize: bool = False,
    escape_formulas: bool = False,
    overwrite: bool = False,
) -> Path:
    """Write `index.html` into a folder, with `scores.json`, the figures and `label_errors.csv`.

    The page needs none of the other files: its pictures are inside it, and it asks for nothing over
    the network.

    Parameters
    ----------
    directory : Path
        Created if need be, with its parents; other files in it are left alone.
    report : Report
        What the page shows.
    sections : sequence of Section
        In the order of the page; those that the report has nothing for are left out.
    held_out : sequence of HeldOut
        The images that each run held out, where there were several; those of the page by default.
    normalize : bool
        Cells of the confusion matrix are shares of the true class's images, not counts.
    escape_formulas : bool
        In ``held_out.csv`` and ``label_errors.csv``, put an apostrophe before names that a
        spreadsheet would run.
    overwrite : bool
        Replace those files if they exist.

    Returns
    -------
    Path
        Of the page. It is written last: where it is, the others are whole.

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
        If the files are there, or cannot be written.
    """
    check_report(directory, overwrite=overwrite)
    if report.trained is None:
        _make(directory)
        for name in OPTIONAL:
            (directory / name).unlink(missing_ok=True)  # of the report that is replaced
    else:
        trained = report.trained
        write_results(
            directory,
            trained.scores,
            layers=trained.layers,
            runs=trained.runs,
            chosen=trained.chosen,
            normalize=normalize,
            also=_without_classifier(report),
            held_out=held_out or [trained.held_out],
            escape_formulas=escape_formulas,
            overwrite=overwrite,
        )
        _write_label_errors(
            directory / LABEL_ERRORS,
            trained.label_issues,
            escape_formula if escape_formulas else str,
            overwrite=overwrite,
        )
    return write_page(
        directory / PAGE,
        "penult.reporting",
        sections,
        report,
        Thumbnails(report.open_image),
        overwrite=overwrite,
        filters={name: getattr(formatting, name) for name in formatting.__all__},
        script="report.js",
        report=report,
        headline=headline(report),
        findings=find(report),
        escape_formulas=escape_formulas,
    )


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise explain(error, directory) from error


def _write_label_errors(
    path: Path,
    issues: Sequence[LabelIssue] | None,
    escape: Callable[[str], str],
    *,
    overwrite: bool,
) -> None:
    if issues is None:
        path.unlink(missing_ok=True)  # of the report that is replaced
        return
    with atomic_output(path, overwrite=overwrite) as partial:
        # A file name that is no valid UTF-8 reaches Python with lone surrogates in it.
        partial.write_bytes(_table(issues, escape).encode("utf-8", errors="replace"))


def _without_classifier(report: Report) -> dict[str, Any]:
    """What the page has beside the classifier's scores, JSON-like."""
    also: dict[str, Any] = {} if report.call is None else {CALL: report.call.to_dict()}
    if report.retrieval is not None:
        also["retrieval"] = report.retrieval.to_dict()
        del also["retrieval"]["examples"]  # which are no scores
    if report.duplicates is not None and report.duplicates.leaks is not None:
        also["leaks"] = report.duplicates.leaks.to_dict()
    if report.applied is not None and (found := report.applied.evaluation) is not None:
        # As `penult evaluate --results` has them, the scores being those of all.
        also |= scores_to_dict(found.scores)
        also["trained"] = found.trained
        also["apart"] = None if found.apart is None else scores_to_dict(found.apart)
    return also


def _table(issues: Sequence[LabelIssue], escape: Callable[[str], str]) -> str:
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerows(map(escape, issue_cells(one)) for one in issues)
    return out.getvalue()
