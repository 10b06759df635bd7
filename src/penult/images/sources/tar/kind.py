"""What is taken for a tar archive. What reads one is imported when there is one."""

from __future__ import annotations

from collections.abc import Iterator

from penult.errors import SourceError
from penult.images.sources.base import (
    ImageSource,
    SourceArgument,
    SourceKind,
    SourceLocation,
    SourceOptions,
    extension_of,
)
from penult.images.sources.random_access import random_access

__all__ = ["TAR", "compressed"]

_COMPRESSED = (".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst", ".tbz2", ".txz")


def compressed(name: str) -> SourceError:
    """Say why a compressed archive is not read, and what to do."""
    return SourceError(
        f"{name} is compressed, so that no image in it can be reached without unpacking all before "
        f"it; unpack it, or pack it without compression, which JPEG and PNG have anyway"
    )


def _is_compressed(argument: SourceArgument) -> bool:
    return str(argument).lower().endswith(_COMPRESSED)


def _matches(argument: SourceArgument) -> bool:
    return extension_of(argument) == ".tar" or _is_compressed(argument)


def _open(location: SourceLocation, options: SourceOptions) -> Iterator[ImageSource]:
    if _is_compressed(location.argument):
        raise compressed(str(location.argument))
    from penult.images.sources.tar.source import TarSource

    yield TarSource(random_access(location.argument), location, options.label_column)


TAR = SourceKind(_matches, _open, archive_extension=".tar", has_label_column=True)
