"""Images in, a feature file out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from penult.backbones.registry import DEFAULT_MODEL, open_backbone
from penult.errors import UnknownNameError, UsageError
from penult.output import check_output
from penult.recipe import Precision

if TYPE_CHECKING:
    from penult.images.labels.split_folders import SplitsFrom
    from penult.images.listing import Listing
    from penult.images.sources.base import SourceArgument
    from penult.recipe import Recipe
    from penult.records import Features, Progress

__all__ = ["extract", "extract_as"]

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
    splits: SplitsFrom = "auto",
    decode: Literal["exact", "scaled"] = "exact",
    precision: Precision = "float32",
    dtype: Literal["float32", "float16"] = "float32",
    engine: str = "auto",
    device: str = "auto",
    batch_size: int | None = None,
    workers: int | None = None,
    streams: int | None = None,
    on_error: Literal["skip", "fail"] = "skip",
    max_pixels: int | None = None,
    allow_truncated: bool = False,
    shuffle: int | None = None,
    overwrite: bool = False,
    restart: bool = False,
    update: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> Features:
    """Turn images into feature vectors, one row an image.

    What is computed is kept in the folder ``OUTPUT.parts`` until the file is whole: after a crash,
    a full disk or Ctrl-C, the same call goes on from there, and the file is the same as if nothing
    had happened. See docs/extract.md.

    Parameters
    ----------
    images : a folder, an image, a list (``.csv``, ``.parquet``), an archive (``.tar``,
        ``.parquet``), an address (``s3://…``), ``-`` for paths on standard input, or several of
        these; see docs/images.md
    output : feature file to write, whole or not at all; None keeps the rows in memory
    model : backbone, as listed by ``penult models``
    layer : one name, or several names and globs; all come from one forward pass
    pool : ``avg``, ``max``, ``gem``, ``cls``, ``flatten`` or ``none``; what suits the layer by
        default
    normalize : ``l2`` scales each row to length 1
    weights : a file to use in place of the pretrained weights, or ``"random"`` for an untrained
        network; the recipe says so
    offline : never touch the network, neither for weights nor for images; so does the environment
        variable ``PENULT_OFFLINE=1``
    architecture : for a plain state dict (``checkpoint:PATH``), the backbone that it fits
    labels : ``"parent"`` (what the source says, or else the folder's name), ``"none"``,
        ``"column:NAME"`` of the source's table, or a CSV file with columns path, label
    label_pattern : regular expression on file names whose group ``label`` is the label
    splits : whether a top folder called train, test and so on is a split, or a class: ``"auto"``
        decides by what is in it (see docs/images.md), ``"folders"`` takes every such folder for a
        split, ``"none"`` takes none. What was decided is in ``origin["split_folders"]``
    decode : ``"scaled"`` lets the decoder scale large JPEGs down, several times as fast on photos
        of many megapixels, for rows that differ a little (see docs/images.md)
    precision : ``"float16"`` or ``"bfloat16"`` is autocast on a CUDA GPU, for rows that differ a
        little
    dtype : of the rows on disk; an image whose row ``"float16"`` cannot hold is a failure
    engine, device : ``"auto"`` chooses
    batch_size, workers, streams : images a call of the engine, decoding threads, and images in the
        engine openvino at the same time; chosen from the machine by default, they never change a
        row
    on_error : ``"skip"`` lists an image that cannot be read, or for which the network gives no
        finite numbers, in ``/failures``; ``"fail"`` stops at the first
    max_pixels : refuse larger images, from their header
    allow_truncated : take what there is of truncated and damaged images
    shuffle : seed; store the rows in a shuffled order instead of by id, for scripts that split by
        position
    overwrite : replace `output` if it exists, atomically
    restart : throw away what an interrupted run left, and begin anew
    update : bring `output` up to date: compute only images that are new or changed, by their bytes,
        and drop what is gone; the file is then what a new run would give
    on_progress : called after each block, from the calling thread; if it raises, what is computed
        is kept first

    Returns
    -------
    Features
        The file as `penult.load` opens it; ``features`` is (N, D) float32 by default.

    Raises
    ------
    UsageError, SourceError, ImageError, BackboneError, EngineError, OutputError
        Nothing new is under the name of `output` then.
    ResumeError, RecipeMismatchError
        If an interrupted run, or the file to update, is of other images or another recipe; says in
        what they differ, and what to type.
    """
    _check_options(
        on_error=on_error,
        decode=decode,
        dtype=dtype,
        batch_size=batch_size,
        workers=workers,
        streams=streams,
        max_pixels=max_pixels,
        shuffle=shuffle,
    )

    from penult.features.resume.store import is_leftover, parts_folder

    target = None if output is None else Path(output)
    if target is not None:
        # A run that was killed when all but the tidying up was done is no reason to refuse.
        check_output(target, overwrite=overwrite or update or is_leftover(target))
    if update and (target is None or overwrite):
        raise UsageError(
            "an update needs an output to bring up to date"
            if target is None
            else "update and overwrite exclude each other: one keeps what holds, the other nothing"
        )

    from penult.images.listing import as_sources, list_images

    sources = as_sources(images)
    written = [] if target is None else [target, parts_folder(target)]
    how: dict[str, Any] = {"labels": labels, "label_pattern": label_pattern, "splits": splits}
    listing = list_images(sources, **how, leave_out=written, offline=offline)
    if shuffle is not None:
        listing = _shuffled(listing, shuffle)
    options = {
        "max_pixels": max_pixels,
        "allow_truncated": allow_truncated,
        "shuffle": shuffle,
    }
    origin = {**_origin(sources, listing, **how), **options}

    from penult.backbones.base import WeightsChoice
    from penult.backbones.recipe_selection import select
    from penult.engines.registry import open_engine

    choice = WeightsChoice.of(weights, offline=offline, architecture=architecture)
    backbone = open_backbone(model, choice)
    layers = [layer] if isinstance(layer, str) else layer
    selected = select(backbone, layers, pool, normalize)
    opened = open_engine(
        backbone,
        [recipe.with_options(decode=decode, precision=precision) for recipe in selected],
        engine=engine,
        device=device,
        batch_size=batch_size,
        streams=streams,
        images=len(listing.records),
    )

    from penult.features.read import load, read
    from penult.runs import Job, to_file, to_memory

    job = Job(
        listing=listing,
        engine=opened,
        dtype=dtype,
        origin=origin,
        options={"dtype": dtype, **options},
        pipeline={
            "workers": workers or listing.readers,
            "stop_on_error": on_error == "fail",
            "max_pixels": max_pixels,
            "allow_truncated": allow_truncated,
        },
        on_progress=on_progress,
    )
    if target is None:
        return read(to_memory(job), name="the features in memory")
    to_file(job, target, overwrite=overwrite, restart=restart, update=update)
    return load(target)


def extract_as(
    recipe: Recipe,
    images: Paths,
    *,
    recipe_is: str,
    labels: str | Path = "parent",
    label_pattern: str | None = None,
    splits: SplitsFrom = "auto",
    weights: str | Path | None = None,
    offline: bool = False,
    engine: str = "auto",
    device: str = "auto",
    on_progress: Callable[[Progress], None] | None = None,
) -> Features:
    """Turn images into feature vectors as a recipe says, in memory.

    Parameters
    ----------
    recipe_is : what carries the recipe, for messages, e.g. ``"flowers.skops"``
    weights : where the backbone's weights file is now, if not where it was
    images, labels, label_pattern, splits, offline, engine, device, on_progress : as for `extract`

    Raises
    ------
    UsageError, SourceError, WeightsError, BackboneError, EngineError
    RecipeMismatchError
        If the backbone on this machine is not the one that the recipe names.
    """
    from penult.backbones.base import WeightsChoice
    from penult.backbones.registry import open_recipe
    from penult.engines.registry import open_engine
    from penult.features.read import read
    from penult.images.listing import as_sources, list_images
    from penult.runs import Job, to_memory

    sources = as_sources(images)
    how: dict[str, Any] = {"labels": labels, "label_pattern": label_pattern, "splits": splits}
    listing = list_images(sources, **how, offline=offline)
    choice = WeightsChoice.of(weights, offline=offline)
    backbone = open_recipe(recipe, recipe_is=recipe_is, choice=choice)
    job = Job(
        listing=listing,
        engine=open_engine(backbone, [recipe], engine=engine, device=device),
        dtype="float32",
        origin=_origin(sources, listing, **how),
        options={},
        pipeline={"workers": listing.readers},
        on_progress=on_progress,
    )
    return read(to_memory(job), name="the features in memory")


def _origin(
    sources: Sequence[SourceArgument], listing: Listing, *, labels: str | Path, **how: Any
) -> dict[str, Any]:
    """What the file notes of where its images came from, and what was found beside them."""
    from penult.images.listing import origin_of

    return {**origin_of(sources), "labels": str(labels), **how, **listing.notes}


def _shuffled(listing: Listing, seed: int) -> Listing:
    import numpy as np

    order = np.random.default_rng(seed).permutation(len(listing.records))
    return replace(listing, records=listing.records.reordered(order))


def _check_options(
    *,
    on_error: str,
    decode: str,
    dtype: str,
    batch_size: int | None,
    workers: int | None,
    streams: int | None,
    max_pixels: int | None,
    shuffle: int | None,
) -> None:
    if on_error not in ("skip", "fail"):
        raise UnknownNameError("value for on-error", on_error, ("skip", "fail"))
    if decode not in ("exact", "scaled"):
        raise UnknownNameError("way to decode", decode, ("exact", "scaled"))
    if dtype not in ("float32", "float16"):
        raise UnknownNameError("dtype", dtype, ("float32", "float16"))
    for name, value in (
        ("batch size", batch_size),
        ("number of workers", workers),
        ("number of streams", streams),
        ("limit of pixels", max_pixels),
    ):
        if value is not None and value < 1:
            raise UsageError(f"a {name} of {value} was given; it must be 1 or more")
    if shuffle is not None and shuffle < 0:
        raise UsageError(f"a shuffle seed of {shuffle} was given; it must be 0 or more")
