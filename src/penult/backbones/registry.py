"""From the name a user types to a backbone."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

from penult.arguments import require_name
from penult.backbones.aliases import ALIASES, canonical, spelling
from penult.backbones.backbone import Backbone
from penult.backbones.families import meant_by
from penult.backbones.forked import torch_in_one_thread
from penult.backbones.graph_file import means_graph_file
from penult.backbones.metadata_cache import load_cached, store
from penult.backbones.source import BackboneSource, missing_extra
from penult.backbones.weights.choice import WeightsChoice
from penult.errors import (
    BackboneError,
    MissingExtraError,
    UnknownNameError,
    UsageError,
    WeightsError,
)
from penult.inputs import require_file
from penult.interface import command, option
from penult.recipe import Recipe, require_equal
from penult.suffixes import WEIGHTS

__all__ = [
    "DEFAULT_MODEL",
    "as_recorded",
    "load_source",
    "names_hint",
    "open_backbone",
    "open_recipe",
    "open_without_download",
    "pointing_to_conversion",
    "register",
    "require_recorded",
    "resolve",
    "sources",
    "unknown_model",
    "unregister",
]

DEFAULT_MODEL = "efficientnet_lite0"

ENTRY_POINTS = "penult.backbones"
"""The entry-point group in which other packages name their `BackboneSource` classes."""

BUILT_IN = {
    "bundled": "penult.backbones.bundled:Bundled",
    "checkpoint": "penult.backbones.checkpoint:CheckpointFile",
    "torchvision": "penult.backbones.torchvision:Torchvision",
    "timm": "penult.backbones.timm.source:Timm",
    "keras": "penult.backbones.keras.source:Keras",
    "hf": "penult.backbones.huggingface.source:HuggingFace",
    "onnx": "penult.backbones.onnx.source:Onnx",
}
"""Prefix to class, in the order in which a bare name is looked for."""

_registered: dict[str, BackboneSource] = {}


@cache
def load_source(prefix: str) -> BackboneSource:
    """Import one source; the others stay unimported.

    Parameters
    ----------
    prefix : str
        What stands before the colon.

    Raises
    ------
    UnknownNameError, BackboneError
        If there is no such source, or one of another package cannot be loaded.
    """
    if prefix in BUILT_IN:
        module, _, name = BUILT_IN[prefix].partition(":")
        source: BackboneSource = getattr(import_module(module), name)()
        return source
    if prefix in _registered:
        return _registered[prefix]
    for entry in entry_points(group=ENTRY_POINTS):
        if entry.name == prefix:
            try:
                return _checked(entry.load()(), prefix)
            except Exception as error:
                raise BackboneError(
                    f"the backbone source {prefix!r} of {entry.value} cannot be loaded: {error}"
                ) from error
    raise UnknownNameError("backbone source", prefix, sources())


def _checked(source: object, prefix: str) -> BackboneSource:
    if not isinstance(source, BackboneSource):
        raise TypeError(f"{prefix} is no subclass of penult.backbones.source.BackboneSource")
    return source


def sources() -> tuple[str, ...]:
    """Every prefix that may stand before the colon, built-in ones first."""
    installed = {entry.name for entry in entry_points(group=ENTRY_POINTS)}
    return (*BUILT_IN, *sorted((installed | set(_registered)) - set(BUILT_IN)))


def register(source: BackboneSource) -> None:
    """Add a source to this process, as an entry point adds one to every process.

    Parameters
    ----------
    source : BackboneSource
        With a prefix of its own.

    Raises
    ------
    UsageError
        If its prefix is taken, or can never be typed.
    """
    prefix = _checked(source, repr(source)).prefix
    if prefix in sources():
        raise UsageError(f"the backbone source {prefix!r} exists; give yours another prefix")
    if not prefix or not prefix.isidentifier():
        raise UsageError(f"{prefix!r} is no prefix of a backbone source; use letters, e.g. 'mine'")
    _registered[prefix] = source


def unregister(prefix: str) -> None:
    """Undo `register`.

    Parameters
    ----------
    prefix : str
        Of the source that was registered.
    """
    del _registered[prefix]
    load_source.cache_clear()


def resolve(name: str) -> tuple[BackboneSource, str]:
    """Turn what the user typed into a source and the name within it.

    A name with a prefix is looked for in that source alone. A bare name is one of the bundled
    models, a file, one of the names of `penult.backbones.aliases`, or one that a source knows, in
    this order.

    Parameters
    ----------
    name : str
        As the user typed it.

    Returns
    -------
    source : BackboneSource
        The source.
    name : str
        The name within it.

    Raises
    ------
    UnknownNameError
        With close suggestions.
    """
    require_name("model", name)
    prefix, colon, rest = name.partition(":")
    # One letter is a drive: C:\\model.ckpt.
    if colon and len(prefix) > 1:
        return load_source(prefix.lower()), rest
    for first in ("bundled", "checkpoint", "onnx"):
        if load_source(first).knows(name):
            return load_source(first), name
    if target := canonical(name):
        return resolve(target)
    for prefix in sources():
        if load_source(prefix).knows(name):
            return load_source(prefix), name
    raise unknown_model(name)


def unknown_model(name: str, *, hint: str | None = None) -> UnknownNameError:
    """Make the error of a name that is none, with what may have been meant.

    Parameters
    ----------
    name : str
        As the user typed it, without a source.
    hint : str, optional
        What to type next, in place of how to list all names.
    """
    known = [*ALIASES, *(known for prefix in sources() for known in load_source(prefix).names())]
    once = {known.lower(): known for known in reversed(known)}.values()
    alike = spelling(name, once)
    meant = [alike] if alike else meant_by(name)
    habit = re.match(rf"({'|'.join(sources())})[./](?:(?:applications|models)[./])?(.+)", name)
    if habit is not None:  # keras.applications.VGG16, torchvision/vgg16
        meant = [f"{habit[1]}:{habit[2]}", *meant]
    if os.path.isfile(os.path.join(name, "config.json")):  # noqa: PTH113, PTH118 - False, see below
        meant, hint = [f"hf:./{Path(name).as_posix()}"], "if it is a checkpoint of Hugging Face's"
    elif os.path.isfile(name):  # noqa: PTH113 - False where no file can have that name
        meant, hint = [f"checkpoint:{name}"], "if it is a file of weights"
    elif hint is None and len(name) > 2 and any(name.lower() in one for one in once):
        hint = f"{command('models', name.lower())} lists all with that in their names"
    elif hint is None:
        hint = names_hint("lists them all")
    error = UnknownNameError("model", name, once, hint=hint, meant=meant)
    if error.suggestions and (missing := _missing_for(error.suggestions[0])):
        hint = f"for it, type: {missing.install}"
        return UnknownNameError("model", name, once, hint=hint, meant=error.suggestions)
    return error


def names_hint(of_all: str) -> str:
    """Say how the names of models are listed; where extras are missing, not all of them are.

    Parameters
    ----------
    of_all : str
        What the command does where none is missing: ``"lists them all"``.
    """
    if any(missing_extra(load_source(prefix)) for prefix in BUILT_IN):
        of_all = "lists those that run here, and what to install for the others"
    return f"{command('models')} {of_all}"


def _missing_for(name: str) -> MissingExtraError | None:
    """The refusal of what a name stands for, where that needs an extra."""
    prefix, colon, _ = (canonical(name) or name).partition(":")
    if not colon:
        prefix = next((one for one in sources() if load_source(one).knows(name)), "")
    return missing_extra(load_source(prefix)) if prefix in sources() else None


def open_backbone(
    name: str, choice: WeightsChoice | None = None, *, use_cache: bool = True
) -> Backbone:
    """Find a backbone and its weights by the name a user types.

    The metadata of one that was opened by this name before come from a cache on disk, and its
    network is built when it has to run.

    Parameters
    ----------
    name : str
        Canonical or bare, as `resolve` reads it.
    choice : WeightsChoice, optional
        Other weights than the pretrained ones, and where they may come from.
    use_cache : bool
        Whether to trust the cached metadata.

    Returns
    -------
    Backbone
        Its network is built when it is first needed.

    Raises
    ------
    UnknownNameError, WeightsError, MissingExtraError
        If there is no such name, its weights cannot be had, or an extra is needed for it.
    """
    require_name("model", name)
    choice = choice or WeightsChoice()
    use_cache = use_cache and _may_be_cached(name)
    if use_cache and (known := load_cached(name, choice, lambda: _open(name, choice)[1])):
        return known
    source, backbone = _open(name, choice)
    return store(name, choice, backbone) if source.cached else backbone


def _may_be_cached(name: str) -> bool:
    """Whether metadata can lie in the cache, as far as that is seen without opening a source."""
    prefix = name.partition(":")[0].lower()
    return prefix not in BUILT_IN or load_source(prefix).cached


def _open(name: str, choice: WeightsChoice) -> tuple[BackboneSource, Backbone]:
    torch_in_one_thread()
    source, rest = resolve(name)
    if means_graph_file(choice.weights):
        raise UsageError(
            f"{choice.weights} is a whole network, and no weights for {name}; give "
            f"{option('model', str(choice.weights))}"
        )
    if choice.architecture and source.prefix != "checkpoint":
        raise UsageError(
            f"{name} is an architecture itself; "
            f"{option('architecture', choice.architecture)} goes with {option('model', 'FILE')}"
        )
    if isinstance(choice.weights, Path):  # before what would read it is asked for
        require_file(choice.weights, "a file of weights", WEIGHTS)
    backbone = source.open(rest, choice)
    if choice.preprocessing not in (None, backbone.preprocessing):
        backbone = backbone.replace(preprocessing=choice.preprocessing)
    return source, backbone


def open_recipe(
    recipe: Recipe,
    *,
    recipe_is: str,
    choice: WeightsChoice | None = None,
    use_cache: bool = True,
) -> Backbone:
    """Find the backbone that a stored recipe was made with, and make sure that it is the same.

    Weights that came from a file are looked for where they were then.

    Parameters
    ----------
    recipe : Recipe
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
def pointing_to_conversion(recipe: Recipe | None) -> Iterator[None]:
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


def require_recorded(backbone: Backbone, recipe: Recipe, recipe_is: str) -> None:
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
    require_equal(recipe, ours, name=recipe_is, other_name=here)


def as_recorded(recipe: Recipe, recipe_is: str, choice: WeightsChoice) -> tuple[str, WeightsChoice]:
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
        if not weights.is_file():
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


def open_without_download(name: str, choice: WeightsChoice | None = None) -> Backbone:
    """Find a backbone for its layers and preprocessing, which do not depend on its weights.

    Weights that would have to be downloaded are left to chance.

    Parameters
    ----------
    name, choice
        As for `open_backbone`.

    Returns
    -------
    Backbone
        Whose rows may be those of an untrained network.

    Raises
    ------
    UnknownNameError, WeightsError, MissingExtraError
    """
    choice = choice or WeightsChoice()
    if choice.weights is not None or resolve(name)[0].names_are_paths:
        return open_backbone(name, choice)
    try:
        return open_backbone(name, replace(choice, offline=True))
    except WeightsError:
        backbone = open_backbone(name, replace(choice, weights="random"))
        # They stand in for those that it would have: nothing is said of them.
        return backbone.replace(weights=replace(backbone.weights, name=""))
