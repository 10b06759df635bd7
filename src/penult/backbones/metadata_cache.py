"""Metadata of backbones that were opened before, so that torch need not be imported to know it.

A network that is kept converted is not built again. What is still to be known (the digest of its
weights, its preprocessing, its layers) is in the cache, one JSON file a name. It holds as long as
the weights have the digest that it says, which is taken again each time, and it has itself the
digest that it says, over its words and the name it is for: one that was damaged, or put in
another's place, is as good as none.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from penult.backbones.backbone import Backbone
from penult.backbones.layer import Layer
from penult.backbones.metadata import BackboneMetadata
from penult.backbones.weights.choice import WeightsChoice
from penult.backbones.weights.info import sha256_of
from penult.machine import cache_folder
from penult.scratch import scratch_file

__all__ = ["load_cached", "store"]

# Raised when the meaning of what is stored changes.
_FORMAT = 3

# What decides which network a name means, and which layers it is seen to have.
_LIBRARIES = ("penult", "torch", "torchvision", "timm", "keras", "transformers")

# Where weights are looked for; elsewhere, the same name may have others.
_CACHES = ("TORCH_HOME", "HF_HOME", "HF_HUB_CACHE", "HF_ENDPOINT", "XDG_CACHE_HOME")


def load_cached(
    name: str, choice: WeightsChoice, open_whole: Callable[[], Backbone]
) -> Backbone | None:
    """Find the metadata of a backbone that was opened before.

    Parameters
    ----------
    name : str
        As it was typed.
    choice : WeightsChoice
        As it was asked for.
    open_whole : callable
        Opens the backbone itself, when its network is needed.

    Returns
    -------
    Backbone or None
        None where there is no metadata that holds.
    """
    file = _cache_file(name, choice)
    try:
        digest, _, text = file.read_text("utf-8").partition("\n")
        if digest != _digest(file, text):
            return None
        metadata = BackboneMetadata.from_json(text)
        path = metadata.weights.path
        if path is not None and sha256_of(path) != metadata.weights.sha256:
            return None
    except (OSError, ValueError):
        return None
    return _cached(file, metadata, open_whole)


def store(name: str, choice: WeightsChoice, backbone: Backbone) -> Backbone:
    """Write down the metadata of a backbone that was just opened, if it can be relied on.

    Parameters
    ----------
    name, choice
        As for `load_cached`.
    backbone : Backbone
        Of a source whose backbones are cached.

    Returns
    -------
    Backbone
        The same, which adds its layers to what is stored when they are asked for.
    """
    metadata = backbone.metadata
    weights = metadata.weights
    # The files of a folder can be changed, and not only the weights.
    if Path(name.partition(":")[2] or name).expanduser().exists():
        return backbone
    # A cache that cannot be written to is no reason to fail; it saves nothing then.
    with suppress(OSError):
        if weights.path is None:
            if weights.name != "random":
                return backbone
        elif sha256_of(weights.path) != weights.sha256:
            return backbone  # weights in several files
        else:
            weights = dataclasses.replace(weights, path=weights.path.absolute())
        metadata = dataclasses.replace(metadata, weights=weights)
        file = _cache_file(name, choice)
        _write(file, metadata)
        return _cached(file, metadata, lambda: backbone)
    return backbone


def _cached(file: Path, metadata: BackboneMetadata, open_whole: Callable[[], Backbone]) -> Backbone:
    def add_layers(layers: tuple[Layer, ...]) -> None:
        _write(file, dataclasses.replace(metadata, layers=layers))

    return Backbone(metadata, lambda: open_whole().network, on_layers=add_layers)


def _cache_file(name: str, choice: WeightsChoice) -> Path:
    weights = choice.weights
    if weights not in (None, "random"):
        weights = Path(weights).absolute()
    versions = [_version(name) for name in _LIBRARIES]
    caches = [os.environ.get(name) for name in _CACHES]
    seen = choice.preprocessing and choice.preprocessing.to_dict()
    parts = [_FORMAT, name, weights and str(weights), choice.architecture, seen, versions, caches]
    key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
    return cache_folder() / "backbones" / f"{key}.json"


@cache
def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _digest(file: Path, text: str) -> str:
    # The file's name says what the metadata are for.
    return hashlib.sha256(f"{file.name} {text}".encode()).hexdigest()


def _write(file: Path, metadata: BackboneMetadata) -> None:
    text = metadata.to_json()
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        scratch = scratch_file(file.parent, file.name)
        try:
            scratch.write_text(f"{_digest(file, text)}\n{text}", encoding="utf-8")
            scratch.replace(file)
        finally:
            scratch.unlink(missing_ok=True)
