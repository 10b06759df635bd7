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

# Of heads, which are trained with their network: read from files, and not to be chosen.
_HEADS = ("finetuned",)

_kinds: dict[str, ClassifierKind | None] = dict.fromkeys((*_BUILT_IN, *_HEADS))


def kind_names(*, heads: bool = False) -> tuple[str, ...]:
    """The names of all kinds, in the order of registration.

    Parameters
    ----------
    heads : bool, default=False
        Also of those that cannot be trained on rows, since they are trained with their network.
    """
    return tuple(name for name in _kinds if heads or name not in _HEADS)


def find_kind(name: str) -> ClassifierKind:
    """Look up a kind of classifier.

    Raises
    ------
    UnknownNameError
        If there is none of that name; suggests close ones.
    """
    if name not in _kinds:
        raise UnknownNameError("classifier", name, kind_names())
    kind = _kinds[name]
    if kind is None:
        kind = _kinds[name] = import_module(f"penult.classify.kinds.{name}").KIND
    return kind


def all_kinds(*, heads: bool = False) -> list[ClassifierKind]:
    """Every kind, in the order of registration.

    Parameters
    ----------
    heads : bool, default=False
        See `kind_names`.
    """
    return [find_kind(name) for name in kind_names(heads=heads)]


def register_kind(kind: ClassifierKind) -> None:
    """Add a kind, or replace the one of the same name."""
    _kinds[kind.name] = kind


def unregister_kind(name: str) -> None:
    """Remove a kind."""
    del _kinds[name]
