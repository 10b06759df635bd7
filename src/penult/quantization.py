"""A backbone in 8-bit integers: several times as fast on a CPU, for rows that differ a little."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from penult.backbones.weights.choice import WeightsChoice
from penult.deprecation import renamed_keyword
from penult.errors import BackboneError, ImageError, SourceError, UsageError
from penult.output import check_output

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.backbones.backbone import Backbone
    from penult.recipe import Recipe
    from penult.records import ImageRecord

__all__ = ["LayerCosine", "ProbeAccuracy", "Quantization", "quantize"]

FEWEST_IMAGES = 10
MOST_HELD_BACK = 500
FOLDS = 4
SEEDS = 5


@dataclass(frozen=True, kw_only=True)
class LayerCosine:
    """Cosine similarity of int8 rows with float32 rows, on images not calibrated on.

    Attributes
    ----------
    layer : str
        Of the rows.
    pooling : str
        Of the rows.
    mean : float
        Over the images; 1 is best.
    lowest : float
        Over the images.
    lowest_id : str
        The image that the lowest belongs to.
    """

    layer: str
    pooling: str
    mean: float
    lowest: float
    lowest_id: str


@dataclass(frozen=True, kw_only=True)
class ProbeAccuracy:
    """Cross-validated accuracy of the default classifier on rows of one layer.

    Attributes
    ----------
    layer : str
        Its name.
    images : int
        What it was measured on.
    classes : int
        Of these images.
    folds : int
        Of each cross-validation.
    seeds : int
        Cross-validations; each folds anew.
    float32 : float
        Mean accuracy over the seeds, in [0, 1].
    int8 : float
        The same of the int8 checkpoint.
    differences : tuple of float
        Of each seed, int8 less float32.
    """

    layer: str
    images: int
    classes: int
    folds: int
    seeds: int
    float32: float
    int8: float
    differences: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Quantization:
    """The card of an int8 checkpoint: what it was made from, and what that cost and won.

    Attributes
    ----------
    backbone : str
        What it was made from.
    weights : str
        The name of the weights it was made from.
    weights_sha256 : str
        Their digest.
    calibrated : int
        Images calibrated on.
    held_back : int
        Images judged by.
    seed : int
        Of the choice of these images.
    cosines : tuple of LayerCosine
        One a layer, in the order of execution.
    operations : int
        Convolutions and matrix products.
    in_float : int
        Those computed in float32.
    half_range : bool
        Whether weights have 7 bits, for a processor that lacks VNNI.
    float32_rate : float
        Images a second of the network alone, measured in turns with `int8_rate`.
    int8_rate : float
        The same of the int8 checkpoint.
    machine : str
        Processor and number of cores that they were measured on.
    accuracy : ProbeAccuracy or None
        Where the images are labelled, and enough of them.
    versions : mapping
        Library to version.
    """

    backbone: str
    weights: str
    weights_sha256: str
    calibrated: int
    held_back: int
    seed: int
    cosines: tuple[LayerCosine, ...]
    operations: int
    in_float: int
    half_range: bool
    float32_rate: float
    int8_rate: float
    machine: str
    accuracy: ProbeAccuracy | None
    versions: Mapping[str, str]


@renamed_keyword("pool", "pooling")
def quantize(
    model: str,
    calibrate: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    layer: str | Sequence[str] = "penultimate",
    pooling: str | None = None,
    weights: str | Path | None = None,
    offline: bool = False,
    architecture: str | None = None,
    labels: str | Path = "parent",
    label_pattern: str | None = None,
    images: int = 300,
    seed: int = 0,
    min_cosine: float = 0.995,
    overwrite: bool = False,
    on_stage: Callable[[str], None] | None = None,
) -> Quantization:
    """Write a checkpoint of a backbone in 8-bit integers, a backbone like any other.

    See docs/quantize.md. The ranges of the activations come from some of the images; others of them
    are held back, and on those it is measured how far the rows differ.

    Parameters
    ----------
    model : str
        Backbone, as listed by ``penult models``.
    calibrate : path, address, or list of them
        A folder, a file, or several of either: images like those it is meant for.
    output : path
        Checkpoint to write, whole or not at all; ``penult.extract(…, model=output)`` opens it.
    layer : str or sequence of str, default="penultimate"
        One name, or several names and globs: the layers that the checkpoint has.
    pooling : {"avg", "max", "gem", "cls", "flatten", "none"}, optional
        Of the rows that are judged; the checkpoint has every other as well.
    weights : path or "random", optional
        A file to use in place of the pretrained weights.
    offline : bool, default=False
        Never touch the network.
    architecture : str, optional
        For a plain state dict (``checkpoint:PATH``), the backbone that it fits.
    labels : {"parent", "none"}, "column:NAME" or path, default="parent"
        See `penult.extract`; only for the accuracy on the card.
    label_pattern : str, optional
        Regular expression on file names whose group ``label`` is the label.
    images : int, default=300
        How many to calibrate on, at most; of few images at most three fifths are.
    seed : int, default=0
        Of the choice of images, and of the folds.
    min_cosine : float, default=0.995
        Where the mean cosine with float32 rows stays below this, the operations that do most harm
        are kept in float32 until it is reached.
    overwrite : bool, default=False
        Replace `output` if it exists, atomically.
    on_stage : callable, optional
        Told in words what begins.

    Returns
    -------
    Quantization
        What stands on the checkpoint's card.

    Raises
    ------
    MissingExtraError
        Where NNCF is not installed.
    UsageError, SourceError, BackboneError, EngineError, OutputError
        Nothing new is under the name of `output` then.
    """
    from penult.backbones.checkpoint import is_checkpoint_name
    from penult.backbones.int8 import open_int8, save_int8
    from penult.engines.finite import reasons
    from penult.engines.measure import all_rows, processor, rates
    from penult.engines.openvino import quantize as engine
    from penult.engines.openvino.nncf import require_nncf
    from penult.engines.registry import open_engine
    from penult.extractor import EngineOptions, ModelRows, OpenedBackbone, layer_names
    from penult.images.listing import as_sources
    from penult.images.listing_options import ListingOptions
    from penult.images.notes import log_listing_messages

    require_nncf()
    if images < 1 or not 0 <= min_cosine < 1:
        raise UsageError(
            f"{images} images and a mean cosine of {min_cosine:g} were asked for; give 1 or more, "
            f"and a cosine from 0 to below 1"
        )
    say = on_stage or (lambda _stage: None)
    target = Path(output)
    check_output(target, overwrite=overwrite)
    if not is_checkpoint_name(target.name):
        raise UsageError(
            f"{target} does not end as a checkpoint does, so --model would not know it for one; "
            f"call it {target}.ckpt"
        )
    choice = WeightsChoice.of(weights, offline=offline, architecture=architecture)
    opened = OpenedBackbone(model, choice)
    backbone = opened.backbone
    if backbone.metadata.quantized:
        raise UsageError(f"{model} is an int8 checkpoint already; give what it was made from")
    rows = ModelRows(model=model, layers=layer_names(layer), pooling=pooling)
    recipes = rows.recipes(backbone)
    say("reading images")
    listed_as = ListingOptions(labels=labels, label_pattern=label_pattern)
    listing = listed_as.list(as_sources(calibrate), offline=offline)
    log_listing_messages({**listing.notes, "split_folders": ()})
    records, pixels = _read(listing.records, backbone, images, seed)
    calibrated = min(images, len(records) * 3 // 5)
    theirs = opened.engine(recipes, EngineOptions(engine="openvino"))
    float_rows = all_rows(theirs, pixels)
    for number, reason in reasons(float_rows, recipes).items():
        raise BackboneError(
            f"{model} cannot be quantised: {records[number].id}: {reason}; give other weights, or "
            f"another layer"
        )
    made = engine.quantize(
        backbone, recipes, pixels[:calibrated], min_cosine=min_cosine, on_stage=say
    )
    with tempfile.TemporaryDirectory() as folder:
        # Judged as it will be used: from a file, by the engine.
        unjudged = Path(folder) / target.name
        save_int8(unjudged, made.graph, {})
        small = open_int8(unjudged)
        # What the engine caches of it is then under its final name.
        small = small.replace(
            name=f"checkpoint:{target.resolve()}",
            weights=dataclasses.replace(small.weights, name=f"file:{target.resolve()}"),
        )
        say("comparing it with float32")
        wanted = [small.recipe(r.layer, r.pooling) for r in recipes]
        ours = open_engine(small, wanted)
        int8_rows = all_rows(ours, pixels)
        say("measuring speed")
        speeds = rates([theirs, ours], pixels)
    accuracy = None
    if any(record.labels for record in records):
        say("measuring accuracy")
        accuracy = _accuracy(records, recipes[-1], float_rows[-1], int8_rows[-1], seed)
    card = Quantization(
        backbone=backbone.described,
        weights=backbone.weights.name,
        weights_sha256=backbone.weights.sha256,
        calibrated=calibrated,
        held_back=len(records) - calibrated,
        seed=seed,
        cosines=tuple(
            _cosine(recipe, records[calibrated:], theirs[calibrated:], ours[calibrated:])
            for recipe, theirs, ours in zip(recipes, float_rows, int8_rows, strict=True)
        ),
        operations=made.products,
        in_float=made.in_float,
        half_range=made.half_range,
        float32_rate=speeds[0],
        int8_rate=speeds[1],
        machine=processor(ours.concurrency),
        accuracy=accuracy,
        versions={name: version(name) for name in ("penult", "nncf", "openvino")},
    )
    save_int8(target, made.graph, dataclasses.asdict(card), overwrite=overwrite)
    return card


def _read(
    listed: Sequence[ImageRecord], backbone: Backbone, images: int, seed: int
) -> tuple[list[ImageRecord], NDArray[np.uint8]]:
    """Those of the images that can be read, in a random order, and their pixels (N, H, W, 3)."""
    import numpy as np

    from penult.images.pixels.transform import Transform
    from penult.images.read import read_pixels
    from penult.machine import cores

    order = np.random.default_rng(seed).permutation(len(listed))
    chosen = [listed[k] for k in order[: images + MOST_HELD_BACK]]
    transform = Transform(backbone.preprocessing)

    def pixels(record: ImageRecord) -> NDArray[np.uint8] | None:
        try:
            return read_pixels(record, transform)[0]
        except ImageError:
            return None

    with ThreadPoolExecutor(cores()) as pool:
        found = [
            (record, image)
            for record, image in zip(chosen, pool.map(pixels, chosen), strict=True)
            if image is not None
        ]
    if len(found) < FEWEST_IMAGES:
        raise SourceError(
            f"{len(found)} of {len(chosen)} images can be read, and calibrating and judging takes "
            f"{FEWEST_IMAGES}; give more, like those that it is meant for (300 and more are good)"
        )
    return [record for record, _ in found], np.stack([image for _, image in found])


def _cosine(
    recipe: Recipe,
    records: Sequence[ImageRecord],
    theirs: NDArray[np.float32],
    ours: NDArray[np.float32],
) -> LayerCosine:
    from penult.engines.agreement import cosines

    found = cosines(ours, theirs)
    lowest = int(found.argmin())
    return LayerCosine(
        layer=recipe.layer,
        pooling=recipe.pooling,
        mean=float(found.mean()),
        lowest=float(found[lowest]),
        lowest_id=records[lowest].id,
    )


def _accuracy(
    records: Sequence[ImageRecord],
    recipe: Recipe,
    theirs: NDArray[np.float32],
    ours: NDArray[np.float32],
    seed: int,
) -> ProbeAccuracy | None:
    """Of the images with one label, in classes large enough; None where there are not two."""
    import numpy as np

    from penult.classify.kinds.base import TrainingData
    from penult.classify.training.grid import expand_grids
    from penult.classify.training.search import search
    from penult.partition.splits import cross_validation

    labels = np.array([r.labels[0] if len(r.labels) == 1 else "" for r in records])
    names, counts = np.unique(labels, return_counts=True)
    kept = np.isin(labels, [x for x, n in zip(names, counts, strict=True) if x and n >= FOLDS])
    classes, truth = np.unique(labels[kept], return_inverse=True)
    if len(classes) < 2:
        return None
    candidates = expand_grids(["logistic"])
    accuracies: list[list[float]] = [[], []]
    for number in range(seed, seed + SEEDS):
        folds = cross_validation(truth, None, folds=FOLDS, seed=number)
        for found, rows in zip(accuracies, (theirs, ours), strict=True):
            flat = rows[kept].reshape(len(truth), -1)
            data = TrainingData(rows=flat, labels=truth, folds=folds, scale="l2", seed=number)
            trials = search(data, candidates).trials
            found.append(max(trial.mean for trial in trials))
    return ProbeAccuracy(
        layer=recipe.layer,
        images=len(truth),
        classes=len(classes),
        folds=FOLDS,
        seeds=SEEDS,
        float32=float(np.mean(accuracies[0])),
        int8=float(np.mean(accuracies[1])),
        differences=tuple(b - a for a, b in zip(*accuracies, strict=True)),
    )
