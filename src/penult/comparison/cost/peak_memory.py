"""How much memory this process has taken at most."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

__all__ = ["peak_memory"]

STATUS = Path("/proc/self/status")


def peak_memory(device: str) -> int:
    """Bytes that this process has taken at most, since it began.

    Parameters
    ----------
    device : str
        Of an engine: on CUDA, what counts is the memory of the GPU that torch allocated.

    Returns
    -------
    int
        Otherwise the largest resident set: pages of the process that were in the memory at once.
    """
    if device.partition(":")[0] == "cuda":
        from penult.engines.torch_device import most_allocated

        return most_allocated(device)
    # What getrusage says on Linux is not less than what the parent had taken when it began this
    # process: the kernel hands that on.
    with suppress(OSError, ValueError):
        for line in STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
