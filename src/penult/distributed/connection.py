"""A cluster of Ray: one that runs, or one that is started on this machine for the run."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

from penult.distributed.options import LOCAL, RayOptions
from penult.distributed.quiet import hushed, own_signals, prepare
from penult.errors import ClusterError, UsageError
from penult.extras import require_extra
from penult.interface import option
from penult.machine import cores
from penult.messages import first_line
from penult.progress import announce
from penult.wording import count

__all__ = ["Connection", "connected", "require_ray"]

_SECONDS = 10
_PROBE_SECONDS = 30
_OBJECTS = 128 << 20  # bytes for what workers answer, besides the listing

_PROBE = "import sys; from ray._raylet import GcsClient; GcsClient(address=sys.argv[1])"


class Connection:
    """A cluster that this process may use.

    Attributes
    ----------
    workers : (int, int or None)
        How many there are to be, at least and at most.
    is_ours : bool
        Whether it was connected to for this run, and is let go of at its end.
    """

    def __init__(self, options: RayOptions, *, is_ours: bool, is_local: bool) -> None:
        self.is_ours, self.is_local = is_ours, is_local
        self.workers = self._sized(options)

    def _sized(self, options: RayOptions) -> tuple[int, int | None]:
        cluster: Any = import_module("ray")
        wanted = {"CPU": float(options.cpus), "GPU": options.gpus}
        nodes: list[dict[str, float]] = [
            node["Resources"] for node in cluster.nodes() if node.get("Alive")
        ]
        fits = [
            int(min(node.get(name, 0) // each for name, each in wanted.items() if each))
            for node in nodes
        ]
        if not any(fits):
            has = max(nodes, key=lambda node: node.get("CPU", 0), default={})
            told = (
                f"no machine of the cluster has {count(options.cpus, 'core')}"
                f"{f' and {options.gpus:g} GPU' if options.gpus else ''} for a worker "
                f"(the largest has {has.get('CPU', 0):g} and {has.get('GPU', 0):g})"
            )
            if self.is_local:
                raise UsageError(
                    f"{told}; give {option('ray_cpus', 'N')} and "
                    f"{option('ray_gpus', 'N')} that it has"
                )
            logging.getLogger("penult").warning("%s; waiting for one that has", told)
        room = max(1, sum(fits))
        if options.least is not None:
            return options.least, options.most
        return (room, room) if self.is_local else (1, None)


def require_ray() -> None:
    """Refuse to go on where Ray is not installed.

    Raises
    ------
    MissingExtraError
    """
    require_extra(option("ray", True), "ray", "ray", "pyarrow")


@contextmanager
def connected(options: RayOptions, *, shared_bytes: int = 0) -> Iterator[Connection]:
    """Connect to the cluster, or start one on this machine, and let go of it at the end.

    A program that has connected to Ray itself stays connected to what it is connected to.

    Parameters
    ----------
    options : RayOptions
    shared_bytes : int
        How much all workers are given to read.

    Raises
    ------
    MissingExtraError, ClusterError, UsageError
    """
    require_ray()
    prepare()
    import ray

    if ray.is_initialized():
        yield Connection(options, is_ours=False, is_local=False)
        return
    is_local = options.address == LOCAL
    own = max(cores(), options.cpus * (options.least or 1))
    how: dict[str, Any] = {"address": options.address}
    if is_local:
        announce("starting Ray on this machine", brief=True)
        # Its store is memory that is taken at once where the system has no /dev/shm.
        how |= {"num_cpus": own, "include_dashboard": False}
        how |= {"object_store_memory": _OBJECTS + 2 * shared_bytes}
    else:
        announce(f"connecting to the cluster {options.address}", brief=True)
        _require_answer(options.address)
    try:
        with own_signals(), hushed():
            ray.init(
                **how,
                log_to_driver=False,
                configure_logging=False,
                logging_level=logging.ERROR,
            )
    except Exception as error:  # whatever Ray makes of it
        what = "Ray cannot be started here" if is_local else _unreachable(options.address)
        raise ClusterError(f"{what}: {first_line(error)}") from error
    try:
        yield Connection(options, is_ours=True, is_local=is_local)
    finally:
        with own_signals(), hushed(), suppress(Exception):
            ray.shutdown()


def _require_answer(address: str) -> None:
    """Refuse an address that does not answer, within seconds; Ray itself would try for minutes."""
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_SECONDS):
            pass
    except (OSError, OverflowError) as error:
        why = "no answer" if isinstance(error, TimeoutError) else first_line(error)
        raise ClusterError(
            f"{_unreachable(address)} ({why}); is it running there? ray status --address "
            f"{address} says so"
        ) from error
    # What answers may be something else: in a process of its own, for Ray ends its process then.
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE, address],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            env=os.environ | {"RAY_BACKEND_LOG_LEVEL": "fatal"},
            check=False,
        )
        problem = (done.stderr.strip().splitlines() or [""])[-1] if done.returncode else ""
    except subprocess.TimeoutExpired:
        problem = f"no answer of Ray's within {_PROBE_SECONDS} seconds"
    if problem and "cannot import name" not in problem:
        raise ClusterError(f"{_unreachable(address)} ({problem}); is it the port of Ray, 6379?")


def _unreachable(address: str) -> str:
    return f"the cluster {address} cannot be reached"
