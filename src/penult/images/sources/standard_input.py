"""Images named on standard input."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Any

from penult.errors import SourceError
from penult.images.labels.manifest_rows import ManifestRow
from penult.images.sources.base import ImageSource, SourceKind, SourceLocation, SourceOptions
from penult.images.sources.manifest import ManifestSource
from penult.wording import article, beginning

__all__ = ["STANDARD_INPUT", "path_rows"]

_BEGINNING = 4096
_CONTROL = re.compile(rb"[\1-\x08\x0e-\x1f]")

# None of them begins as a path does. Whoever reads pixels knows more of formats; this is no more
# than a good message.
_IMAGES = {
    name: re.compile(begin, re.DOTALL)
    for name, begin in {
        "JPEG": rb"\xff\xd8\xff",
        "PNG": rb"\x89PNG\r\n\x1a\n",
        "GIF": rb"GIF8[79]a.{4}[\0-\x1f\x80-\xff]",
        "WebP": rb"RIFF.{4}WEBPVP8",
        "TIFF": rb"II[*+]\0|MM\0[*+]",
        "BMP": rb"BM.{4}\0{4}",
        "AVIF": rb"\0{3}.ftypavi[fs]",
        "HEIC": rb"\0{3}.ftyp(he|mif1|msf1)",
        "JPEG 2000": rb"\0{3}\x0cjP  |\xff\x4f\xff\x51",
    }.items()
}


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
    data = _read()
    _require_paths(data)
    yield ManifestSource(
        "standard input",
        partial(path_rows, data),
        base=os.curdir,
        prefix=location.prefix,
        offline=options.offline,
    )


def _require_paths(data: bytes) -> None:
    """Refuse what is an image itself, or another binary file, and no list of paths.

    A path may have any byte in it but NUL, so that one with control characters is taken for a path
    where it leads to a file.
    """
    first = next(path_rows(data[:_BEGINNING]), None)
    if first is None or os.path.lexists(first.path):
        return
    if what := _image(data):
        raise SourceError(
            f"standard input is {article(f'{what} image')}, not a list of paths; give the photo's "
            "path"
        )
    if _CONTROL.search(os.fsencode(first.path)):
        raise SourceError(
            f"standard input is not a list of paths ({beginning(data)}); pipe paths, one a "
            "line, or give the file by its own path in place of -"
        )


def _image(data: bytes) -> str:
    """Which format of images it begins as; empty of what is none."""
    return next((name for name, begin in _IMAGES.items() if begin.match(data)), "")


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
