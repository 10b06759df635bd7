"""Archives in memory, for tests of what is read from them."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping


def packed(members: Mapping[str, bytes], layout: int | None = None) -> bytes:
    """A tar archive of these names and their bytes; the library chooses the layout by default."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=layout) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()
