"""A process of its own for each measurement: what it takes is its own, and so is how it ends."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from penult.comparison.cost.child import AGAIN
from penult.comparison.cost.job import CostJob, NotPicklableError
from penult.comparison.cost.measure import measure
from penult.comparison.cost.wire import LAST, read_cost, read_error, read_line, relay
from penult.errors import EngineError, FileFormatError
from penult.machine_faults import OUT_OF_MEMORY
from penult.messages import printable
from penult.records.model_cost import ModelCost

if TYPE_CHECKING:
    from penult.extractor import ExtractorSpec
    from penult.records import ImageRecord

__all__ = ["measure_cost"]

SAMPLE = 64
"""Images that stand for all: a fourth of a second's worth of the fastest network."""

LIMIT = 3600.0
"""Seconds after which a process that has not answered is taken for one that never will."""


def measure_cost(
    spec: ExtractorSpec,
    images: Sequence[ImageRecord],
    *,
    readers: int | None = None,
    seed: int = 0,
) -> ModelCost:
    """Measure what the rows of an extractor cost on this machine.

    It is done in a process of its own, so that peak memory is the network's, and running out of it
    ends nothing else; with the same environment, working directory, and registered sources and
    engines. Where these cannot be pickled (they are of a script or a notebook), this process
    measures, and its memory is not known. What the other process logs and warns of is logged and
    warned of here, each line once.

    Parameters
    ----------
    spec : ExtractorSpec
        What the extractor is opened from: its models, layers, precision, views, engine and device.
    images : sequence of ImageRecord
        Those that are to be extracted; some are drawn from them, whose files are read several
        times over.
    readers : int, optional
        Decoding threads that suit the images' source (`Listing.readers`).
    seed : int
        Of the draw.

    Returns
    -------
    ModelCost
        Of all networks of the extractor together; speeds are those of a warm machine.

    Raises
    ------
    PenultError
        As opening and running the extractor raises it.
    EngineError
        Also if the process ran out of memory, crashed, or gave no answer in an hour.
    """
    job = CostJob.here(spec, _drawn(images, seed), readers)
    try:
        return _elsewhere(job)
    except NotPicklableError as reason:
        logging.getLogger("penult").debug(
            "penult: the cost of %s is measured in this process: %s", spec.rows.told, reason
        )
    with spec.open() as extractor:
        return measure(extractor, job.images, readers=readers, alone=False)


def _drawn(images: Sequence[ImageRecord], seed: int) -> tuple[ImageRecord, ...]:
    number = min(SAMPLE, len(images))
    chosen = np.random.default_rng(seed).choice(len(images), number, replace=False)
    return tuple(images[int(place)] for place in np.sort(chosen))


def _elsewhere(job: CostJob) -> ModelCost:
    if not sys.executable or getattr(sys, "frozen", False):
        raise NotPicklableError("there is no Python to start")
    data = job.pickled()
    kind, content = _ask(data, job)
    if kind == "again":
        kind, content = _ask(data, job, AGAIN)
    if kind == "unreadable":
        raise NotPicklableError(content)
    if kind == "error":
        raise read_error(content)
    try:
        return read_cost(content)
    except FileFormatError as error:
        raise EngineError(_unreadable(job, error)) from error


def _command() -> list[str]:
    # -P: no module of the working directory comes before those that this process has.
    return [sys.executable, "-P", "-m", "penult.comparison.cost"]


def _ask(data: bytes, job: CostJob, *options: str) -> tuple[str, Any]:
    """Start a process, hand it the job, pass on what it says, and return its last line."""
    # However this process has found its modules, that one finds them too.
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)  # noqa: PTH109
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                [*_command(), *options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "PYTHONPATH": paths},
            )
        except OSError as error:
            raise EngineError(
                f"no process can be started to measure the cost of {job.spec.rows.told}: "
                f"{error.strerror or error}"
            ) from error
        assert process.stdin is not None
        assert process.stdout is not None
        too_late = threading.Event()

        def give_up() -> None:
            too_late.set()
            process.kill()

        timer = threading.Timer(LIMIT, give_up)
        timer.daemon = True
        timer.start()
        try:
            with suppress(BrokenPipeError):  # it has ended already, and we shall see how
                process.stdin.write(data)
                process.stdin.flush()  # and stays open: its end is what ends a forgotten process
            for line in process.stdout:
                try:
                    kind, content = read_line(line)
                except FileFormatError as error:
                    raise EngineError(_unreadable(job, error)) from error
                if kind in LAST:
                    return kind, content
                relay(kind, content)
            code = process.wait()
        finally:
            timer.cancel()
            process.kill()
            process.wait()
            process.stdout.close()
            with suppress(BrokenPipeError):
                process.stdin.close()
            printed = _end_of(errors)
            if printed:
                logging.getLogger("penult").debug("penult: while measuring: %s", printed)
        raise EngineError(
            f"gave no answer in {LIMIT / 60:.0f} minutes"
            if too_late.is_set()
            else _why(code, printed)
        )


def _why(code: int, printed: str) -> str:
    """How a process ended that gave no answer."""
    last = printed.splitlines()[-1] if printed else ""
    if os.name == "posix" and code == -signal.SIGKILL:
        return "ran out of memory: the process was killed (SIGKILL), as systems do with the largest"
    how = f"ended with exit code {code}"
    if code < 0:
        with suppress(ValueError):
            how = f"was ended by {signal.Signals(-code).name}"
    if OUT_OF_MEMORY.search(printed):
        return f"ran out of memory: the process {how}: {printable(last)}"
    return f"crashed: the process {how}" + (f": {printable(last)}" if last else "")


def _unreadable(job: CostJob, error: FileFormatError) -> str:
    return (
        f"the process that measured the cost of {job.spec.rows.told} gave an answer that cannot be "
        f"read: {error}"
    )


def _end_of(file: IO[bytes]) -> str:
    """The last lines of what was printed."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 4096))
    return file.read().decode(errors="replace").strip()
