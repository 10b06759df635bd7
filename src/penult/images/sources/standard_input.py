"""Images named on standard input."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Any

from penult.errors import SourceError
from penult.images.labels.manifest_rows import ManifestRow
from penult.images.sources.base import ImageSource, SourceKind, SourceLocation, SourceOptions
from penult.images.sources.manifest import ManifestSource

__all__ = ["STANDARD_INPUT", "path_rows"]


def path_rows(data: bytes) -> Iterator[ManifestRow]:
    """Read paths: one a line, or, where there is a NUL byte, one up to each (``find -print0``)."""
    terminator = b"\0" if b"\0" in data else b"\n"
    start, line = 0, 0
    while start < len(data):
        end = data.find(terminator, start)
        end = len(data) if end < 0 else end
        line += 1
        path = data[start:end]
        if terminator == b"\n":
            path = path.removesuffix(b"\r")
        if path:
            yield ManifestRow(line, os.fsdecode(path))
        start = end + 1


def _open(location: SourceLocation, options: SourceOptions) -> Iterator[ImageSource]:
    yield ManifestSource(
        "standard input",
        partial(path_rows, _read()),
        base=os.curdir,
        prefix=location.prefix,
        offline=options.offline,
    )


def _read() -> bytes:
    """Everything on standard input, which can be read only once, and may be asked for again."""
    if sys.stdin is None or sys.stdin.isatty():
        raise SourceError(
            "- reads paths from standard input, and nothing is piped there; type e.g.: "
            "find photos -name '*.jpg' | penult extract - -o features.h5"
        )
    return _content(sys.stdin)


@lru_cache(maxsize=1)
def _content(stream: Any) -> bytes:
    data: bytes = stream.buffer.read()
    return data


STANDARD_INPUT = SourceKind(lambda argument: argument == "-", _open)
