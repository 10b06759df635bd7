"""An image at an address that was given by itself."""

from __future__ import annotations

from collections.abc import Iterator

from penult.images.labels.manifest_rows import ManifestRow
from penult.images.sources.base import ImageSource, SourceKind, SourceLocation, SourceOptions
from penult.images.sources.manifest import ManifestSource
from penult.images.sources.remote.connection import is_url

__all__ = ["ADDRESS"]


def _open(location: SourceLocation, options: SourceOptions) -> Iterator[ImageSource]:
    base, _, name = str(location.argument).rpartition("/")
    folder = (location.prefix or "").rpartition("/")[0]
    yield ManifestSource(
        "the arguments", lambda: [ManifestRow(1, name)], base=base, prefix=folder or None
    )


ADDRESS = SourceKind(is_url, _open)
