"""Everything in one go: features, a classifier, and the page that shows them."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.backbones.registry import DEFAULT_MODEL, as_recorded
from penult.backbones.weights.choice import WeightsChoice
from penult.errors import (
    FeatureFileError,
    PenultError,
    RecipeMismatchError,
    ResumeError,
    TrainingError,
    UsageError,
)
from penult.extraction import Extraction
from penult.extractor import EngineOptions, ExtractorSpec, ModelRows, layer_names
from penult.features.schema import is_feature_file
from penult.images.listing_options import ListingOptions
from penult.output import check_output
from penult.report.staging import is_complete, staged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penult.classify.classifier import Classifier
    from penult.images.labels.split_folders import SplitsFrom
    from penult.records import Features, ImageRecord, Progress
    from penult.report.content import Report

__all__ = ["ReportFiles", "make_report"]

FEATURES = "features.h5"
CLASSIFIER = "classifier.skops"


@dataclass(frozen=True)
class ReportFiles:
    """What `make_report` made.

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


def make_report(
    images: str | Path | Sequence[str | Path],
    directory: str | Path,
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
    normalize: bool = False,
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
    directory : path
        Created if need be; gets ``index.html``, ``scores.json``, ``confusion_matrix.png``,
        ``label_errors.csv``, ``classifier.skops``, and of images also ``features.h5``.
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
    normalize : bool
        Cells of ``confusion_matrix.png`` are parts of the true class's images, not counts.
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
    from penult.features.read import load
    from penult.images.listing import as_sources
    from penult.report.page import FILES, OPTIONAL, PAGE, check_report, write_report

    wanted = layer_names(layer or ())
    extraction = Extraction(
        extractor=ExtractorSpec(
            rows=ModelRows(model=model, layers=wanted or ("penultimate",)),
            weights=WeightsChoice.of(weights, offline=offline, architecture=architecture),
            engine=EngineOptions(engine=engine, device=device),
        ),
        listing=ListingOptions(labels=labels, label_pattern=label_pattern, splits=splits),
    )
    directory = Path(directory)
    sources = as_sources(images)
    first = sources[0] if len(sources) == 1 else None
    file = first if isinstance(first, Path) and is_feature_file(first) else None
    replace = overwrite or is_complete(directory, PAGE)
    check_report(directory, overwrite=replace)
    if directory.is_dir():
        for name in (CLASSIFIER,) if file else (FEATURES, CLASSIFIER):
            check_output(directory / name, overwrite=replace)
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
            from penult.classify.diagnosis.label_errors import find_label_issues

            with _noted(notes, "labels"), _timed(seconds, "label errors"):
                issues = find_label_issues(trained, features, on_progress=on_label_errors)
                found["label_issues"] = tuple(issues)
        if curve:
            from penult.classify.diagnosis.learning_curve import learning_curve

            with _noted(notes, "curve"), _timed(seconds, "learning curve"):
                found["curve"] = tuple(learning_curve(trained, features, on_progress=on_curve))
        # Of images, their hosts were named when they were first listed.
        opener = _opener(features, offline=offline, announce=file is not None)
        found |= {"open_image": opener, "seconds": seconds, "notes": notes}
        content = _content(sources, file, features, trained, **found)
        write_report(
            folder, content, normalize=normalize, escape_formulas=escape_formulas, overwrite=True
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
    from penult.classify.diagnosis.layers import best_layer, train_layers
    from penult.features.read import load

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


def _content(
    sources: Sequence[str | Path],
    file: Path | None,
    features: Features,
    classifier: Classifier,
    **found: Any,
) -> Report:
    from penult.images.notes import listing_messages
    from penult.report.content import Report

    counts = Counter(features.labels.tolist())
    if features.targets is not None:
        several = np.asarray(features.targets)
        counts = Counter(dict(enumerate(several.sum(axis=0).tolist())))
        counts[-1] = int((~several.any(axis=1)).sum())
    settings = classifier.settings.to_dict()
    # The page counts every class's images in its table of classes; a threshold a class is too much.
    for name in ("classes", "thresholds"):
        settings.pop(name, None)
    settings.pop("layers", None)  # they have a section of their own
    edges = settings.pop("edges", {})
    settings["grid's edge"] = [f"{name} is the {edge} tried" for name, edge in edges.items()]
    settings["not_tried"] = [
        ", ".join(f"{name} = {value:g}" for name, value in params.items())
        for params in settings.pop("not_tried", ())
    ]
    settings["identical images"] = settings.pop("copies", 0) or None
    settings["chosen"] = {"classifier": settings.pop("classifier"), **settings.pop("params")}
    settings["grid"] = [
        {
            "classifier": trial["classifier"],
            **trial["params"],
            "accuracy": trial["mean"],
            "log_loss": trial.get("log_loss"),
        }
        for trial in settings["grid"]
    ]
    return Report(
        title=_title(file.with_suffix("") if file else sources[0]),
        source=" ".join(str(source) for source in sources),
        class_counts={name: counts[k] for k, name in enumerate(features.label_names)},
        recipe=features.recipe,
        scores=classifier.scores,
        held_out=classifier.held_out,
        settings=settings,
        layers=classifier.settings.layers,
        rows=len(features),
        unlabelled=counts[-1],
        failures=features.failures,
        passed_over=features.origin.get("passed_over", {}),
        listing_messages=tuple(listing_messages({**features.origin, "passed_over": {}})),
        versions={**features.recipe.versions, **classifier.versions},
        commands=_commands(sources, file, features, classifier),
        **found,
    )


def _title(source: str | Path) -> str:
    if source == "-":
        return "standard input"
    name = source.resolve().name if isinstance(source, Path) else source.rstrip("/")
    return name.rpartition("/")[2] or str(source)


def _opener(features: Features, *, offline: bool, announce: bool) -> Callable[[str], bytes | None]:
    """Give an image's bytes for its id, from where the rows were made, if they are still the same.

    A stranger's file may name any folder; it cannot know the digests of what lies there.
    """
    from penult.images.read import digest_of
    from penult.images.relocate import relocate_images

    @cache
    def find() -> Callable[[str], ImageRecord | None]:
        try:
            return relocate_images(
                features.origin, features.ids, offline=offline, announce=announce
            )
        except PenultError as error:  # they have moved, say
            logging.getLogger("penult").warning("penult: the page has no pictures: %s", error)
            return lambda _: None

    @cache
    def digests() -> Mapping[str, str]:
        content = features.content
        return {} if content is None else dict(zip(features.ids, content, strict=True))

    def open_image(image_id: str) -> bytes | None:
        record = find()(image_id)
        if record is None:
            return None
        with record.open() as file:
            data = file.read()
        return data if digests().get(image_id, "") in ("", digest_of(data)) else None

    return open_image


def _commands(
    sources: Sequence[str | Path], file: Path | None, features: Features, classifier: Classifier
) -> tuple[str, ...]:
    """What to type to get the same again."""
    recipe, origin, settings = features.recipe, features.origin, classifier.settings
    extract = []
    if file is None:
        name, choice = as_recorded(recipe, "the report", WeightsChoice())
        extract += ["extract", *map(str, sources), "-o", FEATURES, "--model", name]
        if features.layers != ("penultimate",):
            extract += [word for layer in features.layers for word in ("--layer", layer)]
        if choice.weights is not None:
            extract += ["--weights", str(choice.weights)]
        if origin["label_pattern"] is not None:
            extract += ["--label-pattern", origin["label_pattern"]]
        elif origin["labels"] != "parent":
            extract += ["--labels", origin["labels"]]
        if origin["splits"] != "auto":
            extract += ["--splits", origin["splits"]]
    train = ["train", str(file or FEATURES), "-o", CLASSIFIER, "--seed", str(settings.seed)]
    if len(features.layers) > 1:
        tried = [result.layer for result in settings.layers] or [recipe.layer]
        every = len(tried) == len(features.layers)
        train += [word for name in (["all"] if every else tried) for word in ("--layer", name)]
    kinds = list(dict.fromkeys(result.classifier for result in settings.grid))
    if kinds != ["logistic"]:
        train += [word for kind in kinds for word in ("--classifier", kind)]
    predict = ["predict", CLASSIFIER, "PHOTO_OR_FOLDER"]
    return tuple(f"penult {shlex.join(words)}" for words in (extract, train, predict) if words)


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
