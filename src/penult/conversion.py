"""A backbone as one file that gives the same rows without torch."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from penult.backbones.weights.choice import WeightsChoice, files_read
from penult.checking import checked
from penult.errors import EngineError, UsageError
from penult.extras import has_torch
from penult.interface import command
from penult.output import check_output
from penult.progress import ShowProgress, announce, following
from penult.representation import short_repr
from penult.suffixes import NETWORK

if TYPE_CHECKING:
    from penult.backbones.backbone import Backbone

__all__ = ["Converted", "convert"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class Converted:
    """The card of a converted backbone: what it was made from, and how it was checked.

    Attributes
    ----------
    backbone : str
        What it was made from.
    weights : str
        The name of the weights it was made from.
    weights_sha256 : str
        Their digest.
    layers : tuple of str
        Those that it has, in execution order.
    compared_with : str
        The engine that ran the original, for a comparison.
    difference : float
        The largest relative difference of a row from that engine's, ‖a - b‖ / ‖b‖.
    bytes : int
        The size of its weights, which are those that lead to its layers.
    versions : mapping
        Library to version.
    """

    backbone: str
    weights: str
    weights_sha256: str
    layers: tuple[str, ...]
    compared_with: str
    difference: float
    bytes: int
    versions: Mapping[str, str]


@checked
def convert(
    model: str,
    output: str | Path,
    *,
    layer: str | Sequence[str] = "penultimate",
    weights: str | Path | None = None,
    offline: bool = False,
    architecture: str | None = None,
    overwrite: bool = False,
    progress: ShowProgress = None,
) -> Converted:
    """Write a backbone into one file that gives the same rows without torch.

    See docs/convert.md. The file's rows have the recipe of the original's: classifiers and feature
    files made with the one are used with the other.

    Parameters
    ----------
    model : str
        Backbone, as listed by ``penult models``.
    output : path
        File to write, whole or not at all; ``penult.extract(…, model=output)`` opens it.
    layer : str or sequence of str, default="penultimate"
        One name, or several names and globs: the layers that the file has. What only other layers
        need is left out.
    weights : path or "random", optional
        A file to use in place of the pretrained weights.
    offline : bool, default=False
        Never touch the network.
    architecture : str, optional
        For a plain state dict (``checkpoint:PATH``), the backbone that it fits.
    overwrite : bool, default=False
        Replace `output` if it exists, atomically.
    progress : bool or callable, optional
        As for `penult.extract`; what is done is said, and nothing counted.

    Returns
    -------
    Converted
        What stands on the file's card.

    Raises
    ------
    UsageError, BackboneError, EngineError, OutputError
        Nothing new is under the name of `output` then.
    """
    from penult.backbones.graph_file import save_graph
    from penult.backbones.graph_network import open_graph_file
    from penult.backbones.training_images import training_images
    from penult.engines.openvino.write_graph import largest_difference, write_graph
    from penult.engines.registry import open_engine
    from penult.extractor import ModelRows, OpenedBackbone, as_names

    target = Path(output)
    check_output(target, overwrite=overwrite, inputs=files_read(model, weights), output=NETWORK)
    with following(progress):
        choice = WeightsChoice.of(weights, offline=offline, architecture=architecture)
        backbone = OpenedBackbone(model, choice).backbone
        _require_original(backbone, model)
        rows = ModelRows(models=(model,), layers=as_names(layer))
        recipes = rows.leaves(backbone)
        made = write_graph(backbone, recipes)
        with tempfile.TemporaryDirectory() as folder:
            # Compared as it will be used: from a file, by the engine.
            uncompared = Path(folder) / target.name
            save_graph(uncompared, made, {})
            ours = open_engine(open_graph_file(uncompared), recipes)
            has = "torch" in backbone.metadata.forms and has_torch()
            engine = "torch" if has else "openvino"
            announce(f"comparing it with the engine {engine}")
            theirs = open_engine(backbone, recipes, engine=engine, device="cpu")
            try:
                difference = largest_difference(ours, theirs)
            except EngineError as error:
                raise EngineError(f"{backbone.described} cannot be converted: {error}") from error
        card = Converted(
            backbone=backbone.described,
            weights=backbone.weights.name,
            weights_sha256=backbone.weights.sha256,
            layers=tuple(recipe.layer for recipe in recipes),
            compared_with=engine,
            difference=difference,
            bytes=len(made.weights),
            versions={
                name: version(name)
                for name in dict.fromkeys(("penult", "openvino", *backbone.metadata.libraries))
            },
        )
        save_graph(
            target,
            made,
            dataclasses.asdict(card),
            trained_on=training_images(backbone.weights.path),
            overwrite=overwrite,
        )
        return card


def _require_original(backbone: Backbone, model: str) -> None:
    if backbone.metadata.quantized and backbone.weights.path is not None:
        raise UsageError(
            f"{model} computes with integers and runs without torch as it is; copy the file, or "
            f"give what it was made from"
        )
    if original := backbone.metadata.converted_from:
        raise UsageError(
            f"{model} is a file of {command('convert')} already; copy it, or give what it was made "
            f"from, {original}"
        )
