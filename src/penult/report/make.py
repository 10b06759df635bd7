"""Everything in one go: features, a classifier, and the page that shows them."""

from __future__ import annotations

import shlex
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult.backbones.registry import DEFAULT_MODEL
from penult.errors import FeatureFileError, RecipeMismatchError, ResumeError
from penult.output import check_output, explain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penult.classify.model import Classifier
    from penult.records import Features, Progress
    from penult.report.content import Report

__all__ = ["Made", "make_report"]

FEATURES = "features.h5"
CLASSIFIER = "classifier.skops"


@dataclass(frozen=True)
class Made:
    """What `make_report` made."""

    page: Path
    features: Features
    classifier: Classifier


def make_report(
    images: str | Path | Sequence[str | Path],
    directory: str | Path,
    *,
    model: str = DEFAULT_MODEL,
    weights: str | Path | None = None,
    offline: bool = False,
    architecture: str | None = None,
    labels: str | Path = "parent",
    label_pattern: str | None = None,
    engine: str = "auto",
    device: str = "auto",
    test_size: float = 0.25,
    seed: int = 0,
    overwrite: bool = False,
    on_extract: Callable[[Progress], None] | None = None,
    on_train: Callable[[Progress], None] | None = None,
) -> Made:
    """Extract features, train a classifier, and write one page about both.

    Parameters
    ----------
    images : a folder, a file, or several of either
    directory : created if need be; gets ``index.html``, ``confusion_matrix.png``,
        ``scores.json``, ``features.h5`` and ``classifier.skops``
    overwrite : replace those files if they exist, each atomically; rows that still hold are taken
        over instead of computed again

    Raises
    ------
    PenultError
        As `penult.extract`, `penult.train` and `write_report` do.
    """
    from penult.classify.probe import train
    from penult.report.page import check_report, write_report

    directory = Path(directory)
    sources = [Path(p) for p in ([images] if isinstance(images, str | Path) else images)]
    check_report(directory, overwrite=overwrite)
    created = not directory.exists()
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise explain(error, directory) from error
    seconds: dict[str, float] = {}
    try:
        for name in (FEATURES, CLASSIFIER):
            check_output(directory / name, overwrite=overwrite)
        with _timed(seconds, "extract"):
            features = _extract(
                sources,
                directory / FEATURES,
                overwrite=overwrite,
                model=model,
                weights=weights,
                offline=offline,
                architecture=architecture,
                labels=labels,
                label_pattern=label_pattern,
                engine=engine,
                device=device,
                on_progress=on_extract,
            )
        with _timed(seconds, "train"):
            classifier = train(features, test_size=test_size, seed=seed, on_progress=on_train)
            classifier.save(directory / CLASSIFIER, overwrite=overwrite)
    except BaseException:
        if created:
            with suppress(OSError):  # holds what was finished by then
                directory.rmdir()
        raise
    content = _content(sources, directory, features, classifier, seconds)
    return Made(write_report(directory, content, overwrite=overwrite), features, classifier)


def _extract(images: Sequence[Path], path: Path, *, overwrite: bool, **options: Any) -> Features:
    from penult.extraction import extract

    if not overwrite:
        return extract(images, path, **options)
    try:
        return extract(images, path, update=True, **options)
    except (RecipeMismatchError, ResumeError, FeatureFileError):
        # What is there is of no use for what is asked now, and may be replaced.
        return extract(images, path, overwrite=True, restart=True, **options)


def _content(
    sources: Sequence[Path],
    directory: Path,
    features: Features,
    classifier: Classifier,
    seconds: dict[str, float],
) -> Report:
    from penult.images.sources import list_images
    from penult.report.content import Report

    paths = {record.id: record.path for record in list_images(sources, labels="none").records}
    counts = Counter(features.labels.tolist())

    def open_image(image_id: str) -> bytes | None:
        path = paths.get(image_id)
        return None if path is None else path.read_bytes()

    typed = " ".join(shlex.quote(str(source)) for source in sources)
    options = f" --model {features.recipe.backbone}"
    if features.recipe.weights == "random" or features.recipe.weights.startswith("file:"):
        options += f" --weights {shlex.quote(features.recipe.weights.removeprefix('file:'))}"
    if features.origin["label_pattern"] is not None:
        options += f" --label-pattern {shlex.quote(features.origin['label_pattern'])}"
    elif features.origin["labels"] != "parent":
        options += f" --labels {shlex.quote(features.origin['labels'])}"
    settings = dict(classifier.settings)
    settings.pop("classes", None)  # the page counts every class's images in its table of classes
    settings["chosen"] = {"classifier": settings.pop("classifier"), **settings.pop("params")}
    settings["grid"] = [
        {"classifier": trial["classifier"], **trial["params"], "accuracy": trial["mean"]}
        for trial in settings["grid"]
    ]
    return Report(
        title=sources[0].resolve().name or str(sources[0]),
        source=" ".join(str(source) for source in sources),
        class_counts={name: counts[k] for k, name in enumerate(features.label_names)},
        recipe=features.recipe,
        scores=classifier.scores,
        held_out=classifier.held_out,
        settings=settings,
        open_image=open_image,
        unlabelled=counts[-1],
        failures=features.failures,
        passed_over=features.origin["passed_over"],
        seconds=seconds,
        versions={**features.recipe.versions, **classifier.versions},
        commands=(
            f"penult extract {typed} -o {FEATURES}{options}",
            f"penult train {FEATURES} -o {CLASSIFIER} --seed {settings['seed']}",
            f"penult predict {CLASSIFIER} PHOTO_OR_FOLDER",
        ),
    )


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[step] = time.perf_counter() - start
