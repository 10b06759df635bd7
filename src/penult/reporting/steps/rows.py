"""The rows of a report: made of images, or brought up to date."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from penult.errors import FeatureFileError, RecipeMismatchError, ResumeError, UnreadableFileError
from penult.extraction import Extraction
from penult.progress import Tell

__all__ = ["extract_rows"]


def extract_rows(
    extraction: Extraction,
    images: Sequence[str | Path],
    path: Path,
    *,
    earlier: Path,
    tell: Tell,
) -> None:
    """Bring the rows of an earlier run, or those of the report that is replaced, up to date."""
    if earlier.exists() and not path.exists():
        try:
            os.link(earlier, path)
        except OSError:  # a file system without hard links
            shutil.copyfile(earlier, path)
    try:
        extraction.to_file(images, path, update=True, progress=tell)
    except UnreadableFileError:
        raise  # what is there may be as good as it was
    except (RecipeMismatchError, ResumeError, FeatureFileError):
        # What is there is of no use for what is asked now, and may be replaced.
        extraction.to_file(images, path, overwrite=True, restart=True, progress=tell)
