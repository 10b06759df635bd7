"""Everything in one go: features, a classifier, and the page that shows them."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from penult.backbones.registry import DEFAULT_MODEL
from penult.backbones.weights.choice import WeightsChoice
from penult.classify.classifier import Classifier
from penult.classify.diagnosis.label_errors import find_label_issues
from penult.classify.diagnosis.layers import best_layer, train_layers
from penult.classify.diagnosis.learning_curve import learning_curve
from penult.errors import (
    FeatureFileError,
    RecipeMismatchError,
    ResumeError,
    TrainingError,
    UsageError,
)
from penult.extraction import Extraction
from penult.extractor import EngineOptions, ExtractorSpec, ModelRows, layer_names
from penult.features.read import load
from penult.features.schema import is_feature_file
from penult.images.listing import as_sources
from penult.images.listing_options import ListingOptions
from penult.output import check_output
from penult.records import Features, Progress
from penult.reporting.build import build_report
from penult.reporting.commands import CLASSIFIER, FEATURES
from penult.reporting.page import FILES, OPTIONAL, PAGE, check_report, write_report
from penult.reporting.pictures import image_opener
from penult.reporting.staging import is_complete, staged

if TYPE_CHECKING:
    from penult.images.labels.split_folders import SplitsFrom

__all__ = ["ReportFiles", "report"]


@dataclass(frozen=True)
class ReportFiles:
    """What `penult.report` made.

    Attributes
    ----------
    page : Path
        Of ``index.html``; the other files are beside it.
    features : Features
        The rows, of the layer that the classifier was trained on.
    classifier : Classifier
        What was trained on them.
    """

    page: Path
    features: Features
    classifier: Classifier


def report(
    images: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    model: str = DEFAULT_MODEL,
    layer: str | Sequence[str] | None = None,
    weights: str | Path | None = None,
    offline: bool = False,
    architecture: str | None = None,
    labels: str | Path = "parent",
    label_pattern: str | None = None,
    splits: SplitsFrom = "auto",
    engine: str = "auto",
    device: str = "auto",
    classifier: str | Sequence[str] = "logistic",
    test_size: float = 0.25,
    seed: int = 0,
    label_errors: bool = True,
    curve: bool = True,
    confusion: Literal["counts", "normalized"] = "counts",
    escape_formulas: bool = False,
    overwrite: bool = False,
    on_extract: Callable[[Progress], None] | None = None,
    on_train: Callable[[Progress], None] | None = None,
    on_label_errors: Callable[[Progress], None] | None = None,
    on_curve: Callable[[Progress], None] | None = None,
) -> ReportFiles:
    """Extract features, train a classifier, and write one page about both.

    See docs/report.md.

    Parameters
    ----------
    images : path, str, or sequence of them
        As for `penult.extract`; or a feature file, whose rows are then taken as they are, with the
        photos from where it was made.
    output : path
        A folder, created if need be; gets ``index.html``, ``scores.json``,
        ``confusion_matrix.png``, ``label_errors.csv``, ``classifier.skops``,
        and of images also ``features.h5``.
    model : str
        Backbone, as listed by ``penult models``.
    layer : str or sequence of str, optional
        One name, or several names and globs; of several layers, the best by cross-validation is
        kept, and the page shows all. By default the penultimate; of a feature file, all of its own.
    weights : path or "random", optional
        In place of the pretrained weights.
    offline : bool
        Never touch the network, neither for weights nor for images.
    architecture : str, optional
        For a plain state dict (``checkpoint:PATH``), the backbone that it fits.
    labels : {"parent", "none"}, "column:NAME" or path
        As for `penult.extract`.
    label_pattern : str, optional
        Regular expression on file names whose group ``label`` is the label.
    splits : {"auto", "folders", "none"}
        As for `penult.extract`.
    engine, device : str
        As for `penult.extract`.
    classifier : str or sequence of str
        As for `penult.train`.
    test_size : float
        As for `penult.train`.
    seed : int
        Of the split and the folds.
    label_errors : bool
        Look for labels that are likely wrong.
    curve : bool
        Draw a learning curve.
    confusion : {"counts", "normalized"}
        What the cells of ``confusion_matrix.png`` are: ``"normalized"`` draws parts of the true
        class's images.
    escape_formulas : bool
        In ``label_errors.csv``, put an apostrophe before names that a spreadsheet would run as a
        formula.
    overwrite : bool
        Replace those files if they exist; rows that still hold are taken over instead of computed
        again.
    on_extract, on_train, on_label_errors, on_curve : callable, optional
        Called with a `Progress` during that step, from the calling thread.

    Returns
    -------
    ReportFiles
        The page, the rows and the classifier.

    Raises
    ------
    PenultError
        As `penult.extract` and `penult.train` do, or if the folder cannot be written.
    """
    wanted = layer_names(layer or ())
    extraction = Extraction(
        extractor=ExtractorSpec(
            rows=ModelRows(model=model, layers=wanted or ("penultimate",)),
            weights=WeightsChoice.of(weights, offline=offline, architecture=architecture),
            engine=EngineOptions(engine=engine, device=device),
        ),
        listing=ListingOptions(labels=labels, label_pattern=label_pattern, splits=splits),
    )
    directory = Path(output)
    sources = as_sources(images)
    first = sources[0] if len(sources) == 1 else None
    file = first if isinstance(first, Path) and is_feature_file(first) else None
    may_replace = overwrite or is_complete(directory, PAGE)
    check_report(directory, overwrite=may_replace)
    if directory.is_dir():
        for name in (CLASSIFIER,) if file else (FEATURES, CLASSIFIER):
            check_output(directory / name, overwrite=may_replace)
    seconds: dict[str, float] = {}
    found: dict[str, Any] = {}
    notes: dict[str, str] = {}
    with staged(directory, rows=FEATURES, files=[CLASSIFIER, *FILES], optional=OPTIONAL) as folder:
        if file is None:
            with _timed(seconds, "extract"):
                _extract(
                    extraction,
                    sources,
                    folder / FEATURES,
                    earlier=directory / FEATURES,
                    on_progress=on_extract,
                )
        with _timed(seconds, "train"):
            features, trained = _train(
                file or folder / FEATURES,
                (file and wanted) or ("all",),
                classifier=classifier,
                test_size=test_size,
                seed=seed,
                on_progress=on_train,
            )
            trained.save(folder / CLASSIFIER, overwrite=True)
        if label_errors:
            with _noted(notes, "labels"), _timed(seconds, "label errors"):
                issues = find_label_issues(trained, features, on_progress=on_label_errors)
                found["label_issues"] = tuple(issues)
        if curve:
            with _noted(notes, "curve"), _timed(seconds, "learning curve"):
                found["curve"] = tuple(learning_curve(trained, features, on_progress=on_curve))
        # Of images, their hosts were named when they were first listed.
        opener = image_opener(features, offline=offline, announce=file is not None)
        content = build_report(sources, file, features, trained, opener)
        content = replace(content, seconds=seconds, notes=notes, **found)
        write_report(
            folder,
            content,
            normalize=confusion == "normalized",
            escape_formulas=escape_formulas,
            overwrite=True,
        )
        features.features.file.close()  # some systems do not rename a file that is open
    return ReportFiles(
        directory / PAGE, load(file or directory / FEATURES, trained.recipe.layer), trained
    )


def _extract(
    extraction: Extraction,
    images: Sequence[str | Path],
    path: Path,
    *,
    earlier: Path,
    on_progress: Callable[[Progress], None] | None,
) -> None:
    """Bring the rows of an earlier run, or those of the report that is replaced, up to date."""
    if earlier.exists() and not path.exists():
        try:
            os.link(earlier, path)
        except OSError:  # a file system without hard links
            shutil.copyfile(earlier, path)
    try:
        extraction.to_file(images, path, update=True, on_progress=on_progress)
    except (RecipeMismatchError, ResumeError, FeatureFileError):
        # What is there is of no use for what is asked now, and may be replaced.
        extraction.to_file(images, path, overwrite=True, restart=True, on_progress=on_progress)


def _train(
    path: Path,
    layers: Sequence[str],
    *,
    classifier: str | Sequence[str],
    test_size: float,
    seed: int,
    on_progress: Callable[[Progress], None] | None,
) -> tuple[Features, Classifier]:
    """Train on each layer and keep the best, with the rows that it was trained on."""
    trained = train_layers(
        path,
        layers,
        classifier=classifier,
        test_size=test_size,
        seed=seed,
        on_progress=on_progress,
    )
    best = best_layer(trained) if len(trained) > 1 else next(iter(trained.values()))
    return load(path, best.recipe.layer), best


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[step] = time.perf_counter() - start


@contextmanager
def _noted(notes: dict[str, str], section: str) -> Iterator[None]:
    # What cannot be had for these images is said in its place; the rest of the page stands.
    try:
        yield
    except (TrainingError, UsageError) as error:
        notes[section] = str(error)
