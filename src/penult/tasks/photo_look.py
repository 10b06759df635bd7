"""What a network, or a classifier on its rows, goes by in a photo: maps of its places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.backbones.layer import is_pattern
from penult.backbones.registry import DEFAULT_MODEL
from penult.backbones.weights.choice import WeightsChoice
from penult.checking import checked
from penult.errors import UsageError
from penult.extractor import EngineOptions, ExtractorSpec, ModelRows, RecipeRows
from penult.extractor.rows import as_names
from penult.images.in_memory import are_in_memory
from penult.images.sources.remote.connection import is_url
from penult.inputs import require_file
from penult.interface import at_command_line, command, option
from penult.output import atomic_output, check_output
from penult.records import Look
from penult.suffixes import LOOK
from penult.wording import count
from penult.written import note_written

if TYPE_CHECKING:
    from penult.classify.classifier import Classifier
    from penult.records import RegionSimilarity

__all__ = ["look"]

_MOST_CLASSES = 12
_MOST_CHANNELS = 400


@checked
def look(
    images: str | Path | Sequence[Any],
    output: str | Path | Sequence[str | Path] | None = None,
    *,
    model: str | None = None,
    layer: str | Sequence[str] | None = None,
    classifier: Classifier | str | Path | None = None,
    label: str | Sequence[str] | None = None,
    similar: bool = False,
    channels: int | None = None,
    weights: str | Path | Sequence[str | Path] | None = None,
    offline: bool = False,
    architecture: str | None = None,
    engine: str = "auto",
    device: str = "auto",
    overwrite: bool = False,
) -> Look:
    """Show what a network goes by in a photo.

    Of a photo alone, the activation of layers. With a classifier, where in the photo its evidence
    for a class lies: exactly, by class activation mapping, where a linear classifier takes what a
    layer gives on average; with `layer`, by Grad-CAM, which needs torch. Of two photos with
    `similar`, which regions make them alike. See docs/look.md, also for what such maps do not say.

    Parameters
    ----------
    images : path, or list of one or two images
        The photo; two with `similar`. A list may hold what that of `penult.FeatureExtractor` does.
    output : path, or several, optional
        What to write, by suffix: a picture (``.png``, ``.svg``), or the numbers (``.npz``).
    model : str, optional
        Backbone, as listed by `penult.models`; ``"efficientnet_lite0"`` by default. With a
        classifier, its own.
    layer : str or sequence of str, optional
        Whose places to look at; of activations, several names and globs. By default the layer that
        is pooled to the network's row.
    classifier : Classifier or path, optional
        A linear one; shows where its evidence lies.
    label : str or sequence of str, optional
        Of which classes; by default the predicted one.
    similar : bool, default=False
        Show which regions make two photos alike: of the rows of `classifier` where one is given,
        else of `model` and `layer`.
    channels : int, optional
        How many channels of a layer a picture shows, strongest first; 16 by default.
    weights : path, sequence of paths, or "random", optional
        A file to use in place of the pretrained weights; of a classifier's network, where the
        weights file is now, if not where it was.
    offline : bool, default=False
        Never touch the network.
    architecture : str, optional
        For a plain state dict (``checkpoint:PATH``), the backbone that it fits.
    engine : str, default="auto"
        What runs the network.
    device : str, default="auto"
        What it runs on.
    overwrite : bool, default=False
        Replace what is written if it exists.

    Returns
    -------
    Look
        The maps: `Look.activations`, `Look.classes` or `Look.similarity`.

    Raises
    ------
    UsageError
        If options do not go together, the classifier is not linear, or a row cannot be divided
        among the places of a layer.
    UnknownNameError
        If there is no such model, layer or class.
    ImageError, PathNotFoundError, WrongFileError
        If a photo cannot be read.
    ClassifierFileError, RecipeMismatchError
        If the classifier cannot be read, or its network is another by now.
    WeightsError, MissingExtraError, EngineError
        If the network cannot be had or run.
    OutputExistsError, OutputError
        If something cannot be written.
    """
    photos = _photos(images)
    targets = _targets(output, photos, classifier, overwrite=overwrite)
    layers = () if layer is None else as_names(layer)
    labels = () if label is None else as_names(label)
    _require_together(
        photos, model, layers, classifier, labels, similar, channels, weights, architecture
    )
    for photo in photos:
        if isinstance(photo, str | Path):
            _require_on_disk(str(photo))
            require_file(Path(photo), "an image file", (".jpg", ".jpeg", ".png"))
    if classifier is not None and not similar:
        from penult.classify.loading import as_classifier
        from penult.saliency.class_maps import ClassMaps

        maps = ClassMaps(
            as_classifier(classifier),
            layer=layers[0] if layers else None,
            weights=weights,
            offline=offline,
            engine=engine,
            device=device,
        )
        found = Look(classes=maps(photos[0], labels))
    else:
        rows = ModelRows(models=(model or DEFAULT_MODEL,))
        choice = WeightsChoice.of(weights, offline=offline, architecture=architecture)
        if classifier is not None:
            choice = WeightsChoice.moved(weights, offline=offline)
        options = EngineOptions(engine=engine, device=device)
        spec = ExtractorSpec(rows=rows, weights=choice, engine=options)
        if similar:
            found = Look(similarity=_similar(spec, photos, classifier, layers))
        else:
            from penult.saliency.activations import activation_maps

            found = Look(activations=activation_maps(spec, photos[0], layers))
    found = replace(found, picture=_in_notebook)
    for target in targets:
        if target.suffix.lower() == ".npz":
            _write_arrays(found, target, overwrite=overwrite)
        else:
            from penult.reporting.figures.look import CHANNELS, write_look

            write_look(found, target, channels=channels or CHANNELS, overwrite=overwrite)
    return found


def _photos(images: Any) -> list[Any]:
    if isinstance(images, str | Path):
        return [images]
    is_one = are_in_memory(images) and not isinstance(images, list | tuple)
    # An array with one axis more is of several photos.
    return [images] if is_one and getattr(images, "ndim", 0) < 4 else list(images)


def _require_on_disk(photo: str) -> None:
    # Where a path was made of an address, one of its slashes is gone.
    scheme, found, rest = photo.partition(":/")
    if found and is_url(f"{scheme}://{rest.lstrip('/')}") and not Path(photo).exists():
        raise UsageError(
            f"{scheme}://{rest.lstrip('/')} is an address; download the photo, and give its file"
        )


def _targets(output: Any, photos: Sequence[Any], classifier: Any, *, overwrite: bool) -> list[Path]:
    several = [] if output is None else [output] if isinstance(output, str | Path) else output
    targets = [Path(one) for one in several]
    read = [Path(one) for one in (*photos, classifier) if isinstance(one, str | Path)]
    for k, target in enumerate(targets):
        if target.absolute() in [other.absolute() for other in targets[:k]]:
            raise UsageError(f"{target} is given twice; give each output once")
        check_output(target, overwrite=overwrite, inputs=read, output=LOOK)
    return targets


def _require_together(
    photos: Sequence[Any],
    model: str | None,
    layers: Sequence[str],
    classifier: Any,
    labels: Sequence[str],
    similar: bool,
    channels: int | None,
    weights: Any,
    architecture: str | None,
) -> None:
    if similar and len(photos) != 2:
        raise UsageError(
            f"{option('similar', True)} compares two photos, and there are {len(photos)}; give two"
        )
    if not similar and len(photos) != 1:
        raise UsageError(
            f"{len(photos)} photos are given; give one, or two and {option('similar', True)}"
        )
    if classifier is None and labels:
        raise UsageError(
            f"{option(_class_option(), labels[0])} needs a classifier that knows the class; give "
            f"{option('classifier', 'FILE')}"
        )
    if classifier is not None and model is not None:
        raise UsageError(
            f"the classifier says which network made its rows; leave out {option('model')}"
        )
    if classifier is not None and (architecture is not None or weights == "random"):
        what = "weights" if architecture is None else "architecture"
        raise UsageError(
            f"the classifier says which network made its rows, and with which weights; leave out "
            f"{option(what)}"
        )
    if similar and labels:
        raise UsageError(
            f"{option('similar', True)} compares rows, whatever the class; leave out "
            f"{option(_class_option())}"
        )
    if similar and classifier is not None and layers:
        raise UsageError(
            f"the classifier says which rows are compared; leave out {option('layer')}"
        )
    if len(layers) > 1 and (similar or classifier is not None):
        raise UsageError(
            f"{count(len(layers), 'layer')} are for activations; of a class, or of what is alike, "
            f"give one"
        )
    if layers and is_pattern(layers[0]) and (similar or classifier is not None):
        raise UsageError(
            f"{option('layer', layers[0])} stands for several layers, which are for activations; "
            f"of a class, or of what is alike, give the name of one, of those that "
            f"{command('layers', 'MODEL')} lists"
        )
    if len(set(labels)) < len(labels):
        raise UsageError("a class is given twice; give each once")
    if len(labels) > _MOST_CLASSES:
        raise UsageError(
            f"{len(labels)} classes are too many to be seen side by side; give {_MOST_CLASSES} at "
            f"most"
        )
    if channels is not None and (similar or classifier is not None):
        raise UsageError(f"{option('channels')} is for activations; leave it out")
    if channels is not None and not 1 <= channels <= _MOST_CHANNELS:
        raise UsageError(
            f"{option('channels', channels)}; give a number from 1 to {_MOST_CHANNELS}"
        )


def _similar(
    spec: ExtractorSpec, photos: Sequence[Any], classifier: Any, layers: Sequence[str]
) -> RegionSimilarity:
    from penult.saliency.similar_regions import similar_regions

    if classifier is not None:
        from penult.classify.loading import as_classifier

        recipe = as_classifier(classifier).recipe
        stored = RecipeRows((recipe,), "the classifier")
        return similar_regions(replace(spec, rows=stored), recipe, *photos)
    (opened,) = spec.shared_backbones()
    name = layers[0] if layers else "penultimate"
    # What is compared is what places give on average, also where there is a class token.
    has_places = opened.backbone.layer(name).layout not in ("vector", "other")
    made = opened.backbone.recipe(name, "avg" if has_places else None)
    return similar_regions(spec, made, *photos)


def _write_arrays(found: Look, path: Path, *, overwrite: bool) -> None:
    with atomic_output(path, overwrite=overwrite) as temporary, temporary.open("wb") as file:
        arrays: dict[str, Any] = found.to_arrays()
        np.savez_compressed(file, **arrays)
    note_written(path.parent, path)


def _in_notebook(found: Look) -> str:
    from penult.reporting.figures.look import look_as_html

    return look_as_html(found)


def _class_option() -> str:
    """What the help of the command calls it; Python has no argument `class`."""
    return "class" if at_command_line() else "label"
