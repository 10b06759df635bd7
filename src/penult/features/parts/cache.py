"""Parts of folders at addresses, copied once to this disk, under their digests."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from penult.errors import FeatureFileError
from penult.features.parts.entry import PartEntry
from penult.features.parts.store import PartsStore
from penult.features.parts.write import digest_of
from penult.machine import cache_folder
from penult.output import explain, replace_file
from penult.scratch import SUFFIX, scratch_file, sweep

__all__ = ["MOST_BYTES", "cached"]

MOST_BYTES = 32 << 30
"""What the copies may take together; those that were not used for longest are removed first."""


def cached(store: PartsStore, entry: PartEntry, *, anew: bool = False) -> Path:
    """Return the path of a copy of a part, fetched if it is not here yet, or `anew` in any case.

    Raises
    ------
    PathNotFoundError, SourceError
        If it cannot be had.
    FeatureFileError
        If it is another file than its entry says.
    OutputError
        If it cannot be kept.
    """
    folder = cache_folder() / "rows"
    path = folder / f"{entry.digest}{Path(entry.name).suffix}"
    with suppress(OSError):
        if not anew and path.stat().st_size == entry.nbytes:
            os.utime(path)
            return path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder, path.name)
        _make_room(folder, entry.nbytes)
        temporary = scratch_file(folder, path.name)
        try:
            store.fetch(entry.name, temporary)
            found = temporary.stat().st_size
            if found != entry.nbytes:
                raise FeatureFileError(
                    f"{store.place(entry.name)} is damaged: it has {found:,} bytes of "
                    f"{entry.nbytes:,}"
                )
            if digest_of(temporary) != entry.digest:
                raise FeatureFileError(
                    f"{store.place(entry.name)} is another file than the one that was written"
                )
            replace_file(temporary, path)
            _make_room(folder, 0, path)  # others may have come in meanwhile
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise  # of the store
        raise explain(error, path) from error
    return path


def _make_room(folder: Path, nbytes: int, kept: Path | None = None) -> None:
    there = []
    with os.scandir(folder) as found:
        for one in found:
            with suppress(OSError):  # another thread has renamed or removed it
                status = one.stat()
                there.append((status.st_mtime, status.st_size, one.path))
    left = sum(size for _, size, _ in there) + nbytes - MOST_BYTES
    for _, size, path in sorted(there):
        if left <= 0:
            return
        if not path.endswith(SUFFIX) and path != str(kept):
            with suppress(OSError):  # who has it open reads on
                Path(path).unlink()
                left -= size
