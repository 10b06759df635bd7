"""Images in, a feature file out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from penult.backbones.registry import DEFAULT_MODEL, open_backbone
from penult.errors import SourceError, UnknownNameError, UsageError
from penult.output import atomic_output, check_output
from penult.records import Failure, Progress

if TYPE_CHECKING:
    from penult.engines.base import Engine
    from penult.features.write import FeatureWriter
    from penult.images.sources import Listing
    from penult.records import Features

__all__ = ["extract"]

Paths = str | Path | Sequence[str | Path]


def extract(
    images: Paths,
    output: str | Path | None = None,
    *,
    model: str = DEFAULT_MODEL,
    layer: str | Sequence[str] = "penultimate",
    pool: str | None = None,
    normalize: Literal["none", "l2"] = "none",
    weights: str | Path | None = None,
    offline: bool = False,
    architecture: str | None = None,
    labels: str | Path = "parent",
    label_pattern: str | None = None,
    dtype: Literal["float32", "float16"] = "float32",
    engine: str = "auto",
    device: str = "auto",
    batch_size: int | None = None,
    workers: int | None = None,
    on_error: Literal["skip", "fail"] = "skip",
    max_pixels: int | None = None,
    allow_truncated: bool = False,
    overwrite: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> Features:
    """Turn images into feature vectors, one row an image.

    Parameters
    ----------
    images : a folder, a file, or several of either
    output : feature file to write, whole or not at all; None keeps the rows in memory
    model : backbone, as listed by ``penult models``
    layer : one name, or several names and globs; all come from one forward pass
    pool : ``avg``, ``max``, ``gem``, ``cls``, ``flatten`` or ``none``; what suits the layer by
        default
    normalize : ``l2`` scales each row to length 1
    weights : a file to use in place of the pretrained weights, or ``"random"`` for an untrained
        network; the recipe says so
    offline : never touch the network; so does the environment variable ``PENULT_OFFLINE=1``
    architecture : for a plain state dict (``checkpoint:PATH``), the backbone that it fits
    labels : ``"parent"`` (folder names), ``"none"``, or a CSV file with columns path, label
    label_pattern : regular expression on file names whose group ``label`` is the label
    dtype : of the rows on disk
    engine, device : ``"auto"`` chooses
    batch_size, workers : chosen from the machine by default; they never change a row
    on_error : ``"skip"`` lists an unreadable image in ``/failures``, ``"fail"`` stops at the first
    max_pixels : refuse larger images, from their header
    allow_truncated : take what there is of truncated images
    overwrite : replace `output` if it exists, atomically
    on_progress : called after each block, from the calling thread

    Returns
    -------
    Features
        The file as `penult.load` opens it; ``features`` is (N, D) float32 by default.

    Raises
    ------
    UsageError, SourceError, ImageError, BackboneError, EngineError, OutputError
        Nothing is left under the name of `output` then.
    """
    _check_options(on_error=on_error, dtype=dtype, batch_size=batch_size, workers=workers)
    target = None if output is None else Path(output)
    if target is not None:
        check_output(target, overwrite=overwrite)

    from penult.images.sources import list_images

    sources = [Path(p) for p in ([images] if isinstance(images, str | Path) else images)]
    listing = list_images(sources, labels=labels, label_pattern=label_pattern)
    origin = {
        "sources": [str(source.absolute()) for source in sources],
        "labels": str(labels),
        "label_pattern": label_pattern,
        "passed_over": dict(listing.passed_over),
    }

    from penult.backbones.base import WeightsChoice
    from penult.backbones.select import select
    from penult.engines.choose import open_engine

    choice = WeightsChoice.of(weights, offline=offline, architecture=architecture)
    backbone = open_backbone(model, choice)
    recipes = select(backbone, [layer] if isinstance(layer, str) else layer, pool, normalize)
    opened = open_engine(backbone, recipes, engine=engine, device=device)
    pipeline = {
        "batch_size": batch_size,
        "workers": workers,
        "stop_on_error": on_error == "fail",
        "max_pixels": max_pixels,
        "allow_truncated": allow_truncated,
    }

    from penult.features.read import load, read
    from penult.features.write import Columns, FeatureWriter

    columns = Columns.of(listing.records)
    if target is None:
        writer = FeatureWriter(None, recipes, columns, dtype=dtype, origin=origin)
        _fill(writer, listing, opened, pipeline, on_progress)
        return read(writer.in_memory(), name="the features in memory")
    with atomic_output(target, overwrite=overwrite) as temporary:
        writer = FeatureWriter(temporary, recipes, columns, dtype=dtype, origin=origin)
        try:
            _fill(writer, listing, opened, pipeline, on_progress)
            writer.close()
        except BaseException:
            writer.abandon()
            raise
    return load(target)


def _fill(
    writer: FeatureWriter,
    listing: Listing,
    engine: Engine,
    pipeline: Mapping[str, Any],
    on_progress: Callable[[Progress], None] | None,
) -> None:
    """Run the engine over the listing, and write every outcome."""
    from penult.engines.pipeline import run

    failures: list[Failure] = list(listing.failures)
    total = len(listing.records) + len(failures)
    if on_progress is not None:
        on_progress(Progress(done=len(failures), total=total, failed=len(failures)))
    for block in run(listing.records, engine, **pipeline):
        good = block.good
        writer.append([o.record for o in good], [o.digest for o in good], block.rows)
        failures += block.failures
        if on_progress is not None:
            done = writer.count + len(failures)
            on_progress(Progress(done=done, total=total, failed=len(failures)))
    if writer.count == 0:
        first = failures[0]
        raise SourceError(
            f"none of the {total} images could be read; the first, {first.id}: {first.reason}"
        )
    writer.finish(sorted(failures, key=lambda failure: failure.id))


def _check_options(
    *, on_error: str, dtype: str, batch_size: int | None, workers: int | None
) -> None:
    if on_error not in ("skip", "fail"):
        raise UnknownNameError("value for on-error", on_error, ("skip", "fail"))
    if dtype not in ("float32", "float16"):
        raise UnknownNameError("dtype", dtype, ("float32", "float16"))
    for name, value in (("batch size", batch_size), ("number of workers", workers)):
        if value is not None and value < 1:
            raise UsageError(f"a {name} of {value} was given; it must be 1 or more")
