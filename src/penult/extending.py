"""What to derive from, and to register, in order to extend penult; docs/extending.md shows how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import TYPE_CHECKING, TypeAlias

from penult.backbones import registry as backbones
from penult.backbones.backbone import Backbone
from penult.backbones.info import ModelInfo
from penult.backbones.layer import Layer
from penult.backbones.metadata import BackboneMetadata
from penult.backbones.network import Network, OnnxPart, OpenVinoGraph
from penult.backbones.registry import open_backbone
from penult.backbones.source import BackboneSource
from penult.backbones.torch_network import TorchNetwork
from penult.backbones.weights.choice import WeightsChoice
from penult.backbones.weights.info import WeightsInfo
from penult.classify.kinds import registry as classifiers
from penult.classify.kinds.base import ClassifierKind, TrainingData
from penult.databases import registry as databases
from penult.databases.base import (
    Condition,
    Filters,
    Nearest,
    Stored,
    StoredRows,
    TableInfo,
    VectorTable,
)
from penult.databases.filters import is_left
from penult.databases.ranking import ranked
from penult.databases.registry import Adapter
from penult.engines.base import Engine, EngineSettings
from penult.engines.registry import ENGINES, EngineEntry, open_engine
from penult.errors import DatabaseError, UsageError
from penult.images.labels.annotations import ImageEntry
from penult.images.sources.base import ImageSource, SourceKind, SourceLocation, SourceOptions
from penult.images.sources.open import KINDS
from penult.reporting.content import Report
from penult.reporting.page import write_report
from penult.reporting.sections import SECTIONS, Section
from penult.web.thumbnails import Thumbnails

if TYPE_CHECKING:
    from torch import nn

    from penult.recipe import BackboneRecipe

__all__ = [
    "SECTIONS",
    "Adapter",
    "Backbone",
    "BackboneMetadata",
    "BackboneSource",
    "ClassifierKind",
    "Condition",
    "DatabaseError",
    "Engine",
    "EngineEntry",
    "EngineSettings",
    "Filters",
    "ImageEntry",
    "ImageSource",
    "Layer",
    "ModelInfo",
    "Nearest",
    "Network",
    "OnnxPart",
    "OpenVinoGraph",
    "Report",
    "Section",
    "SourceKind",
    "SourceLocation",
    "SourceOptions",
    "Stored",
    "StoredRows",
    "TableInfo",
    "Thumbnails",
    "TorchNetwork",
    "TrainingData",
    "VectorTable",
    "WeightsChoice",
    "WeightsInfo",
    "is_left",
    "open_backbone",
    "open_engine",
    "ranked",
    "register",
    "row_network",
    "unregister",
    "write_report",
]

Extension: TypeAlias = SourceKind | BackboneSource | EngineEntry | ClassifierKind | Adapter

_registered: list[Extension] = []
"""What `register` made known, and `unregister` can undo: nothing of penult's own."""


def register(extension: Extension) -> None:
    """Make an extension known to this process.

    Parameters
    ----------
    extension : SourceKind, BackboneSource, EngineEntry, ClassifierKind or Adapter
        A kind of image sources is asked before those of penult whether an argument is its own; of
        the others, the name has to be new, and of a database what its addresses begin with. The
        entry of an engine has its class, not its path.

    Raises
    ------
    UsageError
        If there is one of that name, or it cannot be registered.
    """
    if isinstance(extension, BackboneSource):
        backbones.register(extension)
    elif isinstance(extension, SourceKind):
        KINDS.insert(0, extension)
    elif isinstance(extension, ClassifierKind):
        _require_complete(extension)
        _require_new(extension.name, classifiers.kind_names(heads=True))
        classifiers.register_kind(extension)
    elif isinstance(extension, Adapter):
        databases.register_adapter(extension)
    elif isinstance(extension, EngineEntry) and not isinstance(extension.engine, str):
        _require_new(extension.engine.name, ("auto", *ENGINES))
        ENGINES[extension.engine.name] = extension
    else:
        raise UsageError(
            f"{extension!r} cannot be registered; allowed: a SourceKind, a BackboneSource, an "
            "EngineEntry with its class, a ClassifierKind, and an Adapter"
        )
    _registered.append(extension)


def _require_complete(kind: ClassifierKind) -> None:
    if not isinstance(getattr(kind, "name", None), str):
        raise UsageError(f'{type(kind).__name__} has no name; give it one: name = "bayes"')
    if not isinstance(kind.trusted, Mapping) or not all(
        isinstance(types, Set) for types in kind.trusted.values()
    ):
        raise UsageError(
            f"`trusted` of {kind.name} has to map a loader of skops to a set of types, and is "
            f'{kind.trusted!r}; for example: {{"ObjectNode": {{"module.Type"}}}}'
        )


def _require_new(name: str, known: Sequence[str]) -> None:
    if name in known:
        raise UsageError(f"{name!r} exists; give yours another name")


def unregister(extension: Extension) -> None:
    """Undo `register`.

    Parameters
    ----------
    extension : SourceKind, BackboneSource, EngineEntry, ClassifierKind or Adapter
        What was registered; of a source of backbones, an engine and a classifier, or another of
        that name.

    Raises
    ------
    UsageError
        If it is not registered, or not any more.
    """
    place = next((k for k, one in enumerate(_registered) if _is_same(one, extension)), None)
    if place is None:
        raise UsageError(
            f"{_named(extension)} is not registered in this process; `unregister` takes what "
            "`register` was given, once"
        )
    del _registered[place]
    if isinstance(extension, BackboneSource):
        backbones.unregister(extension.prefix)
    elif isinstance(extension, SourceKind):
        KINDS.remove(extension)
    elif isinstance(extension, ClassifierKind):
        classifiers.unregister_kind(extension.name)
    elif isinstance(extension, Adapter):
        databases.unregister_adapter(extension)
    elif not isinstance(extension.engine, str):
        del ENGINES[extension.engine.name]


def _is_same(registered: Extension, given: object) -> bool:
    if isinstance(registered, SourceKind | Adapter):  # which go by more than a name
        return registered == given
    return _named(registered) == _named(given)


def _named(extension: object) -> str:
    if isinstance(extension, BackboneSource):
        return f"the backbone source {extension.prefix!r}"
    if isinstance(extension, EngineEntry) and not isinstance(extension.engine, str):
        return f"the engine {extension.engine.name!r}"
    if isinstance(extension, ClassifierKind):
        return f"the classifier {getattr(extension, 'name', None)!r}"
    if isinstance(extension, Adapter):
        return f"the database {extension.name!r}"
    return "the source of images" if isinstance(extension, SourceKind) else repr(extension)


def row_network(backbone: Backbone, recipes: Sequence[BackboneRecipe]) -> nn.Module:
    """Build the torch module of everything between decoded images and rows.

    Parameters
    ----------
    backbone : Backbone
        One that can be had as a torch module.
    recipes : sequence of BackboneRecipe
        Of this backbone; layers, poolings and row normalizations differ.

    Returns
    -------
    torch.nn.Module
        In eval mode; from uint8 (N, H, W, 3), RGB, to a tuple of float32 (N, …), one a recipe.
    """
    from penult.engines.row_network import RowNetwork

    return RowNetwork(backbone, recipes).eval()
