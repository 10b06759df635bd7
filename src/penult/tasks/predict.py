"""A classifier applied to photos."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from penult.checking import checked
from penult.classify.classifier import Classifier
from penult.classify.loading import as_classifier, refuse_swapped
from penult.classify.prediction.predict import collect, predict_images
from penult.classify.prediction.table import to_file
from penult.errors import UsageError
from penult.images.in_memory import are_in_memory, without_iterator
from penult.images.listing import as_sources
from penult.progress import ShowProgress
from penult.records import Failure, Prediction, Predictions

__all__ = ["predict"]


@checked
def predict(
    classifier: Classifier | str | Path,
    images: str | Path | Iterable[Any],
    output: str | Path | None = None,
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
    overwrite: bool = False,
    escape_formulas: bool = False,
    progress: ShowProgress = None,
    on_listing: Callable[[Mapping[str, Any]], None] | None = None,
) -> Predictions:
    """Say which class each image belongs to, and how probable that is.

    Parameters
    ----------
    classifier : Classifier or path
        The classifier, or its file.
    images : path, address, or list
        As for `Classifier.predict`, like all other parameters that it has.
    output : path, optional
        A .csv or .jsonl file to write the predictions to, and why images could not be read; whole
        or not at all, the same as the command writes.
    top : int, default=1
        How many classes to list for each.
    threshold : float, optional
        Predictions whose probability is lower are marked as unsure; in (0, 1].
    unlike : float or {"auto", "off"}, default="auto"
        Photos whose similarity is lower are marked as unlike all training photos; by default
        the classifier's own threshold. ``"off"`` marks none.
    copy_to : path, optional
        A folder in which each photo is put into the folder of its class.
    copy_mode : {"copy", "hardlink", "symlink", "move"}, default="copy"
        How photos are put there; `move_back` undoes ``"move"``.
    weights : path or sequence of paths, optional
        Where the backbone's weights file is now, if not where it was; of several, those that
        moved.
    offline : bool, default=False
        Never touch the network.
    engine : str, default="auto"
        What runs the network.
    device : str, default="auto"
        What it runs on.
    batch_size : int, optional
        Images a call of the engine; chosen from the machine by default.
    workers : int, optional
        Decoding threads; chosen from the machine by default.
    on_error : {"skip", "fail"}, default="skip"
        ``"fail"`` stops at the first image that cannot be read, with an `ImageError`.
    overwrite : bool, default=False
        Replace `output` if it exists.
    escape_formulas : bool, default=False
        In CSV, put an apostrophe before names that a spreadsheet would run.
    progress : bool or callable, optional
        As for `penult.extract`.
    on_listing : callable, optional
        Called once with what was found beside the images, which is logged by default.

    Returns
    -------
    Predictions
        A list of `Prediction`, in the order of the ids; the images that could not be read are its
        ``failures``.

    Raises
    ------
    PenultError
        As `load_classifier` and `Classifier.predict` do, and if `output` cannot be written.
    """
    refuse_swapped(classifier, images)
    model, images = as_classifier(classifier), without_iterator(images)
    if isinstance(images, list | tuple) and not images:
        raise UsageError("no folder or image was given")
    outcomes = predict_images(
        model,
        images,
        top=top,
        threshold=threshold,
        unlike=unlike,
        copy_to=copy_to,
        copy_mode=copy_mode,
        weights=weights,
        offline=offline,
        engine=engine,
        device=device,
        batch_size=batch_size,
        workers=workers,
        on_error=on_error,
        progress=progress,
        on_listing=on_listing,
    )
    if output is None:
        return collect(outcomes)
    inputs = () if are_in_memory(images) else as_sources(images)
    with to_file(
        Path(output),
        overwrite=overwrite,
        inputs=[one for one in inputs if isinstance(one, Path)],
        top=top,
        several=model.thresholds is not None,
        copies=copy_to is not None,
        escape_formulas=escape_formulas,
    ) as write:
        return collect(_each_written(outcomes, write))


def _each_written(
    outcomes: Iterable[Prediction | Failure], write: Callable[[Prediction | Failure], None]
) -> Iterator[Prediction | Failure]:
    for outcome in outcomes:
        write(outcome)
        yield outcome
