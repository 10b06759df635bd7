"""Archives in memory, for tests of what is read from them."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path


def packed(members: Mapping[str, bytes], layout: int | None = None) -> bytes:
    """A tar archive of these names and their bytes; the library chooses the layout by default."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=layout) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def packed_kinds(
    *members: tuple[str, bytes, bytes | str], layout: int = tarfile.GNU_FORMAT
) -> bytes:
    """A tar archive of names, each with its type, and its bytes or what it is a link to."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=layout) as archive:
        for name, kind, data in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            if isinstance(data, str):
                info.linkname = data
                archive.addfile(info)
            else:
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def unsealed(description: bytes) -> bytes:
    """A classifier file's ``penult.json`` without the sums of its members, as of a forged file."""
    told = json.loads(description)
    told.pop("members", None)
    return json.dumps(told).encode()


def forge(path: Path, change: Callable[[dict[str, bytes]], dict[str, bytes] | None]) -> None:
    """As `rewrite`, so that the file does not say that it was changed."""

    def and_unseal(members: dict[str, bytes]) -> dict[str, bytes]:
        members = change(members) or members
        return {**members, "penult.json": unsealed(members["penult.json"])}

    rewrite(path, and_unseal)


def rewrite(path: Path, change: Callable[[dict[str, bytes]], dict[str, bytes] | None]) -> None:
    """Rewrite the members of a classifier file: `change` gets a dict of name to bytes."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    changed = change(members) or members
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in changed.items():
            archive.writestr(name, data)
