"""A classifier and its backbone as one ONNX file, for programs that have no penult."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from penult.checking import checked
from penult.classify.classifier import Classifier
from penult.classify.loading import as_classifier
from penult.errors import EngineError, OutputError, UnknownNameError
from penult.output import atomic_output, check_output
from penult.recipe import BackboneRecipe
from penult.representation import short_repr
from penult.suffixes import ONNX

__all__ = ["FORMATS", "Exported", "export"]

FORMATS = ("onnx",)

_DOC = (
    "From images, uint8 (N, {height}, {width}, 3) RGB, resized and cropped as the entry "
    "penult.preprocessing says, to probabilities, float32 (N, {classes}), and {decision} in the "
    "order of the entry penult.label_names. Mean and standard deviation are applied inside."
)
_ONE = "label, int64 (N,), the place of the most probable class,"
_SEVERAL = "labels, bool (N, {classes}), which of them the image has,"


@short_repr
@dataclass(frozen=True, kw_only=True)
class Exported:
    """A file that was written.

    Attributes
    ----------
    output : Path
        The file.
    format : {"onnx"}
        What it is.
    bytes : int
        Its size.
    network : str
        The backbone in it.
    input_size : (int, int)
        Height and width of the images that it takes.
    classes : mapping of str to int
        Class to number of training images, in the order of its probabilities.
    several : bool
        Whether an image may have several of them.
    row_difference : float
        The largest relative error that was found of its rows, ‖a - b‖ / ‖b‖.
    probability_difference : float
        The largest difference that was found of its probabilities, of the same rows.
    """

    output: Path
    format: str
    bytes: int
    network: str
    input_size: tuple[int, int]
    classes: Mapping[str, int]
    several: bool
    row_difference: float
    probability_difference: float


@checked
def export(
    classifier: Classifier | str | Path,
    output: str | Path,
    *,
    format: Literal["onnx"] = "onnx",
    weights: str | Path | None = None,
    offline: bool = False,
    overwrite: bool = False,
) -> Exported:
    """Write the backbone and the classifier as one ONNX graph.

    The graph takes ``images``, uint8 (N, H, W, 3) RGB at the size that the network sees, and gives
    ``probabilities``, float32 (N, K), and ``label``, int64 (N,), the most probable class; or, where
    images may have several labels, ``labels``, bool (N, K), those above their thresholds. Its
    metadata hold, as JSON, ``penult.label_names``, ``penult.preprocessing`` (how a photo is resized
    and cropped) and ``penult.recipe``.

    Both parts are tried out before they are written, and refused where rows differ from torch's by
    more than a relative error of 1e-4, or probabilities of the same rows by more than 1e-3; what
    was found is in the result.

    Parameters
    ----------
    classifier : Classifier or path
        The classifier, or its file.
    output : path
        File to write, whole or not at all.
    format : {'onnx'}, default='onnx'
        What to write.
    weights : path, optional
        Where the backbone's weights file is now, if not where it was.
    offline : bool, default=False
        Never touch the network.
    overwrite : bool, default=False
        Replace `output` if it exists.

    Returns
    -------
    Exported
        What was written.

    Raises
    ------
    UnknownNameError
        If there is no such format.
    OutputExistsError, PathNotFoundError, OutputError
        If the file cannot be written where it is to be.
    MissingExtraError
        If onnx is not installed, or torch where that has to write the network.
    WeightsError, RecipeMismatchError
        If the backbone on this machine is not the one the classifier was trained with.
    EngineError
        If the network or the classifier cannot be written as ONNX, or gives other numbers then.
    """
    if format not in FORMATS:
        raise UnknownNameError("format", format, FORMATS)
    inputs = [] if isinstance(classifier, Classifier) else [Path(classifier)]
    output = Path(output)
    check_output(output, overwrite=overwrite, inputs=inputs, output=ONNX)
    classifier = as_classifier(classifier)
    from penult import __version__
    from penult.backbones.registry import open_recipe
    from penult.backbones.weights.choice import WeightsChoice
    from penult.engines.onnx_export import require_onnx, row_graph

    require_onnx(f"{output}, an ONNX file,")
    from penult.classify.export.graph import join_models, probe_graph

    recipe = classifier.recipe
    if not isinstance(recipe, BackboneRecipe):
        raise EngineError(f"the rows of {recipe.outline} cannot be written as ONNX")
    choice = WeightsChoice.of(weights, offline=offline)
    probe = probe_graph(classifier)
    backbone = open_recipe(recipe, recipe_is="the classifier", choice=choice)
    try:
        rows = row_graph(backbone, recipe)
        model = join_models([rows.model, probe.model])
        model.producer_name, model.producer_version = "penult", __version__
        height, width = recipe.preprocessing.input_size
        classes = len(classifier.label_names)
        decision = _ONE if classifier.thresholds is None else _SEVERAL.format(classes=classes)
        model.doc_string = _DOC.format(
            height=height, width=width, classes=classes, decision=decision
        )
        for key, value in (
            ("label_names", json.dumps(list(classifier.label_names), ensure_ascii=False)),
            ("preprocessing", json.dumps(recipe.preprocessing.to_dict())),
            ("recipe", recipe.to_json()),
        ):
            model.metadata_props.add(key=f"penult.{key}", value=value)
        data = model.SerializeToString()
    except ValueError as error:  # what protobuf says to more than 2 GB
        raise OutputError(
            f"{output} cannot be written: {recipe.network} and the classifier are larger than the "
            "2 GB that one ONNX file can hold"
        ) from error
    with atomic_output(output, overwrite=overwrite) as temporary:
        temporary.write_bytes(data)
    if recipe.precision != "float32":
        logging.getLogger("penult").warning(
            "penult: %s computes in float32; the classifier's rows were in %s, so that its "
            "probabilities may differ from those of predict by some hundredths",
            output,
            recipe.precision,
        )
    return Exported(
        output=output,
        format=format,
        bytes=output.stat().st_size,
        network=recipe.network,
        input_size=(height, width),
        classes=classifier.images_per_class(),
        several=classifier.thresholds is not None,
        row_difference=rows.difference,
        probability_difference=probe.difference,
    )
