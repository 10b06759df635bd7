"""What answers at the address of a cluster, and whether it wants a token."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

from penult.errors import ClusterError
from penult.messages import first_line

__all__ = ["answers", "authenticating", "require_answer", "running", "unreachable"]

_SECONDS = 10
_SECONDS_HERE = 1
_PROBE_SECONDS = 30

_MODE = "RAY_AUTH_MODE"
_NO_TOKEN = ("AuthenticationError", "InvalidAuthToken", "Token authentication is enabled")

_PROBE = "import sys; from ray._raylet import GcsClient; GcsClient(address=sys.argv[1])"


def running() -> str | None:
    """Find the cluster that ``ray start`` joined or began last on this machine, if it answers.

    Clusters that other programs started for themselves are not looked for: Ray's own ``auto``
    would take one of those as well.

    Returns
    -------
    str or None
        ``"HOST:PORT"``.
    """
    with suppress(Exception):  # not of Ray's public interface
        found = import_module("ray._private.utils").read_ray_address()
        if found and answers(str(found)):
            return str(found)
    return None


def answers(address: str) -> bool:
    """Whether something listens at ``"HOST:PORT"``, and says so within a second."""
    try:
        with socket.create_connection(_host_and_port(address), timeout=_SECONDS_HERE):
            return True
    except OSError:
        return False


def require_answer(address: str) -> bool:
    """Refuse an address where no cluster answers, within seconds; Ray would try for minutes.

    ``ray start`` has a cluster ask for a token wherever there is one in ``~/.ray/auth_token``, and
    any cluster started by ``ray.init()`` leaves one there. Who connects to an address is not given
    the token by Ray itself, unless ``RAY_AUTH_MODE`` says so.

    Parameters
    ----------
    address : str
        ``"HOST:PORT"``.

    Returns
    -------
    bool
        Whether the cluster has to be shown the token of this machine.

    Raises
    ------
    ClusterError
    """
    try:
        with socket.create_connection(_host_and_port(address), timeout=_SECONDS):
            pass
    except (OSError, OverflowError) as error:
        why = "no answer" if isinstance(error, TimeoutError) else first_line(error)
        raise ClusterError(
            f"{unreachable(address)} ({why}); is it running there? ray status there says so"
        ) from error
    # What answers may be something else.
    problem = _probed(address, os.environ)
    if not problem:
        return False
    if not any(sign in problem for sign in _NO_TOKEN):
        raise ClusterError(f"{unreachable(address)} ({problem}); is it the port of Ray, 6379?")
    mode = os.environ.get(_MODE)
    if mode is None:
        problem = _probed(address, os.environ | {_MODE: "token"})
        if not problem:
            return True
    if mode is not None and mode.lower() != "token":
        raise ClusterError(
            f"the cluster {address} asks for a token, and {_MODE} is {mode!r} here; unset it, and "
            "the token in ~/.ray/auth_token is shown"
        )
    raise ClusterError(
        f"the cluster {address} asks for a token, and there is none here, or another one; copy "
        "~/.ray/auth_token of its head to the same place on this machine, or put its content into "
        "RAY_AUTH_TOKEN"
    )


@contextmanager
def authenticating(with_token: bool) -> Iterator[None]:
    """Show Ray's token until the block ends, or leave that to Ray.

    Ray switches to tokens for the whole process when it starts a cluster, and would show one to the
    next cluster as well; afterwards the process is as it was.

    Parameters
    ----------
    with_token : bool
    """
    before = os.environ.get(_MODE)
    if with_token:
        os.environ[_MODE] = "token"
        _read_again()
    try:
        yield
    finally:
        if os.environ.get(_MODE) != before:
            os.environ.pop(_MODE, None)
            if before is not None:
                os.environ[_MODE] = before
            _read_again()


def unreachable(address: str) -> str:
    """Begin the line on an address where there is no cluster to be had."""
    return f"the cluster {address} cannot be reached"


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _probed(address: str, environment: Any) -> str:
    """Say what is wrong; "" where a cluster answers. In a process of its own: Ray ends its process
    where something else does."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE, address],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            env={**environment, "RAY_BACKEND_LOG_LEVEL": "fatal"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no answer of Ray's within {_PROBE_SECONDS} seconds"
    problem = (done.stderr.strip().splitlines() or [""])[-1] if done.returncode else ""
    return "" if "cannot import name" in problem else problem


def _read_again() -> None:
    """Have Ray look at its environment, which it has read when it was imported."""
    with suppress(Exception):  # Rays before 2.60 look each time, or know no tokens
        import_module("ray._raylet").Config.initialize("")
