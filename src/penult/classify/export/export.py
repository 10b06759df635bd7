"""A classifier and its backbone as one ONNX file, for programs that have no penult."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from penult.checking import checked
from penult.classify.classifier import Classifier
from penult.classify.loading import as_classifier
from penult.engines.onnx_tree import GraphInput, tree_graph
from penult.errors import OutputError, UnknownNameError
from penult.extractor import RecipeRows, by_network
from penult.output import atomic_output, check_output
from penult.representation import short_repr
from penult.suffixes import ONNX
from penult.wording import listed

__all__ = ["FORMATS", "Exported", "export"]

FORMATS = ("onnx",)

_DOC = (
    "From {inputs} to probabilities, float32 (N, {classes}), and {decision} in the order of the "
    "entry penult.label_names. Images are RGB, resized and cropped as the entry "
    "penult.preprocessing says. Mean and standard deviation are applied inside."
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
        The backbone in it, or several.
    inputs : tuple of GraphInput
        The images that it takes, once for each way in which its networks see them.
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
    inputs: tuple[GraphInput, ...]
    classes: Mapping[str, int]
    several: bool
    row_difference: float
    probability_difference: float

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of the images that its first input takes."""
        return self.inputs[0].preprocessing.input_size


@checked
def export(
    classifier: Classifier | str | Path,
    output: str | Path,
    *,
    format: Literal["onnx"] = "onnx",
    weights: str | Path | Sequence[str | Path] | None = None,
    offline: bool = False,
    overwrite: bool = False,
) -> Exported:
    """Write all that makes a classifier's rows, and the classifier, as one ONNX graph.

    The graph takes ``images``, uint8 (N, H, W, 3) RGB at the size that the network sees, and gives
    ``probabilities``, float32 (N, K), and ``label``, int64 (N,), the most probable class; or, where
    images may have several labels, ``labels``, bool (N, K), those above their thresholds. Where
    several networks see images at other sizes, it takes ``images_0``, ``images_1`` and so on; where
    V crops are averaged, (N, V, H, W, 3). Its metadata hold, as JSON, ``penult.label_names``,
    ``penult.inputs`` (their names), ``penult.preprocessing`` (how a photo is resized and cropped;
    of several inputs, a list) and ``penult.recipe``.

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
    weights : path or sequence of paths, optional
        Where the backbone's weights file is now, if not where it was; of several, those that
        moved.
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
    from penult.engines.onnx_export import require_onnx

    require_onnx(f"{output}, an ONNX file,")
    from penult.classify.export.graph import join_models, probe_graph

    recipe = classifier.recipe
    rows_of = RecipeRows((recipe,), "the classifier")
    choices = rows_of.choices(WeightsChoice.moved(weights, offline=offline))
    probe = probe_graph(classifier)
    networks = [
        (open_recipe(leaves[-1], recipe_is=rows_of.recipe_is, choice=choice), leaves)
        for leaves, choice in zip(by_network([recipe]), choices, strict=True)
    ]
    try:
        rows = tree_graph(recipe, networks)
        model = join_models([rows.model, probe.model])
        model.producer_name, model.producer_version = "penult", __version__
        classes = len(classifier.label_names)
        decision = _ONE if classifier.thresholds is None else _SEVERAL.format(classes=classes)
        takes = listed([f"{one.name}, uint8 {one.shape_told}" for one in rows.inputs])
        model.doc_string = _DOC.format(inputs=takes, classes=classes, decision=decision)
        preprocessing = [one.to_dict() for one in rows.inputs]
        for key, value in (
            ("label_names", json.dumps(list(classifier.label_names), ensure_ascii=False)),
            ("inputs", json.dumps([one.name for one in rows.inputs])),
            (
                "preprocessing",
                json.dumps(preprocessing if len(preprocessing) > 1 else preprocessing[0]),
            ),
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
    halves = {leaf.precision for leaf in recipe.leaves} - {"float32"}
    if halves:
        logging.getLogger("penult").warning(
            "penult: %s computes in float32; the classifier's rows were in %s, so that its "
            "probabilities may differ from those of predict by some hundredths",
            output,
            listed(sorted(halves)),
        )
    return Exported(
        output=output,
        format=format,
        bytes=output.stat().st_size,
        network=recipe.network,
        inputs=rows.inputs,
        classes=classifier.images_per_class(),
        several=classifier.thresholds is not None,
        row_difference=rows.difference,
        probability_difference=probe.difference,
    )
