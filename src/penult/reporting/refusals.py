"""What a report is refused for before any work is done."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from penult.errors import UsageError
from penult.features.schema import is_feature_file
from penult.interface import option
from penult.reporting.commands import CLASSIFIER, FEATURES
from penult.reporting.page import PAGE, check_report
from penult.reporting.results import refuse_existing
from penult.reporting.staging import is_complete

__all__ = ["feature_file_among", "made_already", "require_folder"]


def feature_file_among(sources: Sequence[Any]) -> Path | None:
    """Find the feature file whose rows are to be taken as they are.

    Parameters
    ----------
    sources : what the images are

    Returns
    -------
    Path or None
        None where there are images.
    """
    first = sources[0] if len(sources) == 1 else None
    return first if isinstance(first, Path) and is_feature_file(first) else None


def made_already(file: Path) -> UsageError:
    """The refusal of options that say how the rows or labels of a feature file are made."""
    without = ", ".join(map(option, ("model", "views", "join", "weights", "architecture")))
    return UsageError(
        f"{file} is a feature file, and says itself how its rows and labels were made; give it "
        f"without {without}, labels and splits"
    )


def require_folder(
    directory: Path, sources: Sequence[Any], file: Path | None, *, overwrite: bool
) -> None:
    """Refuse a folder in which a report cannot be written, or may not.

    Parameters
    ----------
    directory : where the report is to be
    sources : what the images are
    file : of `feature_file_among`
    overwrite : whether another report may be replaced

    Raises
    ------
    UsageError, OutputError
    """
    if any(isinstance(one, Path) and _is_same_folder(one, directory) for one in sources):
        raise UsageError(
            f"{directory} is the folder of the photos; give the report another, for example "
            f"{option('output', str(directory) + '_report')}"
        )
    may_replace = overwrite or is_complete(directory, PAGE)
    check_report(directory, overwrite=may_replace)
    if directory.is_dir():
        names = (CLASSIFIER,) if file else (FEATURES, CLASSIFIER)
        refuse_existing(directory, names, overwrite=may_replace)
    _tell_of_other_rows(directory / FEATURES, file)


def _is_same_folder(first: Path, second: Path) -> bool:
    return first.is_dir() and second.is_dir() and first.samefile(second)


def _tell_of_other_rows(there: Path, file: Path | None) -> None:
    """Say that the rows of an earlier report stay beside one of other rows."""
    if file is not None and there.exists() and not there.samefile(file):
        logging.getLogger("penult").warning(
            "penult: %s is of an earlier report and stays as it is; this one is of %s", there, file
        )
