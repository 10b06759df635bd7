"""The kinds of classifier by name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from penult.errors import UnknownNameError

if TYPE_CHECKING:
    from penult.classify.kinds.base import ClassifierKind

__all__ = ["all_kinds", "find_kind", "kind_names", "register_kind", "unregister_kind"]

# Each is ``KIND`` in the module of its name here; imported when first asked for, so that the
# command line can list the names without loading NumPy.
_BUILT_IN = ("logistic", "svm", "ridge", "knn", "forest", "centroid")

_kinds: dict[str, ClassifierKind | None] = dict.fromkeys(_BUILT_IN)


def kind_names() -> tuple[str, ...]:
    """The names of all kinds, in the order of registration."""
    return tuple(_kinds)


def find_kind(name: str) -> ClassifierKind:
    """Look up a kind of classifier.

    Raises
    ------
    UnknownNameError
        If there is none of that name; suggests close ones.
    """
    if name not in _kinds:
        raise UnknownNameError("classifier", name, _kinds)
    kind = _kinds[name]
    if kind is None:
        kind = _kinds[name] = import_module(f"penult.classify.kinds.{name}").KIND
    return kind


def all_kinds() -> list[ClassifierKind]:
    """Every kind, in the order of registration."""
    return [find_kind(name) for name in _kinds]


def register_kind(kind: ClassifierKind) -> None:
    """Add a kind, or replace the one of the same name."""
    _kinds[kind.name] = kind


def unregister_kind(name: str) -> None:
    """Remove a kind."""
    del _kinds[name]
