"""What an extraction would give, without running it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from penult.backbones.registry import DEFAULT_MODEL, open_without_download
from penult.backbones.weights.choice import WeightsChoice
from penult.checking import checked
from penult.deprecation import renamed_keyword
from penult.distributed import (
    RayOptions,
    RowsRun,
    RowsStart,
    Target,
    first_places,
    read_manifest,
    require_no_output_options,
)
from penult.engines.registry import engines_tried
from penult.extractor import ModelRows, ReadingOptions, as_names, by_network
from penult.features.changes import changes_of
from penult.features.estimate import estimate_bytes
from penult.features.left_out import require_all_given
from penult.features.parts.header import PartsHeader
from penult.features.parts_estimate import estimate_parts
from penult.features.read import layer_recipes
from penult.features.resume.finished import require_same
from penult.features.write import Columns
from penult.images.augmentation_options import AugmentationOptions
from penult.images.listing import Images
from penult.images.listing_options import ListingOptions
from penult.images.records_with_views import RecordsWithViews
from penult.recipe import BackboneRecipe, Pooling, Precision, Recipe, Views
from penult.records import Changes
from penult.representation import html_table, one_line, short_repr, short_text
from penult.wording import count, listed, times

if TYPE_CHECKING:
    from penult.images.labels.split_folders import SplitsFrom
    from penult.records import ImageRecord

__all__ = ["Plan", "PlannedLayer", "Unfinished", "plan"]


@short_repr
@dataclass(frozen=True)
class PlannedLayer:
    """The rows of one layer, or what is joined of several.

    Attributes
    ----------
    name : str
        Of the rows, as the file will have it.
    pooling : str
        As the recipe will say; several are separated by commas.
    shape : tuple of int
        Of one row.
    """

    name: str
    pooling: str
    shape: tuple[int, ...]

    @property
    def length(self) -> int:
        """How many numbers a row has."""
        return prod(self.shape)


@short_repr
@dataclass(frozen=True)
class Unfinished:
    """What an interrupted run has left in a folder of rows, of which an extraction makes use.

    Attributes
    ----------
    parts : int
        How many are done.
    images : int
        Of how many images, augmented views included.
    total : int
        Of how many in all.
    """

    parts: int
    images: int
    total: int

    @property
    def line(self) -> str:
        """All that in words."""
        are = "is" if self.images == 1 else "are"
        return (
            f"{self.images:,} of {count(self.total, 'image')} {are} done, in "
            f"{count(self.parts, 'part')}: an extraction goes on from there"
        )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an extraction would give.

    Attributes
    ----------
    backbone : str
        Its name, or what it is where it has other weights.
    images : int
        Images found, if all of them can be read.
    classes : mapping of str to int
        Label to number of images, sorted by label.
    layers : tuple of PlannedLayer
        In execution order.
    dtype : str
        Of the rows in the file.
    bytes : int
        Size of the feature file, an estimate.
    changes : Changes or None
        What an update of the file that is there would add, remove, relabel and try again. Images
        whose bytes have changed are found when it is run.
    notes : mapping
        What was found beside the images, as the file's origin would have it.
    augmented : int
        Augmented views of the images, whose rows stand beside theirs.
    unfinished : Unfinished or None
        What is done of an interrupted run that such an extraction would go on with, into a folder
        of rows.
    parts : int or None
        Of a folder of rows, how many there would be; None of a file.
    part_images, part_format : int and str, or None
        Images a part at most, and the format of parts.
    """

    backbone: str
    images: int
    classes: Mapping[str, int]
    layers: tuple[PlannedLayer, ...]
    dtype: str
    bytes: int
    changes: Changes | None
    notes: Mapping[str, Any]
    augmented: int = 0
    unfinished: Unfinished | None = None
    parts: int | None = None
    part_images: int | None = None
    part_format: str | None = None

    @property
    def parts_line(self) -> str | None:
        """The parts of a folder of rows, in words."""
        if self.parts is None:
            return None
        of = count(self.part_images or 0, "image")
        return f"{count(self.parts, 'part')} of up to {of} ({self.part_format})"

    def __repr__(self) -> str:
        layers = (f"{short_text(one.name)} {times(one.shape)}" for one in self.layers)
        known = ("added", "removed", "relabelled")  # a name alone is found when it is run
        changed = (
            [] if self.changes is None else [(one, getattr(self.changes, one)) for one in known]
        )
        if self.changes is not None and self.changes.retried:
            changed.append(("to be tried again", self.changes.retried))
        facts = [
            ("images", count(self.images, "image")),
            ("augmented", count(self.augmented, "augmented view") if self.augmented else None),
            ("classes", count(len(self.classes), "class")),
            ("network", short_text(self.backbone)),
            ("layer", f"{listed(layers, 3)} {self.dtype}"),
            ("file", f"about {self.bytes / 1e6:,.1f} MB"),
            ("parts", self.parts_line),
            (
                "changes",
                ", ".join(f"{len(ids):,} {what}" for what, ids in changed) if changed else None,
            ),
            ("unfinished", None if self.unfinished is None else self.unfinished.line),
        ]
        return one_line("Plan", facts)

    def _repr_html_(self) -> str:
        facts = [
            ("network", self.backbone),
            *(
                (layer.name, f"{' × '.join(map(str, layer.shape))} {self.dtype}")
                for layer in self.layers
            ),
            ("images", f"{self.images:,}"),
            ("augmented views", f"{self.augmented:,}" if self.augmented else None),
            ("file", f"about {self.bytes / 1e6:,.1f} MB"),
            ("parts", self.parts_line),
        ]
        return html_table("Plan", facts, [("class", "images"), *self.classes.items()])


