"""One driver at a time: a lock on a local folder, a note with a date at an address."""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from penult.errors import OutputError, OutputExistsError, PathNotFoundError, PenultError
from penult.features.parts.store import PartsStore
from penult.features.resume.lock import RunLock
from penult.output import explain
from penult.parsing import read_json

__all__ = ["NOTE", "taken"]

NOTE = "driver.json"
_EVERY = 20.0  # seconds between two dates
_GONE = 120.0  # seconds after which a driver that says nothing is gone
_SETTLES = 1.0  # seconds in which two that began at once have both written


@contextmanager
def taken(store: PartsStore) -> Iterator[Callable[[], None]]:
    """Have the store for this process alone; yields what is to be called now and then.

    A local folder is locked by the system, which lets go of the lock with the process. An address
    has no locks: there a note says who is at work, renewed all 20 seconds, and two drivers
    that begin within one second see each other's. A driver that was killed is known to be gone at
    once on its own machine, and elsewhere after two minutes. The clocks of the machines have to
    agree within a minute.

    Raises
    ------
    OutputExistsError
        If another is at work there; names it.
    OutputError
        From the yielded callable as well, if the folder has vanished, or another has taken over.
    """
    folder = store.folder
    if folder is not None:
        try:
            lock = RunLock(folder, folder)
        except PenultError:
            raise
        except OSError as error:
            raise explain(error, folder) from error
        try:
            yield lock.check
        finally:
            lock.release(remove=True)
        return
    note = _Note(store)
    note.take()
    try:
        yield note.renew
    finally:
        note.leave()


class _Note:
    def __init__(self, store: PartsStore) -> None:
        self._store, self._token, self._dated = store, secrets.token_hex(8), 0.0

    def take(self) -> None:
        there = self._read()
        if there is not None and self._is_alive(there):
            raise self._refusal(there)
        self._write()
        time.sleep(_SETTLES)
        there = self._read()
        if there is None or there.get("token") != self._token:
            raise self._refusal(there or {})

    def renew(self) -> None:
        if time.monotonic() - self._dated < _EVERY:
            return
        there = self._read()
        if there is not None and there.get("token") != self._token:
            raise OutputError(
                f"{self._store.address} cannot be written: {_who(there)} has taken over; what is "
                "finished stays there"
            )
        self._write()

    def leave(self) -> None:
        with suppress(PenultError):
            there = self._read()
            if there is not None and there.get("token") == self._token:
                self._store.remove(NOTE)

    def _write(self) -> None:
        host, process = socket.gethostname(), os.getpid()
        told = {"token": self._token, "host": host, "process": process, "time": time.time()}
        self._store.put_bytes(NOTE, json.dumps(told).encode())
        self._dated = time.monotonic()

    def _read(self) -> dict[str, object] | None:
        try:
            found = read_json(self._store.read(NOTE))
        except (PathNotFoundError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def _is_alive(self, there: dict[str, object]) -> bool:
        if there.get("host") == socket.gethostname():
            process = there.get("process")
            import psutil  # takes long, and only where another run may be at it

            if isinstance(process, int) and not psutil.pid_exists(process):
                return False
        when = there.get("time")
        return isinstance(when, int | float) and time.time() - when < _GONE

    def _refusal(self, there: dict[str, object]) -> OutputExistsError:
        return OutputExistsError(
            f"{self._store.address} is being written by another run, {_who(there)}; wait for it to "
            f"end, or give another name (if it was killed, wait {_GONE:.0f} seconds)"
        )


def _who(there: dict[str, object]) -> str:
    return f"process {there.get('process', '?')} on {there.get('host', 'another machine')}"
