"""Which cluster computes, with how many workers, and what each of them gets."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from penult.arguments import require_whole
from penult.errors import UsageError
from penult.interface import option

if TYPE_CHECKING:
    from penult.extractor import ExtractorSpec

__all__ = ["AUTO", "LOCAL", "RayOptions"]

LOCAL = "local"
"""The address of a cluster that is started for the run, on this machine."""

AUTO = "auto"
"""In place of an address: the cluster that runs on this machine, or else as `LOCAL`."""

_LAST_PORT = 65535
_RANGE = re.compile(r"(\d+)(?::(\d+)?)?")


@dataclass(frozen=True, kw_only=True)
class RayOptions:
    """The options of a run on a cluster of Ray, checked.

    Attributes
    ----------
    address : str
        ``"HOST:PORT"`` of a running cluster, `LOCAL`, or `AUTO`.
    least, most : int or None
        How many workers there are at least and at most; chosen from the cluster by default.
    cpus : int
        Cores a worker: for its decoding threads and its engine.
    gpus : float
        GPUs a worker; a fraction is shared.
    """

    address: str = LOCAL
    least: int | None = None
    most: int | None = None
    cpus: int = 1
    gpus: float = 0.0

    def __post_init__(self) -> None:
        require_whole("the number of cores a worker", self.cpus)
        if self.cpus < 1:
            raise UsageError(
                f"{option('ray_cpus', self.cpus)} was given; a worker needs 1 core or more"
            )
        if self.gpus < 0 or (self.gpus > 1 and self.gpus != int(self.gpus)):
            raise UsageError(
                f"{option('ray_gpus', self.gpus)} was given; allowed: a fraction of a GPU, such as "
                "0.5, or a whole number of them"
            )

    @classmethod
    def of(
        cls,
        ray: bool | str | None,
        *,
        workers: int | str | None = None,
        cpus: int = 1,
        gpus: float | None = None,
        device: str = "auto",
    ) -> RayOptions | None:
        """Read what was asked for; None where the run stays in this process.

        Raises
        ------
        UsageError
        """
        if ray is None or ray is False:
            given = [
                ("ray_workers", workers, None),
                ("ray_cpus", cpus, 1),
                ("ray_gpus", gpus, None),
            ]
            for name, value, default in given:
                if value != default:
                    raise UsageError(
                        f"{option(name, value)} is for a run on a cluster; give "
                        f"{option('ray', True)} as well"
                    )
            return None
        if device.startswith("cuda:"):
            raise UsageError(
                f"{option('device', device)} was given; Ray chooses a worker's GPU: give "
                f"{option('device', 'cuda')}"
            )
        least, most = _workers(workers)
        wanted = (1.0 if device == "cuda" else 0.0) if gpus is None else float(gpus)
        return cls(address=_address(ray), least=least, most=most, cpus=cpus, gpus=wanted)

    def on_worker(self, spec: ExtractorSpec) -> ExtractorSpec:
        """What a worker opens: it takes the GPU that Ray gives it, and else none."""
        engine = spec.engine
        if engine.device == "auto":
            engine = replace(engine, device="cuda" if self.gpus else "cpu")
        return replace(spec, engine=engine)


def _address(given: bool | str) -> str:
    if given is True or given in ("", AUTO):
        known = os.environ.get("RAY_ADDRESS")
        return _checked(known, f"RAY_ADDRESS={known}") if known else AUTO
    return _checked(str(given), option("ray", given))


def _checked(address: str, typed: str) -> str:
    if address.startswith("ray://"):
        raise UsageError(
            f"{typed} is an address of Ray Client, over which Ray Data does not "
            f"run; type the command on a machine of the cluster, with {option('ray', AUTO)} or "
            "HOST:6379"
        )
    found = re.fullmatch(r".+:(\d+)", address)
    if address not in (LOCAL, AUTO) and found is None:
        raise UsageError(
            f"{typed} was given; allowed: HOST:PORT of a running cluster (its "
            f"port is 6379 by default), {LOCAL}, or {AUTO}"
        )
    # Python reads the digits of any script; a port has those of ASCII.
    if found is not None and not (found[1].isascii() and 1 <= int(found[1]) <= _LAST_PORT):
        raise UsageError(
            f"{typed} was given, and {found[1]} is no port; give 1 to "
            f"{_LAST_PORT}, which is 6379 by default"
        )
    return address


def _workers(given: int | str | None) -> tuple[int | None, int | None]:
    if given is None:
        return None, None
    found = _RANGE.fullmatch(str(given).strip())
    least = int(found[1]) if found else 0
    if found is None or least < 1 or (found[2] and int(found[2]) < least):
        raise UsageError(
            f"{option('ray_workers', given)} was given; allowed: a number of workers, 1 or more, "
            "or the fewest and the most, as 2:16"
        )
    if ":" not in str(given):
        return least, least
    return least, int(found[2]) if found[2] else None