@renamed_keyword("pool", "pooling")
@checked
def plan(
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
) -> Plan:
    """Say what `penult.extract` with these arguments would give; no image is read.

    Shapes do not depend on the weights: none are downloaded.

    Parameters
    ----------
    images : path, address, list of them, or DataFrame
        As for `penult.extract`, like all other parameters.
    output : path, optional
        Feature file that would be written; what could not be is refused.
    model : str or sequence of str, default="efficientnet_lite0"
        Backbone, as listed by ``penult models``, or several.
    layer : str or sequence of str, default="penultimate"
        One name, or several names and globs.
    pooling : {"avg", "max", "gem", "cls", "flatten", "none"}, optional
        How maps or tokens become a row; what suits the layer by default.
    normalize : {"none", "l2"}, default="none"
        ``"l2"`` scales each row to length 1, of every network and view before they are put
        together.
    views : {"flip", "five-crop", "ten-crop"}, optional
        Views of each image whose rows are averaged.
    join : bool, optional
        Whether the rows of all models and layers are joined to one.
    weights : path or "random", optional
        A file to use in place of the pretrained weights.
    offline : bool, default=False
        Never touch the network.
    architecture : str, optional
        For a plain state dict, the backbone that it fits.
    labels : {"parent", "none"}, "column:NAME", path or sequence, default="parent"
        Where labels come from.
    label_pattern : str, optional
        Regular expression on file names whose group ``label`` is the label.
    path_column, label_column : str, optional
        The columns of a table (a list of images, or the file `labels`) that name the images and
        their labels, where they are none of the usual ones, or there are several.
    splits : {"auto", "folders", "none"}, default="auto"
        Whether top folders called train, test and so on are splits.
    decode : {"exact", "scaled"}, default="exact"
        Whether the decoder may scale large JPEGs down.
    resize : {"exact", "fast"}, default="exact"
        How images are resized.
    precision : {"float32", "float16", "bfloat16"}, default="float32"
        What the network computes in.
    dtype : {"float32", "float16"}, default="float32"
        Of the rows on disk.
    engine, device : str, default="auto"
        What runs the network, and on what: refused where the network cannot be run so; neither is
        opened.
    max_pixels : int, optional
        Refuse larger images; counted here all the same, as none is read.
    allow_truncated : bool, default=False
        Take what there is of truncated and damaged images.
    shuffle : int, optional
        Seed of the rows' order, which is by id otherwise.
    augment : int, default=0
        Rows of so many augmented views of each photo: ``augmented`` is how many in all.
    augment_to : int, optional
        Or as many as fill each class up to that many rows.
    augment_policy : {"light", "strong"}, default="light"
        How much is changed.
    seed : int, default=0
        Of the augmentation.
    overwrite : bool, default=False
        Replace `output` if it exists; beside `update`, drop images of places that are not given.
    restart : bool, default=False
        Throw away what an interrupted run left: what it was of does not matter.
    update : bool, default=False
        Bring `output` up to date: ``changes`` says what that would change.
    ray, ray_workers, ray_cpus, ray_gpus : optional
        A run on a cluster of Ray, which is neither started nor connected to.
    part_images : int, optional
        Images a part of a folder of rows.
    part_format : {"h5", "parquet"}, optional
        Of the parts.

    Returns
    -------
    Plan
        What would be in the file, and about how large that would be.

    Raises
    ------
    UsageError, SourceError, BackboneError
        As `penult.extract` does.
    RecipeMismatchError
        If the file to update, or the unfinished run in a folder of rows, was made otherwise; says
        in what they differ, and what to type.
    ResumeError, FeatureFileError
        If an unfinished run in a folder of rows is over other images, or the folder has lost what
        says of which run its parts are.
    """
    cluster = RayOptions.of(ray, workers=ray_workers, cpus=ray_cpus, gpus=ray_gpus, device=device)
    target = None if output is None else Target.of(output, offline=offline)
    if target is not None:
        target.require_run(cluster, part_images=part_images, part_format=part_format)
        target.require(overwrite=overwrite, update=update)
    else:
        require_no_output_options(
            cluster, update=update, part_images=part_images, part_format=part_format
        )
    rows = ModelRows(
        models=as_names(model),
        layers=as_names(layer),
        pooling=pooling,
        normalize=normalize,
        views=views,
        join=join,
        decode=decode,
        resize=resize,
        precision=precision,
    )
    augmentation = AugmentationOptions(
        augment=augment, augment_to=augment_to, augment_policy=augment_policy, augment_seed=seed
    )
    reading = ReadingOptions(max_pixels=max_pixels, allow_truncated=allow_truncated)
    listing = ListingOptions(
        labels=labels,
        label_pattern=label_pattern,
        path_column=path_column,
        label_column=label_column,
        splits=splits,
    )
    outputs = () if target is None else target.leave_out
    sources = listing.sources(images)
    images_found = listing.list(sources, leave_out=outputs, offline=offline)
    choice = WeightsChoice.of(weights, offline=offline, architecture=architecture)
    networks = rows.networks(choice)
    backbones = [open_without_download(network.name, network.choice) for network in networks]
    recipes = rows.recipes(backbones)
    of_each = list(zip(backbones, by_network(recipes.values()), strict=True))
    for backbone, own in of_each if cluster is None else ():  # on a cluster, they are the workers'
        engines_tried(backbone, own, engine=engine, device=device)
    shapes = {
        leaf: backbone.layer(leaf.layer).pooled_shape(leaf.pooling)
        for backbone, own in of_each
        for leaf in own
    }
    layers = tuple(
        PlannedLayer(
            name,
            ", ".join(dict.fromkeys(leaf.pooling for leaf in recipe.leaves)),
            recipe.row_shape(shapes.__getitem__),
        )
        for name, recipe in recipes.items()
    )
    options = {
        "dtype": dtype,
        "max_pixels": reading.max_pixels,
        "allow_truncated": reading.allow_truncated,
        "shuffle": shuffle,
        **augmentation.to_origin(),
    }
    # Those that stand in for weights which are not here.
    absent = {leaf for b, own in of_each for leaf in own if not b.weights.name}

    def compared_with(others: Iterable[Recipe]) -> Mapping[str, Recipe]:
        theirs = [leaf for one in others for leaf in one.leaves]
        return {n: _with_pretrained(recipe, absent, theirs) for n, recipe in recipes.items()}

    changes = None
    if target is not None and update and target.exists():
        asked = compared_with(recipe for recipe, _ in layer_recipes(target.path).values())
        old = require_same(target.path, asked, options)
        changes = changes_of(old, images_found.records)
        if not overwrite:
            origin = listing.origin(sources, images_found)
            require_all_given(target.path, old, origin, changes)
    photos = images_found.records
    more = augmentation.views(photos) if augmentation.asked else None
    if shuffle is not None:  # as the extraction does it
        order = np.random.default_rng(shuffle).permutation(len(photos))
        photos = photos.reordered(order)
        more = None if more is None else more[order]
    records: Sequence[ImageRecord] = photos
    if more is not None:
        records = RecordsWithViews(photos, more)
    columns = Columns.of(records)
    parts = images_a_part = how = unfinished = header = None
    if target is not None and (store := target.store) is not None:
        run = RowsRun(part_images=part_images, part_format=part_format)
        whole = read_manifest(store)
        images_a_part, how = run.parts(whole if update else None)
        left = target.unfinished()
        theirs = [
            recipe
            for one in (None if left is None else left[0], whole)
            for recipe in (() if one is None else one.recipes)
        ]
        if theirs or not absent:  # else it is not known which run's the parts in it would be
            RowsStart.of(
                store,
                compared_with(theirs),
                {**options, "part_images": images_a_part, "part_format": how},
                records,
                old=whole,
                overwrite=overwrite and not update,
                restart=restart,
                update=update,
            )
        if left is not None and not restart:
            done = left[1].values()
            unfinished = Unfinished(len(done), sum(one.images for one in done), len(records))
        # What such parts cannot hold is refused here as in the run.
        header = PartsHeader(
            run="0" * 8,
            created="0" * 25,
            recipes=recipes,
            columns=columns,
            dtype=dtype,
            origin={**listing.origin(sources, images_found), **options},
            part_images=images_a_part,
            format=how,
            augmented=augmentation.recipes(recipes.values()) if columns.augmented else (),
        )
    row_shapes = [layer.shape for layer in layers]
    if header is None:
        size = estimate_bytes(
            records,
            list(recipes.values()),
            row_shapes,
            columns,
            list(recipes),
            dtype=dtype,
            failures=images_found.failures,
        )
    else:
        places = first_places(len(photos), more, header.part_images)
        parts, size = len(places) - 1, estimate_parts(header, records, places, row_shapes)
    counted = Counter(label for record in photos for label in record.labels)
    return Plan(
        backbone=" + ".join(backbone.described for backbone in backbones),
        images=len(photos),
        classes=dict(sorted(counted.items())),
        layers=layers,
        dtype=dtype,
        augmented=len(records) - len(photos),
        bytes=size,
        changes=changes,
        unfinished=unfinished,
        parts=parts,
        part_images=images_a_part,
        part_format=how,
        notes={"splits": splits, **images_found.notes},
    )


def _with_pretrained(
    recipe: Recipe, absent: set[BackboneRecipe], theirs: Sequence[BackboneRecipe]
) -> Recipe:
    """The recipe with pretrained weights that are not here: a file's, if it was made with such."""
    pretrained = {
        leaf.architecture: leaf.weights_sha256
        for leaf in theirs
        if leaf.weights != "random" and not leaf.weights.startswith("file:")
    }
    return recipe.with_leaves(
        {
            leaf: replace(
                leaf,
                weights_sha256=pretrained.get(leaf.architecture, "of the pretrained weights"),
            )
            for leaf in absent
        }
    )
