"""Names of what is not finished yet: hidden, beside what it becomes, and swept after a kill."""

from __future__ import annotations

import glob
import hashlib
import os
import re
import shutil
import socket
import tempfile
import time
from contextlib import suppress
from pathlib import Path

__all__ = ["SUFFIX", "scratch_file", "scratch_folder", "sweep"]

SUFFIX = ".partial"
_OWNED = re.compile(r"\.([0-9a-f]{8})-(\d+)-[^.]*\.partial$")
_A_DAY = 24 * 60 * 60


def scratch_file(folder: Path, name: str) -> Path:
    """Create an empty file in `folder` that may become `name`; private to the user.

    Raises
    ------
    OSError
    """
    handle, path = tempfile.mkstemp(prefix=_prefix(name), suffix=SUFFIX, dir=folder)
    os.close(handle)
    return Path(path)


def scratch_folder(folder: Path, name: str) -> Path:
    """Create an empty folder in `folder` that may become `name`; private to the user.

    Raises
    ------
    OSError
    """
    return Path(tempfile.mkdtemp(prefix=_prefix(name), suffix=SUFFIX, dir=folder))


def sweep(folder: Path, name: str) -> None:
    """Remove what killed processes left of `name`; what a running process writes stays."""
    for path in folder.glob(f".{glob.escape(name)}.*{SUFFIX}"):
        with suppress(OSError):  # another process was quicker, or it is not ours to remove
            if _is_abandoned(path):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _prefix(name: str) -> str:
    # The name says whose it is. A lock on the file would say it too, but HDF5 takes its own.
    return f".{name}.{_host()}-{os.getpid()}-"


def _host() -> str:
    return hashlib.blake2b(socket.gethostname().encode(), digest_size=4).hexdigest()


def _is_abandoned(path: Path) -> bool:
    written = path.stat().st_mtime
    owner = _OWNED.search(path.name)
    if owner is None or owner[1] != _host():
        return time.time() - written > _A_DAY
    import psutil

    try:
        # Another process may have got the number since.
        return bool(psutil.Process(int(owner[2])).create_time() > written + 1)
    except psutil.NoSuchProcess:
        return True
