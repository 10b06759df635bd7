"""What this machine has for penult: cores, memory, and a folder to keep things in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from math import ceil
from pathlib import Path

__all__ = ["cache_folder", "cores", "free_memory", "share_cores"]

CONTROL_GROUPS = Path("/sys/fs/cgroup")
OWN_GROUP = Path("/proc/self/cgroup")


_share: list[int] = []


def share_cores(count: int) -> None:
    """Have this process use no more than so many cores; the others are its neighbours'."""
    _share[:] = [count]


def cores() -> int:
    """How many processor cores this process may use, at least 1.

    Those that it may run on (affinity), or fewer where a container's quota of CPU time is less, or
    where `share_cores` says so.
    """
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    limits = [count or 1, *_share]
    for text in _limits("cpu.max"):
        quota, _, period = text.partition(" ")
        with suppress(ValueError, ZeroDivisionError):
            limits.append(ceil(int(quota) / int(period)))
    for quota, period in zip(
        _limits("cpu.cfs_quota_us"), _limits("cpu.cfs_period_us"), strict=False
    ):
        with suppress(ValueError, ZeroDivisionError):
            limits.append(ceil(int(quota) / int(period)))  # -1 where there is none
    return min(limit for limit in limits if limit > 0)


def free_memory() -> int:
    """Bytes that this process can still take: what the machine, a container or a limit leaves."""
    import psutil

    process = psutil.Process()
    left: list[int] = [psutil.virtual_memory().available]
    used = process.memory_info().rss
    for text in (*_limits("memory.max"), *_limits("memory.limit_in_bytes")):
        with suppress(ValueError):  # "max": no limit
            left.append(int(text) - used)
    if hasattr(process, "rlimit"):
        for name, held in (("RLIMIT_AS", "vms"), ("RLIMIT_DATA", "data")):
            soft, _ = process.rlimit(getattr(psutil, name))
            if soft != psutil.RLIM_INFINITY:
                left.append(soft - getattr(process.memory_info(), held))
    return max(0, min(left))


def cache_folder() -> Path:
    """Where conversions and notes are kept: ``PENULT_CACHE``, else the user's cache folder."""
    if given := os.environ.get("PENULT_CACHE"):
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "penult"


def _limits(name: str) -> Iterator[str]:
    """Read a limit of the process's control group and of each that this one is in.

    In version 2 all controllers share one tree; in version 1 each has its own. A container usually
    sees its own group as the root, whatever `OWN_GROUP` says.
    """
    try:
        lines = OWN_GROUP.read_text().splitlines()
    except OSError:
        return
    controller = name.partition(".")[0]
    seen = set[Path]()
    for line in lines:
        number, controllers, group = line.split(":", 2)
        if number != "0" and controller not in controllers.split(","):
            continue
        root = CONTROL_GROUPS if number == "0" else CONTROL_GROUPS / controller
        below = Path(group.lstrip("/"))
        for folder in (root / below, *(root / parent for parent in below.parents)):
            if folder in seen:
                continue
            seen.add(folder)
            with suppress(OSError):
                yield (folder / name).read_text().strip()
