"""What was learned of a backbone in an earlier run, so that torch need not be imported to know it.

A network that is kept converted is not built again. What is still to be known (the digest of its
weights, its preprocessing, its layers) is in a note, one JSON file a name. It holds as long as the
weights have the digest that it says, which is taken again each time, and it has itself the digest
that it says, over its words and the name it is for: one that was damaged, or put in another's
place, is as good as none.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult.backbones.base import Backbone, Layer, Weights, WeightsChoice, sha256_of
from penult.machine import cache_folder
from penult.parsing import read_json
from penult.recipe import Preprocessing

if TYPE_CHECKING:
    from torch import nn

__all__ = ["RememberedBackbone", "recall", "remember"]

# Raised when what a note says changes its meaning.
_FORMAT = 2

# Those of other sources are opened at once: they are light, or are what others wrote.
_SOURCES = ("timm", "torchvision", "keras", "hf")

# What decides which network a name means, and which layers it is seen to have.
_LIBRARIES = ("penult", "torch", "torchvision", "timm", "keras", "transformers")

# Where weights are looked for; elsewhere, the same name may have others.
_CACHES = ("TORCH_HOME", "HF_HOME", "HF_HUB_CACHE", "HF_ENDPOINT", "XDG_CACHE_HOME")


class RememberedBackbone(Backbone):
    """A backbone known from its note; what the note does not say has the network opened.

    Parameters
    ----------
    file : the note
    note : what it says
    open_whole : opens the backbone itself
    """

    def __init__(
        self, file: Path, note: dict[str, Any], open_whole: Callable[[], Backbone]
    ) -> None:
        self._file, self._note, self._open_whole = file, note, open_whole
        self.name, self.architecture = note["name"], note["architecture"]
        path = note["path"]
        self.weights = Weights(
            note["weights"], note["sha256"], None if path is None else Path(path)
        )
        self.preprocessing = Preprocessing.from_dict(note["preprocessing"])
        self.libraries = tuple(note["libraries"])

    @cached_property
    def _whole(self) -> Backbone:
        return self._open_whole()

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """See `Backbone.layers`."""
        if self._note["layers"] is None:
            self._note["layers"] = [dataclasses.asdict(layer) for layer in self._whole.layers]
            _write(self._file, self._note)
        return tuple(
            Layer(**{**layer, "shape": tuple(layer["shape"])}) for layer in self._note["layers"]
        )

    def cut(self, layers: Sequence[str]) -> nn.Module:
        """See `Backbone.cut`."""
        return self._whole.cut(layers)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # of another kind of backbone, nor asked for while this is made
            raise AttributeError(name)
        return getattr(self._whole, name)


def recall(
    name: str, choice: WeightsChoice, open_whole: Callable[[], Backbone]
) -> RememberedBackbone | None:
    """Find the note of a name that was opened before; None where there is none that holds.

    Parameters
    ----------
    name, choice : as they were typed
    """
    file = _note_file(name, choice)
    try:
        note = read_json(file.read_text("utf-8"))
        if note.pop("digest") != _digest(file, note):
            return None
        path = note["path"]
        if path is not None and sha256_of(Path(path)) != note["sha256"]:
            return None
        return RememberedBackbone(file, note, open_whole)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def remember(name: str, choice: WeightsChoice, backbone: Backbone) -> Backbone:
    """Write the note of a backbone that was just opened, if it is one to be remembered.

    Returns
    -------
    The backbone, which will add its layers to the note when they are asked for.
    """
    weights = backbone.weights
    # The files of a folder can be changed, and not only the weights.
    is_local = Path(name.partition(":")[2] or name).expanduser().exists()
    if is_local or backbone.name.partition(":")[0] not in _SOURCES:
        return backbone
    file = _note_file(name, choice)
    # A cache that cannot be written to is no reason to fail; it saves nothing then.
    with suppress(OSError):
        if weights.path is None:
            if weights.name != "random":
                return backbone
        elif sha256_of(weights.path) != weights.sha256:
            return backbone  # weights in several files
        note = {
            "name": backbone.name,
            "architecture": backbone.architecture,
            "weights": weights.name,
            "sha256": weights.sha256,
            "path": None if weights.path is None else str(weights.path.absolute()),
            "preprocessing": dataclasses.asdict(backbone.preprocessing),
            "libraries": backbone.libraries,
            "layers": None,
        }
        _write(file, note)
        return RememberedBackbone(file, note, lambda: backbone)
    return backbone


def _note_file(name: str, choice: WeightsChoice) -> Path:
    given = choice.given if choice.given in (None, "random") else str(Path(choice.given).absolute())
    versions = [_version(name) for name in _LIBRARIES]
    caches = [os.environ.get(name) for name in _CACHES]
    seen = choice.preprocessing and dataclasses.asdict(choice.preprocessing)
    parts = [_FORMAT, name, given, choice.architecture, seen, versions, caches]
    key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
    return cache_folder() / "backbones" / f"{key}.json"


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _digest(file: Path, note: dict[str, Any]) -> str:
    # The file's name says what the note is for.
    return hashlib.sha256(f"{file.name} {json.dumps(note, sort_keys=True)}".encode()).hexdigest()


def _write(file: Path, note: dict[str, Any]) -> None:
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, scratch = tempfile.mkstemp(dir=file.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump({**note, "digest": _digest(file, note)}, stream)
        Path(scratch).replace(file)
