"""What was given as a source of images: paths, addresses, braces, names for each."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from penult.arguments import require_texts
from penult.errors import UsageError
from penult.images.sources.base import SourceArgument
from penult.images.sources.file_names import escape_undecodable
from penult.images.sources.given_table import (
    DataFrame,
    GivenTable,
    is_frame,
    labelled_paths,
    table_of,
)
from penult.images.sources.remote.connection import is_url, require_network
from penult.inputs import require_existing
from penult.passwords import without_password
from penult.representation import what_given
from penult.table_addresses import refuse_table

__all__ = ["Images", "as_sources", "expanded_arguments", "origin_of", "source_names"]

Images = str | Path | Sequence[str | Path] | DataFrame
"""What public functions take as images that they list."""

_MOST_IN_BRACES = 100_000


def as_sources(
    images: Images | Iterable[SourceArgument], labels: Sequence[Any] | None = None
) -> list[SourceArgument]:
    """What was given as images, as a list of paths, addresses, and ``-`` for standard input.

    A DataFrame, or a list of paths with a list of labels, is one source, which goes alone.

    Raises
    ------
    UsageError
        If it is anything else, an image in memory for example.
    """
    if labels is not None:
        return [labelled_paths(images, labels)]
    if is_frame(images):
        return [table_of(images)]
    arguments: list[Any] = [images]
    single = isinstance(images, str | bytes | os.PathLike) or hasattr(images, "read")
    single = single or getattr(images, "shape", None) == ()  # which looks iterable, and is not
    if isinstance(images, Iterable) and not single:
        arguments = list(images)
    for one in arguments:
        if not isinstance(one, str | os.PathLike):
            raise UsageError(
                f"images given as {what_given(one)}; give paths and addresses, or a DataFrame "
                "alone. Pillow images, uint8 arrays, bytes and binary files, in a list, are for "
                "penult.Extractor, FeatureExtractor and Classifier.predict"
            )
    require_texts("images", arguments, path=True)
    for one in arguments:
        refuse_table(one, images=True)
    return [
        one if one == "-" or is_url(one) or isinstance(one, GivenTable) else Path(one)
        for one in arguments
    ]


def origin_of(sources: Sequence[SourceArgument]) -> dict[str, Any]:
    """What a feature file notes of its sources, so that its images can be found again."""
    noted: dict[str, Any] = {
        # A file of rows is given away; what opens an address is not.
        "sources": [str(s.absolute()) if isinstance(s, Path) else _noted(s) for s in sources]
    }
    if "-" in sources or isinstance(sources[0], GivenTable):
        noted["folder"] = str(Path.cwd())  # what paths without a file of their own are relative to
    return noted


def _noted(source: SourceArgument) -> SourceArgument:
    return without_password(source, is_right=True) if isinstance(source, str) else source


def expanded_arguments(
    arguments: Sequence[SourceArgument], *, offline: bool = False
) -> list[SourceArgument]:
    """Check what was given, and write out ``shards/{000..003}.tar`` and ``{a,b}.csv``.

    Raises
    ------
    UsageError
        If nothing was given, or what goes alone did not, or braces count down or without end;
        offline, also if an address is on the network.
    """
    if not arguments:
        raise UsageError("no folder or image was given")
    if "-" in arguments and len(arguments) > 1:
        raise UsageError("- (standard input) goes alone; write the other paths on it as well")
    expanded = [one for argument in arguments for one in dict.fromkeys(_expanded(argument))]
    for argument in expanded:
        if isinstance(argument, str):
            require_network(argument, "", offline=offline)
    return expanded


def _expanded(source: SourceArgument) -> list[SourceArgument]:
    """Write out braces, unless there is a file of that very name."""
    text = str(source)
    found = re.search(r"\{(\d+)\.\.(\d+)\}|\{([^{}]*,[^{}]*)\}", text)
    if found is None or (isinstance(source, Path) and source.exists()):
        return [source]
    first, last, names = found.groups()
    if names is not None:
        inner = names.split(",")
    else:
        low, high = int(first), int(last)
        if high < low or high - low >= _MOST_IN_BRACES:
            raise UsageError(
                f"{text}: {found[0]} has to count up, and not past {_MOST_IN_BRACES:,} names"
            )
        inner = [str(k).zfill(len(first)) for k in range(low, high + 1)]
    written = [text[: found.start()] + one + text[found.end() :] for one in inner]
    kind = Path if isinstance(source, Path) else str
    return [one for name in written for one in _expanded(kind(name))]


def source_names(sources: Sequence[SourceArgument], *, are_there: bool = True) -> list[str]:
    """Name each source by its last component, or by as many as tell it from the others.

    Raises
    ------
    UsageError, PathNotFoundError
        If `are_there`, and one is not, or one lies in another or was given twice.
    """
    if are_there:
        _refuse_overlap(sources)
    parts = [
        Path(os.path.abspath(source)).parts  # noqa: PTH100 - no links
        if isinstance(source, Path)
        else tuple(filter(None, source.replace("://", "/").split("/")))
        for source in sources
    ]
    length = 1
    names = [_join(p[-1:]) for p in parts]
    while clashing := {name for name, count in Counter(names).items() if count > 1}:
        length += 1
        names = [
            _join(p[-length:]) if name in clashing else name
            for p, name in zip(parts, names, strict=True)
        ]
    return names


def _refuse_overlap(sources: Sequence[SourceArgument]) -> None:
    real = [
        Path(os.path.realpath(require_existing(source))) if isinstance(source, Path) else source
        for source in sources
    ]
    by_path, count = dict(zip(real, sources, strict=True)), Counter(real)
    for source, path in zip(sources, real, strict=True):
        if count[path] > 1:
            raise UsageError(f"{source} was given twice")
        parents = path.parents if isinstance(path, Path) else ()
        above = next((by_path[parent] for parent in parents if parent in by_path), None)
        if above is not None:
            raise UsageError(f"{source} lies in {above}, so its images would be taken twice")


def _join(parts: Sequence[str]) -> str:
    return "/".join(escape_undecodable(part).strip("/\\") for part in parts)
