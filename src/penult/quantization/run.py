"""Quantise a backbone, and judge it by images that it was not calibrated on."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult.backbones.weights.choice import WeightsChoice, files_read
from penult.checking import checked
from penult.deprecation import renamed_keyword
from penult.errors import BackboneError, UsageError
from penult.interface import option
from penult.output import check_output
from penult.progress import ShowProgress, announce, following
from penult.quantization.card import Quantization
from penult.recipe import Pooling
from penult.suffixes import NETWORK

if TYPE_CHECKING:
    from penult.images.listing import Images

__all__ = ["quantize"]


@renamed_keyword("pool", "pooling")
@checked
def quantize(
    model: str,
    calibrate: Images,
    output: str | Path,
    *,
    layer: str | Sequence[str] = "penultimate",
    pooling: Pooling | None = None,
    weights: str | Path | None = None,
    offline: bool = False,
    architecture: str | None = None,
    labels: str | Path | Sequence[Any] = "parent",
    label_pattern: str | None = None,
    path_column: str | None = None,
    label_column: str | None = None,
    images: int = 300,
    seed: int = 0,
    min_cosine: float = 0.995,
    overwrite: bool = False,
    progress: ShowProgress = None,
) -> Quantization:
    """Write a checkpoint of a backbone in 8-bit integers, a backbone like any other.

    See docs/quantize.md. The ranges of the activations come from some of the images; others of them
    are held back, and on those it is measured how far the rows differ.

    Parameters
    ----------
    model : str
        Backbone, as listed by ``penult models``.
    calibrate : path, address, list of them, or DataFrame
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
    labels : {"parent", "none"}, "column:NAME", path or sequence, default="parent"
        See `penult.extract`; only for the accuracy on the card.
    label_pattern : str, optional
        Regular expression on file names whose group ``label`` is the label.
    path_column, label_column : str, optional
        The columns of a table (a list of images, or the file `labels`) that name the images and
        their labels, where they are none of the usual ones, or there are several.
    images : int, default=300
        How many to calibrate on, at most; of few images at most three fifths are.
    seed : int, default=0
        Of the choice of images, and of the folds.
    min_cosine : float, default=0.995
        Where the mean cosine with float32 rows stays below this, the operations that do most harm
        are kept in float32 until it is reached.
    overwrite : bool, default=False
        Replace `output` if it exists, atomically.
    progress : bool or callable, optional
        As for `penult.extract`; what is done is said, and nothing counted.

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
    from penult.backbones.graph_file import save_graph
    from penult.backbones.graph_network import open_graph_file
    from penult.backbones.training_images import training_images
    from penult.content_keys import is_among, keys_of
    from penult.engines.finite import reasons
    from penult.engines.measure import all_rows, processor, rates
    from penult.engines.openvino import quantize as engine
    from penult.engines.openvino.nncf import require_nncf
    from penult.engines.registry import open_engine
    from penult.extractor import EngineOptions, ModelRows, OpenedBackbone, as_names
    from penult.images.listing_options import ListingOptions
    from penult.images.notes import log_listing_messages
    from penult.quantization.judging import layer_cosine, probe_accuracy
    from penult.quantization.samples import read_samples

    require_nncf()
    if images < 1:
        raise UsageError(f"{option('images', images)} was given; it must be 1 or more")
    if not 0 <= min_cosine < 1:
        raise UsageError(
            f"{option('min_cosine', min_cosine)} was given; it must be 0 or more, and below 1"
        )
    target = Path(output)
    check_output(target, overwrite=overwrite, inputs=files_read(model, weights), output=NETWORK)
    with following(progress):
        choice = WeightsChoice.of(weights, offline=offline, architecture=architecture)
        opened = OpenedBackbone(model, choice)
        backbone = opened.backbone
        if backbone.metadata.quantized:
            raise UsageError(f"{model} computes with integers already; give what it was made from")
        rows = ModelRows(models=(model,), layers=as_names(layer), pooling=pooling)
        recipes = rows.leaves(backbone)
        listed_as = ListingOptions(
            labels=labels,
            label_pattern=label_pattern,
            path_column=path_column,
            label_column=label_column,
        )
        listing = listed_as.list(listed_as.sources(calibrate), offline=offline)
        log_listing_messages({**listing.notes, "split_folders": ()})
        announce("reading images")
        records, pixels, digests = read_samples(listing.records, backbone, images, seed)
        calibrated = min(images, len(records) * 3 // 5)
        theirs = opened.engine(recipes, EngineOptions(engine="openvino"))
        float_rows = all_rows(theirs, pixels)
        for number, reason in reasons(float_rows, recipes).items():
            raise BackboneError(
                f"{model} cannot be quantised: {records[number].id}: {reason}; give other "
                f"weights, or another layer"
            )
        made = engine.quantize(backbone, recipes, pixels[:calibrated], min_cosine=min_cosine)
        with tempfile.TemporaryDirectory() as folder:
            # Judged as it will be used: from a file, by the engine.
            unjudged = Path(folder) / target.name
            save_graph(unjudged, made.graph, {})
            small = open_graph_file(unjudged)
            # What the engine caches of it is then under its final name.
            small = small.replace(
                name=f"checkpoint:{target.resolve()}",
                weights=dataclasses.replace(small.weights, name=f"file:{target.resolve()}"),
            )
            announce("comparing it with float32")
            wanted = [small.recipe(r.layer, r.pooling) for r in recipes]
            ours = open_engine(small, wanted)
            int8_rows = all_rows(ours, pixels)
            announce("measuring speed")
            speeds = rates([theirs, ours], pixels)
        accuracy = None
        if any(record.labels for record in records):
            announce("measuring accuracy")
            accuracy = probe_accuracy(records, recipes[-1], float_rows[-1], int8_rows[-1], seed)
        trained_on = training_images(backbone.weights.path)
        trained = None if trained_on is None else int(is_among(keys_of(digests), trained_on).sum())
        card = Quantization(
            backbone=backbone.described,
            weights=backbone.weights.name,
            weights_sha256=backbone.weights.sha256,
            calibrated=calibrated,
            held_back=len(records) - calibrated,
            seed=seed,
            cosines=tuple(
                layer_cosine(recipe, records[calibrated:], theirs[calibrated:], ours[calibrated:])
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
            trained_network=trained,
        )
        save_graph(
            target,
            made.graph,
            dataclasses.asdict(card),
            trained_on=trained_on,
            overwrite=overwrite,
        )
        return card
