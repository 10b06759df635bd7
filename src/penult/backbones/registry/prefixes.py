"""Which sources of backbones there are, each behind its prefix: one line a source."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from penult.backbones.source import BackboneSource
from penult.errors import BackboneError, UnknownNameError, UsageError

__all__ = [
    "BUILT_IN",
    "ENTRY_POINTS",
    "load_source",
    "register",
    "registered",
    "sources",
    "unregister",
]

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


def registered() -> tuple[BackboneSource, ...]:
    """The sources that `register` added to this process, which no other process knows."""
    return tuple(_registered.values())


def unregister(prefix: str) -> None:
    """Undo `register`.

    Parameters
    ----------
    prefix : str
        Of the source that was registered.
    """
    del _registered[prefix]
    load_source.cache_clear()
