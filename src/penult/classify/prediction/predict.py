"""A classifier applied straight to photos: its recipe says how they become rows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from penult.backbones.weights.choice import WeightsChoice
from penult.classify.prediction.sorting import MODES, Sorter
from penult.errors import ImageError, UnknownNameError, UsageError
from penult.extractor import EngineOptions, ExtractorSpec, ReadingOptions, RecipeRows
from penult.images.in_memory import are_in_memory, as_records, without_iterator
from penult.images.listing import as_sources, list_images
from penult.images.notes import log_failures, log_listing_messages
from penult.interface import option
from penult.likeness.level import with_level
from penult.progress import ShowProgress, announcing, shown
from penult.records import Failure, Prediction, Predictions, Progress
from penult.wording import unlike_line
from penult.written import note_written

if TYPE_CHECKING:
    from penult.classify.classifier import Classifier
    from penult.records import ImageRecord

__all__ = ["collect", "predict_images"]


def predict_images(
    classifier: Classifier,
    images: str | Path | Iterable[Any],
    *,
    top: int = 1,
    threshold: float | None = None,
    unlike: float | Literal["auto", "off"] = "auto",
    copy_to: str | Path | None = None,
    copy_mode: Literal["copy", "hardlink", "symlink", "move"] = "copy",
    weights: str | Path | Sequence[str | Path] | None = None,
    offline: bool = False,
    engine: str = "auto",
    device: str = "auto",
    batch_size: int | None = None,
    workers: int | None = None,
    on_error: Literal["skip", "fail"] = "skip",
    progress: ShowProgress = None,
    on_listing: Callable[[Mapping[str, Any]], None] | None = None,
) -> Iterator[Prediction | Failure]:
    """Classify photos, in the order of their ids, as they come out of the network.

    Parameters
    ----------
    classifier : Classifier
        Its recipe says how photos become rows.
    images and all others
        As for `penult.Classifier.predict`.

    Yields
    ------
    Prediction or Failure
        One for each image; a failure where it could not be read, unless it is in memory.

    Raises
    ------
    UsageError, SourceError, BackboneError, EngineError
    ImageError
        If an image in memory, or a path between them, cannot be read; with `on_error` "fail", at
        the first of any. Those before it were given.
    RecipeMismatchError
        If the backbone on this machine is not the one the classifier was trained with.
    OutputExistsError, OutputError
        If a photo lies in the folder of another class already, or cannot be copied; those before it
        were.
    """
    if top < 1:
        raise UsageError(f"top is {top}; give 1 or more")
    if threshold is not None and not 0 < threshold <= 1:
        raise UsageError(f"the threshold is {threshold}; give a probability above 0 and up to 1")
    classifier = with_unlike(classifier, unlike)
    images = without_iterator(images)
    if copy_mode not in MODES:
        raise UnknownNameError("way to copy", copy_mode, MODES)
    if copy_mode != "copy" and copy_to is None:
        raise UsageError(
            f"{option('copy_mode', copy_mode)} needs the folder to sort to: "
            f"{option('copy_to', 'DIR')}"
        )
    if classifier.thresholds is not None and (threshold is not None or copy_to is not None):
        what = "a threshold" if copy_to is None else "sorting into folders"
        raise UsageError(
            f"this classifier may give an image several labels, each with a threshold of its own; "
            f"{what} is for classifiers of one class an image"
        )
    if isinstance(images, list | tuple) and not images:
        return
    spec = ExtractorSpec(
        rows=RecipeRows((classifier.recipe,), "the classifier"),
        weights=WeightsChoice.moved(weights, offline=offline),
        engine=EngineOptions(engine=engine, device=device, batch_size=batch_size),
        reading=ReadingOptions(workers=workers, on_error=on_error),
    )
    sorter = None
    if copy_to is not None:
        sorter = Sorter(copy_to, classifier.label_names, mode=copy_mode)
    records, failures, readers = _listed(
        images, sorter, on_listing or log_listing_messages, offline=offline
    )
    with shown(progress) as tell, sorter or nullcontext():
        with announcing(tell):
            extractor = spec.shared()
            # What is wrong with it is said before any image is read.
            _ = extractor.engine_for(len(records))
        if failures and on_error == "fail":
            raise ImageError(f"{failures[0].id}: {failures[0].reason}")
        yield from failures
        done, failed = len(failures), len(failures)
        now = Progress(done, done + len(records), failed, stage="predict")
        tell(now)
        # Results of images in memory are told apart by their places, which a failure would shift.
        stop_on_error = are_in_memory(images) or None
        for block in extractor.blocks(records, readers=readers, stop_on_error=stop_on_error):
            predictions: Iterator[Prediction] = iter(())
            if block.rows:
                ids = [outcome.record.id for outcome in block.good]
                probabilities = classifier.predict_features(block.rows[0])
                similarity = classifier.similarity(block.rows[0])
                predictions = iter(
                    classifier.predictions(ids, probabilities, similarity=similarity, top=top)
                )
            done += len(block.outcomes)
            failed += len(block.failures)
            tell(replace(now, done=done, failed=failed))
            for outcome in block.outcomes:
                if outcome.failure is not None:
                    yield outcome.failure
                    continue
                prediction = next(predictions)
                unsure = threshold is not None and prediction.probability < threshold
                if sorter is not None:
                    try:
                        copied = sorter.place(
                            outcome.record,
                            outcome.digest,
                            prediction.label,
                            aside="unlike" if prediction.unlike else "unsure" if unsure else None,
                        )
                    except ImageError as error:  # it could be read before
                        if on_error == "fail":
                            raise ImageError(f"{outcome.record.id}: {error}") from error
                        yield Failure(outcome.record.id, str(error))
                        continue
                    if copied.new and sorter.mode != "move":  # a photo that was moved is still one
                        source = outcome.record.path
                        note_written(sorter.folder, copied.path, copy=True, source=source)
                    prediction = replace(prediction, copied=copied)
                yield replace(prediction, unsure=unsure)


def with_unlike(classifier: Classifier, unlike: float | str) -> Classifier:
    """Return a classifier that marks photos as unlike below another similarity, or never.

    Raises
    ------
    UsageError
        For a similarity that there cannot be, or where the classifier knows of none.
    """
    if unlike == "auto":
        return classifier
    unknown = (
        f"this classifier does not know what is unlike its training photos; leave out "
        f"{option('unlike')}, or train it again"
    )
    return replace(classifier, likeness=with_level(classifier.likeness, unlike, unknown=unknown))


def collect(outcomes: Iterable[Prediction | Failure]) -> Predictions:
    """Return the predictions as a list, with the failures beside them.

    Those, and how many predictions are no more than a guess, are logged once.
    """
    good: list[Prediction] = []
    failures: list[Failure] = []
    for outcome in outcomes:
        if isinstance(outcome, Failure):
            failures.append(outcome)
        else:
            good.append(outcome)
    log_failures(failures, total=len(failures) + len(good))
    unlike = sum(bool(one.unlike) for one in good)
    if unlike:
        logging.getLogger("penult").warning("%s", unlike_line(unlike, len(good)))
    return Predictions(good, failures)


def _listed(
    images: str | Path | Iterable[Any],
    sorter: Sorter | None,
    on_listing: Callable[[Mapping[str, Any]], None],
    *,
    offline: bool,
) -> tuple[Sequence[ImageRecord], Sequence[Failure], int | None]:
    """The images, what of them cannot be listed, and how many threads should read them."""
    if are_in_memory(images):
        if sorter is not None:
            raise UsageError("images in memory are no files that could be sorted into folders")
        return as_records(images), (), None
    sources = as_sources(images)
    if sorter is None:
        listing = list_images(sources, labels="none", offline=offline)
    else:
        sorter.require_outside([one for one in sources if isinstance(one, Path)])
        listing = list_images(sources, labels="none", leave_out=[sorter.folder], offline=offline)
        sorter.require_photos_outside(listing.records)  # a list may name some
        sorter.require_files(listing.records)
    on_listing(listing.notes_without_splits)
    return listing.records, listing.failures, listing.readers
