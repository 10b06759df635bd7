"""From a name to a backbone with its weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from penult.arguments import require_name
from penult.backbones.backbone import Backbone
from penult.backbones.forked import torch_in_one_thread
from penult.backbones.graph_file import means_graph_file
from penult.backbones.metadata_cache import load_cached, store
from penult.backbones.registry.names import resolve
from penult.backbones.registry.prefixes import BUILT_IN, load_source
from penult.backbones.source import BackboneSource
from penult.backbones.weights.choice import WeightsChoice
from penult.errors import UsageError, WeightsError
from penult.file_kinds import refuse_other_kind
from penult.inputs import require_file
from penult.interface import option
from penult.suffixes import WEIGHTS

__all__ = ["open_backbone", "open_without_download"]


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
        if choice.weights.suffix.lower() not in WEIGHTS:
            refuse_other_kind(choice.weights, "network")
    backbone = source.open(rest, choice)
    if choice.preprocessing not in (None, backbone.preprocessing):
        backbone = backbone.replace(preprocessing=choice.preprocessing)
    return source, backbone


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
