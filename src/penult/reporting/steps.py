"""The steps of a report that may take long: features, a classifier; and what is noted of each."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from penult.classify.classifier import Classifier
from penult.classify.diagnosis.layers import runs_of, train_best
from penult.classify.options import TrainOptions
from penult.errors import (
    FeatureFileError,
    RecipeMismatchError,
    ResumeError,
    SearchError,
    TrainingError,
    UsageError,
)
from penult.extraction import Extraction
from penult.features.read import load
from penult.progress import Tell
from penult.records import Features, HeldOut

__all__ = ["extract_rows", "noted", "timed", "train_with_rows"]


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
    except (RecipeMismatchError, ResumeError, FeatureFileError):
        # What is there is of no use for what is asked now, and may be replaced.
        extraction.to_file(images, path, overwrite=True, restart=True, progress=tell)


def train_with_rows(
    path: Path,
    layers: Sequence[str],
    options: TrainOptions,
    tell: Tell,
) -> tuple[Features, Classifier, Sequence[HeldOut]]:
    """Train on each layer; return the best one's rows, it, and the images held out in each run."""
    held_out: list[HeldOut] = []
    best = train_best(path, layers, progress=tell, on_run=held_out.append, **vars(options))
    return load(path, best.layer), best, runs_of(best, held_out)


@contextmanager
def timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    """Note how long a step takes."""
    start = time.perf_counter()
    yield
    seconds[step] = time.perf_counter() - start


@contextmanager
def noted(notes: dict[str, str], section: str) -> Iterator[None]:
    """Note what cannot be had for these images; the rest of the page stands."""
    try:
        yield
    except (SearchError, TrainingError, UsageError) as error:
        notes[section] = str(error)
