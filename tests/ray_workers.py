"""The worker processes of a cluster of Ray that was started on this machine."""

from __future__ import annotations

import psutil


def workers(under: psutil.Process | None = None) -> list[psutil.Process]:
    """Those that are at work, and of no other cluster on the machine.

    Parameters
    ----------
    under : the process that started the cluster, or a raylet of it; this process by default
    """
    found = []
    for one in (under or psutil.Process()).children(recursive=True):
        try:
            if "PenultWorker" in " ".join(one.cmdline()):
                found.append(one)
        except psutil.Error:
            continue
    return found
