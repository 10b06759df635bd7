"""Images in, a feature file out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from penult.backbones.registry import DEFAULT_MODEL
from penult.backbones.weights.choice import WeightsChoice
from penult.checking import checked
from penult.deprecation import renamed_keyword
from penult.distributed import OnCluster, RayOptions, RowsRun, Target, require_no_output_options
from penult.errors import ImageError, UnknownNameError, UsageError
from penult.extractor import (
    EngineOptions,
    ExtractorSpec,
    ModelRows,
    ReadingOptions,
    as_names,
)
from penult.features.changes import changes_of, made_changes
from penult.features.contradictions import find_contradictions, log_contradictions
from penult.features.h5_file import read
from penult.features.left_out import require_all_given
from penult.features.read import load
from penult.features.resume.finished import require_same
from penult.images.augmentation_options import AugmentationOptions
from penult.images.listing import Images
from penult.images.listing_options import ListingOptions
from penult.images.notes import log_failures, log_labels
from penult.images.pixels.decode import MAX_PIXELS
from penult.images.read import read_pixels
from penult.interface import option
from penult.progress import ShowProgress, Tell, following
from penult.recipe import Pooling, Precision, Views
from penult.records import Failure
from penult.runs import Job, no_row, to_file, to_memory
from penult.wording import count

if TYPE_CHECKING:
    from penult.images.labels.split_folders import SplitsFrom
    from penult.images.listing import Listing
    from penult.records import Features

__all__ = ["Extraction", "extract"]


@renamed_keyword("pool", "pooling")
@checked
def extract(
    images: Images,
    output: str | Path | None = None,
    *,
    model: str | Sequence[str] = DEFAULT_MODEL,
    layer: str | Sequence[str] = "penultimate",
    pooling: Pooling | None = None,
    normalize: Literal["none", "l2"] = "none",
    views: Views | None = None,
    join: bool | None = None,
    weights: str | Path | None = None,
    offline: bool = False,
    architecture: str | None = None,
    labels: str | Path | Sequence[Any] = "parent",
    label_pattern: str | None = None,
    path_column: str | None = None,
    label_column: str | None = None,
    splits: SplitsFrom = "auto",
    decode: Literal["exact", "scaled"] = "exact",
    resize: Literal["exact", "fast"] = "exact",
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
    augment: int = 0,
    augment_to: int | None = None,
    augment_policy: Literal["light", "strong"] = "light",
    seed: int = 0,
    overwrite: bool = False,
    restart: bool = False,
    update: bool = False,
    ray: bool | str | None = None,
    ray_workers: int | str | None = None,
    ray_cpus: int = 1,
    ray_gpus: float | None = None,
    part_images: int | None = None,
    part_format: Literal["h5", "parquet"] | None = None,
    progress: ShowProgress = None,
) -> Features:
    """Turn images into feature vectors, one row an image.

    What is computed is kept in the folder ``OUTPUT.parts`` until the file is whole: after a crash,
    a full disk or Ctrl-C, the same call goes on from there, and the file is the same as if nothing
    had happened. See docs/extract.md.

    Parameters
    ----------
    images : path, address, list of them, or DataFrame
        A folder, an image, a list (``.csv``, ``.parquet``), an archive (``.tar``, ``.parquet``), an
        address (``s3://…``), ``-`` for paths on standard input, or several of these; or a
        DataFrame with the columns of a list. See docs/images.md.
    output : path or address, optional
        Feature file to write, whole or not at all; or a folder of rows (``photos.rows``), written
        part by part, which may lie at an address (``s3://bucket/photos.rows``). None keeps the rows
        in memory.
    model : str or sequence of str, default="efficientnet_lite0"
        Backbone, as listed by ``penult models``, or several, whose rows are joined: each photo is
        read once (see docs/combine.md).
    layer : str or sequence of str, default="penultimate"
        One name, or several names and globs; all come from one forward pass. Of several models,
        each name has to be a layer of one at least.
    pooling : {"avg", "max", "gem", "cls", "flatten", "none"}, optional
        How maps or tokens become a row; what suits the layer by default.
    normalize : {"none", "l2"}, default="none"
        ``"l2"`` scales each row to length 1, of every network and view before they are put
        together.
    views : {"flip", "five-crop", "ten-crop"}, optional
        Views of each image whose rows are averaged: it and its mirror image, its corners and its
        centre, or these and their mirror images.
    join : bool, optional
        Whether the rows of all models and layers are joined to one, each scaled to length 1 first;
        by default those of several models are.
    weights : path or "random", optional
        A file to use in place of the pretrained weights, or an untrained network; the recipe says
        so.
    offline : bool, default=False
        Never touch the network, neither for weights nor for images; so does the environment
        variable ``PENULT_OFFLINE=1``.
    architecture : str, optional
        For a plain state dict (``checkpoint:PATH``), the backbone that it fits.
    labels : {"parent", "none"}, "column:NAME", path or sequence, default="parent"
        ``"parent"`` is what the source says, or else the folder's name; ``"column:NAME"`` is of the
        source's table; a CSV file has columns path, label. A sequence has a label for each path of
        a list, in the same order.
    label_pattern : str, optional
        Regular expression on file names whose group ``label`` is the label.
    path_column, label_column : str, optional
        The columns of a table (a list of images, or the file `labels`) that name the images and
        their labels, where they are none of the usual ones, or there are several.
    splits : {"auto", "folders", "none"}, default="auto"
        Whether a top folder called train, test and so on is a split, or a class: ``"auto"``
        decides by what is in it (see docs/images.md), ``"folders"`` takes every such folder for a
        split, ``"none"`` takes none. What was decided is in ``origin["split_folders"]``.
    decode : {"exact", "scaled"}, default="exact"
        ``"scaled"`` lets the decoder scale large JPEGs down, several times as fast on photos of
        many megapixels, for rows that differ a little (see docs/images.md).
    resize : {"exact", "fast"}, default="exact"
        ``"fast"`` resizes six times as fast, for pixels that differ by one here and there; it needs
        the extra ``fast`` (see docs/speed.md).
    precision : {"float32", "float16", "bfloat16"}, default="float32"
        ``"bfloat16"`` takes half the time on a CPU that has it, for rows that differ a little; on
        a CUDA GPU, ``"float16"`` and ``"bfloat16"`` are autocast (see docs/speed.md).
    dtype : {"float32", "float16"}, default="float32"
        Of the rows on disk; an image whose row ``"float16"`` cannot hold is a failure.
    engine : str, default="auto"
        What runs the network.
    device : str, default="auto"
        What it runs on: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.
    batch_size : int, optional
        Images a call of the engine. Like `workers` and `streams`, it is chosen from the machine by
        default, and never changes a row.
    workers : int, optional
        Decoding threads; from 12 on, of small photos, processes.
    streams : int, optional
        Images in the engine openvino at the same time.
    on_error : {"skip", "fail"}, default="skip"
        ``"skip"`` lists an image that cannot be read, or for which the network gives no finite
        numbers, in ``/failures``; ``"fail"`` stops at the first.
    max_pixels : int, optional
        Refuse larger images, from their header.
    allow_truncated : bool, default=False
        Take what there is of truncated and damaged images.
    shuffle : int, optional
        Seed; store the rows in a shuffled order instead of by id, for scripts that split by
        position.
    augment : int, default=0
        Rows of so many augmented views of each photo: changed at random, to train with alone (see
        docs/combine.md). They are ``features.augmented``, and none of the rows. Photos of other
        splits than train get none.
    augment_to : int, optional
        In its place, as many views as fill each class up to that many rows, spread evenly over its
        photos; none for a class that has as many photos.
    augment_policy : {"light", "strong"}, default="light"
        How much is changed: crop, angle, mirror image and colours, ``"strong"`` more of each, and
        at times to grey or blurred.
    seed : int, default=0
        Of the augmentation. A view depends on it, the policy, the photo's bytes and its number
        alone.
    overwrite : bool, default=False
        Replace `output` if it exists, atomically. Beside `update`, drop images of places that are
        not given, too.
    restart : bool, default=False
        Throw away what an interrupted run left, and begin anew.
    update : bool, default=False
        Bring `output` up to date: compute only images that are new or changed, by their bytes, and
        drop what is gone; the file is then what a new run would give. `images` have to be all
        places that those of the file come from, and are still there.
    ray : bool or str, optional
        Compute on a cluster of Ray: True or ``"auto"`` for the one that ``RAY_ADDRESS`` names, or
        that ``ray start`` began on this machine, or else one that is started here for the run, as
        ``"local"`` always does; or the address of a running one, ``"HOST:6379"``. The file is the
        same as without. See docs/distributed.md.
    ray_workers : int or str, optional
        Workers on the cluster, each with a network of its own; ``"2:16"`` has Ray add and remove
        some. As many as there is room for, by default.
    ray_cpus : int, default=1
        Cores a worker.
    ray_gpus : float, optional
        GPUs a worker, of which several may share one (0.5); 1 for the device ``"cuda"``, else none.
    part_images : int, optional
        Images a part of a folder of rows: what a killed run, or a killed worker, loses at most. By
        default 4,096, or what the folder has that is brought up to date.
    part_format : {"h5", "parquet"}, optional
        Of the parts of a folder of rows; by default HDF5, or what the folder has.
    progress : bool or callable, optional
        True shows how far it is, False does not; by default it is shown on a terminal and in a
        notebook, unless ``PENULT_PROGRESS=0``. A function is called with a `Progress` instead,
        after each block, from the calling thread; if it raises, what is computed is kept first.

    Returns
    -------
    Features
        The file as `penult.load` opens it; ``features`` is (N, D) float32 by default, and
        ``augmented`` has the rows of augmented views, where there are some. After an
        update, ``changes`` says which images were added, removed, changed, relabelled
        and renamed.

    Raises
    ------
    UsageError, SourceError, ImageError, BackboneError, EngineError, OutputError
        Nothing new is under the name of `output` then.
    ResumeError, RecipeMismatchError
        If an interrupted run, or the file to update, is of other images or another recipe; says in
        what they differ, and what to type.
    """
    cluster = RayOptions.of(ray, workers=ray_workers, cpus=ray_cpus, gpus=ray_gpus, device=device)
    extraction = Extraction(
        extractor=ExtractorSpec(
            rows=ModelRows(
                models=as_names(model),
                layers=as_names(layer),
                pooling=pooling,
                normalize=normalize,
                views=views,
                join=join,
                decode=decode,
                resize=resize,
                precision=precision,
            ),
            weights=WeightsChoice.of(weights, offline=offline, architecture=architecture),
            engine=EngineOptions(
                engine=engine, device=device, batch_size=batch_size, streams=streams
            ),
            reading=ReadingOptions(
                workers=workers,
                max_pixels=max_pixels,
                allow_truncated=allow_truncated,
                on_error=on_error,
            ),
        ),
        listing=ListingOptions(
            labels=labels,
            label_pattern=label_pattern,
            path_column=path_column,
            label_column=label_column,
            splits=splits,
        ),
        augmentation=AugmentationOptions(
            augment=augment,
            augment_to=augment_to,
            augment_policy=augment_policy,
            augment_seed=seed,
        ),
        dtype=dtype,
        shuffle=shuffle,
    )
    if output is not None:
        features = extraction.to_file(
            images,
            output,
            overwrite=overwrite and not update,
            restart=restart,
            update=update,
            may_drop_places=overwrite,
            cluster=cluster,
            part_images=part_images,
            part_format=part_format,
            progress=progress,
        )
    else:
        require_no_output_options(
            cluster, update=update, part_images=part_images, part_format=part_format
        )
        features = extraction.to_memory(images, progress=progress)
    log_labels(features)
    log_failures(features.failures, total=len(features) + len(features.failures))
    log_contradictions(find_contradictions(features), output)
    return features


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """All that is asked of an extraction besides its images and its output.

    Attributes
    ----------
    extractor : ExtractorSpec
        What makes the rows.
    listing : ListingOptions
        How the images are listed.
    augmentation : AugmentationOptions
        Which of them get augmented views.
    dtype : {"float32", "float16"} or None
        None: float32, where nobody can ask for another one.
        Of the rows in the file.
    shuffle : int or None
        Seed of the rows' order, which is by id otherwise.
    needs_labels : bool
        Whether images without any label are refused before a network is loaded.
    """

    extractor: ExtractorSpec
    listing: ListingOptions = field(default_factory=ListingOptions)
    augmentation: AugmentationOptions = field(default_factory=AugmentationOptions)
    dtype: Literal["float32", "float16"] | None = None
    shuffle: int | None = None
    needs_labels: bool = False

    def __post_init__(self) -> None:
        if self.dtype not in ("float32", "float16", None):
            raise UnknownNameError("dtype", self.dtype, ("float32", "float16"))
        if self.shuffle is not None and self.shuffle < 0:
            raise UsageError(f"a shuffle seed of {self.shuffle} was given; it must be 0 or more")

    def to_memory(self, images: Images, *, progress: ShowProgress = None) -> Features:
        """Make the rows, and keep them in memory; see `extract`."""
        with following(progress) as tell:
            job = self._job(images, (), tell)
            _ = job.extractor.engine  # what is wrong with it is said before any image is read
            file = to_memory(job)
        return read(file, name="the features in memory")

    def to_file(
        self,
        images: Images,
        output: str | Path,
        *,
        overwrite: bool = False,
        restart: bool = False,
        update: bool = False,
        may_drop_places: bool = True,
        cluster: RayOptions | None = None,
        part_images: int | None = None,
        part_format: Literal["h5", "parquet"] | None = None,
        progress: ShowProgress = None,
    ) -> Features:
        """Make the rows, and write the feature file, or the folder of rows; see `extract`.

        Whether an update may drop images of places that it was not given, is `may_drop_places`.
        """
        target = Target.of(output, offline=self.extractor.weights.offline)
        target.require_run(cluster, part_images=part_images, part_format=part_format)
        how = {"overwrite": overwrite, "update": update}
        run = RowsRun(
            part_images=part_images,
            part_format=part_format,
            cluster=cluster,
        )
        target.require(**how)
        with following(progress) as tell:
            job = self._job(images, target.leave_out, tell)
            old = None
            if update and target.exists():  # before a network is converted for what is refused
                old = require_same(target.path, job.recipes, job.options)
                if not may_drop_places:
                    planned = changes_of(old, job.listing.records)
                    require_all_given(target.path, old, job.origin, planned)
            if cluster is None:  # on a cluster, the engines are the workers'
                _ = job.extractor.engine  # what is wrong with it is said before anything is written
            if target.store is not None:
                run.to_folder(job, target.store, restart=restart, **how)
            else:
                compute = None if cluster is None else OnCluster(cluster)
                to_file(job, target.path, restart=restart, compute=compute, **how)
        features = load(target.path)
        return replace(features, changes=None if old is None else made_changes(old, features))

    def require_labels(self, listing: Listing) -> None:
        """Refuse images none of which has a label, where labels are needed.

        Raises
        ------
        SourceError
            If it is a single image, and that cannot be read: it would be of no use with a label.
        UsageError
        """
        if self.needs_labels and not any(one.labels for one in listing.records.annotations()):
            self._require_readable(listing)
            raise UsageError(
                f"none of {count(len(listing.records), 'image')} has a label; put them into one "
                f"folder a class, or give {option('labels', 'FILE')} or "
                f"{option('label_pattern', 'REGEX')}"
            )

    def _require_readable(self, listing: Listing) -> None:
        if len(listing.records) != 1:  # of many, the cause would be known only after all were read
            return
        record, reading = listing.records[0], self.extractor.reading
        try:
            read_pixels(
                record,
                lambda _: None,
                max_pixels=reading.max_pixels or MAX_PIXELS,
                allow_truncated=reading.allow_truncated,
            )
        except ImageError as error:
            raise no_row(Failure(record.id, str(error))) from error

    def _job(self, images: Images, leave_out: Sequence[Path], tell: Tell) -> Job:
        sources, offline = self.listing.sources(images), self.extractor.weights.offline
        listing = self.listing.list(sources, leave_out=leave_out, offline=offline)
        self.require_labels(listing)
        views = self.augmentation.views(listing.records) if self.augmentation.asked else None
        if self.shuffle is not None:
            order = np.random.default_rng(self.shuffle).permutation(len(listing.records))
            listing = replace(listing, records=listing.records.reordered(order))
            views = None if views is None else views[order]
        if views is not None and not views.any():
            views = None  # the file needs no room for such
        options = {
            "max_pixels": self.extractor.reading.max_pixels,
            "allow_truncated": self.extractor.reading.allow_truncated,
            "shuffle": self.shuffle,
            **self.augmentation.to_origin(),
        }
        rows = len(listing.records) + (0 if views is None else int(views.sum()))
        extractor = self.extractor.open(images=rows)
        return Job(
            listing=listing,
            extractor=extractor,
            augmented=() if views is None else self.augmentation.recipes(extractor.recipes),
            views=views,
            dtype=self.dtype or "float32",
            halves=self.dtype == "float32",
            origin={**self.listing.origin(sources, listing), **options},
            options={"dtype": self.dtype or "float32", **options},
            tell=tell,
            trained_on=extractor.trained_on,
        )
