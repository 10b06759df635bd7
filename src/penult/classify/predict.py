"""A classifier applied straight to photos: its recipe says how they become rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from penult.errors import UsageError
from penult.records import Failure, Prediction, Progress

if TYPE_CHECKING:
    from penult.classify.model import Classifier

__all__ = ["predict_images"]


def predict_images(
    classifier: Classifier,
    images: str | Path | Sequence[str | Path],
    *,
    top: int = 5,
    engine: str = "auto",
    device: str = "auto",
    batch_size: int | None = None,
    workers: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Iterator[Prediction | Failure]:
    """Classify photos, in the order of their ids, as they come out of the network.

    Parameters
    ----------
    images : a folder, a file, or several of either
    top : how many classes to list for each

    Yields
    ------
    Prediction or Failure
        One for each image; a failure where it could not be read.

    Raises
    ------
    UsageError, SourceError, BackboneError, EngineError
    RecipeMismatchError
        If the backbone on this machine is not the one the classifier was trained with.
    """
    if top < 1:
        raise UsageError(f"top is {top}; give 1 or more")
    from penult.backbones.registry import open_recipe
    from penult.engines.choose import open_engine
    from penult.engines.pipeline import run
    from penult.images.sources import list_images

    sources = [Path(p) for p in ([images] if isinstance(images, str | Path) else images)]
    listing = list_images(sources, labels="none")
    backbone = open_recipe(classifier.recipe, recipe_is="the classifier")
    opened = open_engine(backbone, [classifier.recipe], engine=engine, device=device)
    yield from listing.failures
    done, failed = len(listing.failures), len(listing.failures)
    total = done + len(listing.records)
    for block in run(listing.records, opened, batch_size=batch_size, workers=workers):
        predictions: Iterator[Prediction] = iter(())
        if block.rows:
            ids = [outcome.record.id for outcome in block.good]
            probabilities = classifier.predict_features(block.rows[0])
            predictions = iter(classifier.predictions(ids, probabilities, top=top))
        done += len(block.outcomes)
        failed += len(block.failures)
        if on_progress is not None:
            on_progress(Progress(done=done, total=total, failed=failed))
        for outcome in block.outcomes:
            yield outcome.failure or next(predictions)
