"""A cluster of Ray: one that runs, or one that is started on this machine for the run."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

from penult.distributed.address import authenticating, require_answer, running, unreachable
from penult.distributed.options import AUTO, LOCAL, RayOptions
from penult.distributed.quiet import hushed, own_signals, prepare, without_messages
from penult.errors import ClusterError, UsageError
from penult.extras import require_extra
from penult.interface import at_command_line, option
from penult.machine import cores
from penult.messages import first_line
from penult.progress import announce
from penult.wording import count

__all__ = ["Connection", "connected", "require_ray"]

_log = logging.getLogger("penult")

_OBJECTS = 128 << 20  # bytes for what workers answer, besides the listing


class Connection:
    """A cluster that this process may use.

    Attributes
    ----------
    address : str
        Of its head, ``"HOST:PORT"``.
    workers : (int, int or None)
        How many there are to be, at least and at most.
    is_ours : bool
        Whether it was connected to for this run, and is let go of at its end.
    is_local : bool
        Whether it was started for this run, on this machine.
    is_lost : bool
        Whether its head is gone: then Ray is not asked for anything any more, which would wait for
        an answer until it ends the process.
    """

    def __init__(self, options: RayOptions, place: str, *, is_ours: bool, is_local: bool) -> None:
        self.is_ours, self.is_local, self.is_lost = is_ours, is_local, False
        self._options, self._place = options, place
        cluster: Any = import_module("ray")
        self.address = str(cluster.get_runtime_context().gcs_address)
        self.workers = self._sized(options)

    def say_where(self, least: int, most: int) -> None:
        """Say on what is computed, by how many workers; in Python where the log is listened to.

        Parameters
        ----------
        least, most : int
            Workers that there will be.
        """
        options = self._options
        level = logging.WARNING if at_command_line() else logging.INFO
        workers = count(least, "worker") if least == most else f"{least:,} to {most:,} workers"
        gpus = f" and {options.gpus:g} GPU" if options.gpus else ""
        each = f"{count(options.cpus, 'core')}{gpus}"
        _log.log(level, "%s: %s of %s", self._place, workers, each)
        here = max(1, cores() // options.cpus)
        if self.is_local and least > here:
            _log.warning(
                "%s share the %s of this machine: all run, and are hardly faster than %s would be "
                "(%s), which take less memory",
                *(count(least, "worker"), count(cores(), "core"), count(here)),
                option("ray_workers", here),
            )

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
            wants, largest = count(options.cpus, "core"), count(int(has.get("CPU", 0)), "core")
            if options.gpus:
                wants += f" and {options.gpus:g} GPU"
                largest += f" and {has.get('GPU', 0):g} GPU"
            told = f"no machine of the cluster has {wants} for a worker (the largest has {largest})"
            if self.is_local:
                raise UsageError(
                    f"{told}; give {option('ray_cpus', 'N')} and "
                    f"{option('ray_gpus', 'N')} that it has"
                )
            _log.warning("%s; waiting for one that has", told)
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
        at = ray.get_runtime_context().gcs_address
        yield Connection(options, f"on Ray at {at}", is_ours=False, is_local=False)
        return
    address, place = options.address, "on a cluster of Ray started here"
    if address == AUTO:
        found = running()
        if found is None:
            place += ", as none was found running"
        address = found or LOCAL
    is_local, with_token = address == LOCAL, False
    how: dict[str, Any] = {"address": address}
    if is_local:
        announce("starting Ray on this machine", brief=True)
        # Its store is memory that is taken at once where the system has no /dev/shm.
        own = max(cores(), options.cpus * (options.least or 1))
        how |= {"num_cpus": own, "include_dashboard": False}
        how |= {"object_store_memory": _OBJECTS + 2 * shared_bytes}
    else:
        announce(f"connecting to the cluster {address}", brief=True)
        with_token, place = require_answer(address), f"on Ray at {address}"
    with authenticating(with_token), without_messages():
        try:
            with own_signals(), hushed():
                ray.init(
                    **how,
                    log_to_driver=False,
                    configure_logging=False,
                    logging_level=logging.ERROR,
                )
        except Exception as error:  # whatever Ray makes of it
            what = "Ray cannot be started here" if is_local else unreachable(address)
            raise ClusterError(f"{what}: {first_line(error)}") from error
        connection: Connection | None = None
        try:
            connection = Connection(options, place, is_ours=True, is_local=is_local)
            yield connection
        finally:
            if connection is None or not connection.is_lost:
                with own_signals(), hushed(), suppress(Exception):
                    ray.shutdown()
