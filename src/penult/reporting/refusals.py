"""What a report is refused for before any work is done."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from penult.classify.kinds.registry import kind_names
from penult.classify.options import TrainOptions
from penult.errors import UsageError
from penult.extractor import ModelRows
from penult.features.places import is_feature_file
from penult.interface import option
from penult.reporting.commands import FEATURES
from penult.reporting.page import PAGE, check_report
from penult.reporting.results import refuse_existing
from penult.reporting.staging import is_complete
from penult.suffixes import CLASSIFIER as CLASSIFIER_FILE
from penult.wording import listed

__all__ = [
    "classifier_file_among",
    "feature_file_among",
    "has_predictions",
    "made_already",
    "refuse_rows",
    "refuse_training",
    "require_folder",
    "tell_of_other_classifier",
]

_OF_ANY_REPORT = ("classifier", "seed", "near_duplicates", "max_memory")
"""Options of training that say something of a report without, too."""


def classifier_file_among(given: str | Path | Sequence[str]) -> Path | None:
    """Tell a classifier's file from the names of kinds.

    Parameters
    ----------
    given : a kind of classifier, several, or a file

    Returns
    -------
    Path or None
        None where kinds are named.

    Raises
    ------
    UsageError
        If a file is given beside something else.
    """
    several = [given] if isinstance(given, str | Path) else [*given]
    known = kind_names()
    files = [
        Path(one)
        for one in several
        if one not in known
        and (Path(one).suffix.lower() in CLASSIFIER_FILE.suffixes or Path(one).exists())
    ]
    if files and len(several) > 1:
        raise UsageError(
            f"{files[0]} is a classifier's file, which is applied as it is; give it alone, or "
            "kinds of classifier to train"
        )
    return files[0] if files else None


def refuse_training(options: TrainOptions, because: str) -> None:
    """Refuse options of a training where there will be none.

    Parameters
    ----------
    options : as they were given
    because : why, the beginning of a sentence

    Raises
    ------
    UsageError
    """
    changed = [name for name in options.changed() if name not in _OF_ANY_REPORT]
    if options.classifier != TrainOptions().classifier:
        changed.insert(0, "classifier")
    if changed:
        names = listed(map(option, changed), len(changed))
        them = "it" if len(changed) == 1 else "them"
        raise UsageError(f"{because}, so {names} would have no effect; leave {them} out")


def refuse_rows(classifier: Path, rows: ModelRows, architecture: str | None) -> None:
    """Refuse options that say how rows are made, where a classifier says so itself.

    Raises
    ------
    UsageError
    """
    if architecture is not None or rows != ModelRows():
        without = map(option, ("model", "layer", "views", "join", "architecture"))
        raise UsageError(
            f"{classifier} says itself how the rows are made that it takes; give it without "
            f"{listed(without, 5)}"
        )


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
    return Path(str(first)) if is_feature_file(first) else None


def made_already(file: Path) -> UsageError:
    """The refusal of options that say how the rows or labels of a feature file are made."""
    without = ", ".join(map(option, ("model", "views", "join", "weights", "architecture")))
    return UsageError(
        f"{file} is a feature file, and says itself how its rows and labels were made; give it "
        f"without {without}, labels and splits"
    )


def require_folder(
    directory: Path,
    sources: Sequence[Any],
    file: Path | None,
    *,
    makes: Sequence[str],
    overwrite: bool,
) -> None:
    """Refuse a folder in which a report cannot be written, or may not.

    Parameters
    ----------
    directory : where the report is to be
    sources : what the images are
    file : of `feature_file_among`
    makes : the files that it may have beside those of every report
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
        names = makes if file else (FEATURES, *makes)
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


def tell_of_other_classifier(there: Path, given: Path | None) -> None:
    """Say that the classifier of an earlier report stays beside one that trains none.

    It may be in use elsewhere, and took longer to make than the page that is replaced.
    """
    if there.exists() and not (given is not None and given.exists() and there.samefile(given)):
        logging.getLogger("penult").warning(
            "penult: %s is of an earlier report and stays as it is; this one has trained none",
            there,
        )


def has_predictions(page: Path) -> bool:
    """Whether a page is of a classifier that was given, so that its table goes with it.

    A table of that name beside any other page is not the report's.
    """
    try:
        return '<section id="predictions"' in page.read_text("utf-8", errors="replace")
    except OSError:
        return False
