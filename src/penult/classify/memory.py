"""How much memory training may take, and how much it would take with every row in memory."""

from __future__ import annotations

from pathlib import Path

__all__ = ["bytes_in_memory", "free_memory"]

# The rows themselves, scaled, in their basis, and the part of them that each fold trains on.
COPIES = 6


def free_memory() -> int:
    """Bytes that this process can still take: what the machine, a container or a limit leaves."""
    import psutil

    process = psutil.Process()
    left: list[int] = [psutil.virtual_memory().available]
    try:
        used = process.memory_info().rss
        left.append(int(Path("/sys/fs/cgroup/memory.max").read_text()) - used)
    except (OSError, ValueError):
        pass  # no container, or one without a limit
    if hasattr(process, "rlimit"):
        for name, held in (("RLIMIT_AS", "vms"), ("RLIMIT_DATA", "data")):
            soft, _ = process.rlimit(getattr(psutil, name))
            if soft != psutil.RLIM_INFINITY:
                left.append(soft - getattr(process.memory_info(), held))
    return max(0, min(left))


def bytes_in_memory(count: int, width: int) -> int:
    """Most bytes that training on `count` rows of `width` numbers takes where all are in memory."""
    return COPIES * 4 * count * width
