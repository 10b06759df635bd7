"""From a stored recipe to the backbone that it was made with, or to why it is not here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from penult.backbones.backbone import Backbone
from penult.backbones.checkpoint_folder import weights_file
from penult.backbones.graph_file import means_graph_file
from penult.backbones.registry.opening import open_backbone
from penult.backbones.registry.prefixes import load_source
from penult.backbones.weights.choice import WeightsChoice
from penult.backbones.weights.info import sha256_of
from penult.errors import MissingExtraError, WeightsError
from penult.interface import command, option
from penult.recipe import BackboneRecipe, require_equal

__all__ = [
    "as_recorded",
    "holds_weights",
    "open_recipe",
    "pointing_to_conversion",
    "require_recorded",
]


def open_recipe(
    recipe: BackboneRecipe,
    *,
    recipe_is: str,
    choice: WeightsChoice | None = None,
    use_cache: bool = True,
) -> Backbone:
    """Find the backbone that a stored recipe was made with, and make sure that it is the same.

    Weights that came from a file are looked for where they were then.

    Parameters
    ----------
    recipe : BackboneRecipe
        What the rows were made with.
    recipe_is : str
        What carries the recipe, for the message, e.g. ``"flowers.skops"``.
    choice : WeightsChoice, optional
        Where the weights are now, if not where they were.
    use_cache : bool
        See `open_backbone`.

    Raises
    ------
    WeightsError, RecipeMismatchError
    """
    name, choice = as_recorded(recipe, recipe_is, choice or WeightsChoice())
    with pointing_to_conversion(recipe):
        backbone = open_backbone(name, choice, use_cache=use_cache)
    require_recorded(backbone, recipe, recipe_is)
    return backbone


@contextmanager
def pointing_to_conversion(recipe: BackboneRecipe | None) -> Iterator[None]:
    """Where what runs a recipe's backbone is not installed, say that a file can take its place.

    Raises
    ------
    MissingExtraError
    """
    try:
        yield
    except MissingExtraError as error:
        if recipe is None:
            raise
        error.args = (
            f"{error}; or give {option('weights', 'FILE.penult')}, which "
            f"{command('convert')} makes of {recipe.backbone} where it is installed",
        )
        raise


def require_recorded(backbone: Backbone, recipe: BackboneRecipe, recipe_is: str) -> None:
    """Refuse a backbone that is not the one that a stored recipe was made with.

    Raises
    ------
    RecipeMismatchError
    """
    ours = backbone.recipe(recipe.layer, recipe.pooling, recipe.normalize)
    ours = ours.with_options(
        decode=recipe.preprocessing.decode,
        resampling=recipe.preprocessing.resampling,
        precision=recipe.precision,
    )
    found = backbone.described if backbone.metadata.converted_from else recipe.backbone
    here = f"{found} on this machine"
    if ours.weights.startswith("file:"):
        here = f"the weights file {Path(ours.weights.removeprefix('file:')).name}"
    # Of a file that is another now, rows can be made anew; of one given in its place, who knows.
    again = ours.backbone == recipe.backbone
    require_equal(recipe, ours, name=recipe_is, other_name=here, made_again=again)


def as_recorded(
    recipe: BackboneRecipe, recipe_is: str, choice: WeightsChoice
) -> tuple[str, WeightsChoice]:
    """Turn a stored recipe into the name and the weights that `open_backbone` takes.

    A file of ``penult convert`` does for the network that it was made from.

    Raises
    ------
    WeightsError
        If the weights came from a file that is not there any more.
    """
    weights = choice.weights
    if weights is None and recipe.file and Path(recipe.file).is_file():
        weights = Path(recipe.file)
    if means_graph_file(weights):
        return f"checkpoint:{weights}", replace(choice, weights=None)
    if weights is None and recipe.weights == "random":
        weights = "random"
    if weights is None and recipe.weights.startswith("file:"):
        weights = Path(recipe.weights.removeprefix("file:"))
        if not weights_file(weights).is_file():
            raise WeightsError(
                f"{recipe_is} was made with the weights file {weights}, which is not there; give "
                f"{option('weights', 'PATH')}, a file whose SHA-256 is {recipe.weights_sha256}, or "
                f"what {command('convert')} made of it"
            )
    prefix, colon, _ = recipe.backbone.partition(":")
    if weights is not None and colon and load_source(prefix).names_are_paths:
        # Where such a file has moved, its name has changed.
        return f"{prefix}:{weights}", replace(choice, weights=None)
    return recipe.backbone, replace(choice, weights=weights)


def holds_weights(path: Path, recipe: BackboneRecipe) -> bool:
    """Whether a file, or a folder that fine-tuning wrote, holds the weights a stored recipe names.

    Raises
    ------
    WeightsError
        If there is no such file.
    FileFormatError
        If it is a damaged file of ``penult convert``.
    """
    path = weights_file(path)
    if not path.is_file():
        raise WeightsError(f"there is no weights file {path}")
    if means_graph_file(path):
        from penult.backbones.graph_network import open_graph_file

        return open_graph_file(path).weights.sha256 == recipe.weights_sha256
    return sha256_of(path) == recipe.weights_sha256
