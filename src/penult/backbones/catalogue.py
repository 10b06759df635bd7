"""Which backbones there are, as far as they can be listed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatch
from functools import partial
from typing import NamedTuple, NoReturn

from penult.backbones.aliases import canonical, plain
from penult.backbones.info import ModelInfo
from penult.backbones.registry import load_source, sources
from penult.backbones.source import missing_extra
from penult.errors import MissingExtraError, UnknownNameError

__all__ = ["SourceInExtra", "left_out", "list_models"]


class SourceInExtra(NamedTuple):
    """A source whose extra is not installed, or that of some of what it has.

    Attributes
    ----------
    prefix : str
        Of the source.
    install : str
        What to type for it.
    names : tuple of str
        Those of its names that match, as far as they are known.
    require : callable
        Refuses what it is given for want of the extra.
    """

    prefix: str
    install: str
    names: tuple[str, ...]
    require: Callable[[str], None]


def list_models(pattern: str = "*") -> Iterable[ModelInfo]:
    """What is known of the backbones that match, without opening any.

    Those that need an extra which is not installed are left out: see `left_out`.

    Parameters
    ----------
    pattern : str
        A glob for names, in any case; without a ``*``, ``?`` or ``[``, a part of a name, in any
        spelling, or a name that stands for one (see `resolve`). Where it begins with a source
        (``timm:``), the other sources are not even imported.

    Yields
    ------
    ModelInfo
        One a backbone, source after source.

    Raises
    ------
    UnknownNameError
        If it begins with what is no source.
    """
    matches = _matcher(pattern)
    for prefix in _listed_sources(pattern):
        source = load_source(prefix)
        if missing_extra(source) is None:
            lacking = {f"{prefix}:{name}" for name in source.lacking()}
            for info in source.models():
                if info.name not in lacking and matches(info.name):
                    yield info


def left_out(pattern: str = "*") -> list[SourceInExtra]:
    """What `list_models` leaves out, for want of an extra.

    Parameters
    ----------
    pattern : str
        As for `list_models`.

    Returns
    -------
    list of SourceInExtra
        In their order.

    Raises
    ------
    UnknownNameError
        As for `list_models`.
    """
    matches = _matcher(pattern)
    found: list[SourceInExtra] = []

    def matching(prefix: str, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in names if matches(f"{prefix}:{name}"))

    for prefix in _listed_sources(pattern):
        source = load_source(prefix)
        if (error := missing_extra(source)) is not None:
            names = matching(prefix, source.names())
            found.append(SourceInExtra(prefix, error.install, names, source.require))
            continue
        lacking = source.lacking()
        for extra in dict.fromkeys(lacking.values()):
            if names := matching(prefix, (name for name in lacking if lacking[name] == extra)):
                install = MissingExtraError(prefix, extra).install
                found.append(SourceInExtra(prefix, install, names, partial(_refuse, extra)))
    return found


def _refuse(extra: str, what: str) -> NoReturn:
    raise MissingExtraError(what, extra)


def _listed_sources(pattern: str) -> list[str]:
    prefix, colon, _ = pattern.lower().partition(":")
    prefixes = [source for source in sources() if not colon or fnmatch(source, prefix)]
    if not prefixes:
        raise UnknownNameError("backbone source", prefix, sources())
    return prefixes


def _matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a name with its source is meant by a pattern."""
    pattern = pattern.lower()
    _, colon, part = pattern.partition(":")
    is_glob = any(sign in pattern for sign in "*?[")
    wanted, target = plain(part if colon else pattern), None if colon else canonical(pattern)

    def matches(full: str) -> bool:
        name = full.lower()
        if is_glob:
            return fnmatch(name, pattern) or fnmatch(name.partition(":")[2], pattern)
        return full == target or wanted in plain(name.partition(":")[2] if colon else name)

    return matches
