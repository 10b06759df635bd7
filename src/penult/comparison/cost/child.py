"""The process that measures: reads what it is given, measures, and says what it found."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import sys
import threading
import warnings
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO

from penult.backbones.registry import register
from penult.comparison.cost.job import CostJob
from penult.comparison.cost.measure import measure
from penult.comparison.cost.wire import Teller
from penult.engines.openvino.cache import kept_conversions
from penult.engines.registry import ENGINES
from penult.errors import EngineError, PenultError
from penult.interface import serving_command_line
from penult.machine_faults import is_of_memory
from penult.messages import first_line
from penult.progress import following

__all__ = ["main"]

AGAIN = "again"
"""Whether another process had to be begun anew: this one measures, come what may."""


def main() -> None:
    """Measure once, and end."""
    teller = Teller(_own_output())
    # A Ctrl-C is for the one that asked, which ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _be_the_first_to_go()
    try:
        job: CostJob = pickle.load(sys.stdin.buffer)
    except Exception as error:  # such as a module that cannot be imported here
        teller.say("unreadable", first_line(error))
        return
    threading.Thread(target=_end_with_who_asked, daemon=True).start()
    _listen(teller, job)
    try:
        with ExitStack() as stack:
            if job.at_command_line:
                stack.enter_context(serving_command_line())
            stack.enter_context(following(teller.tell))
            _measure(job, teller)
    except PenultError as error:
        teller.fail(error)
    except MemoryError:
        teller.fail(EngineError("ran out of memory"))
    except Exception as error:
        what = f"{type(error).__name__}: {first_line(error)}"
        teller.fail(EngineError(f"ran out of memory ({what})" if is_of_memory(error) else what))


def _measure(job: CostJob, teller: Teller) -> None:
    for source in job.sources:
        register(source)
    for entry in job.engines:
        assert not isinstance(entry.engine, str)
        ENGINES[entry.engine.name] = entry
    before = kept_conversions()
    with job.spec.open() as extractor:
        _ = extractor.engine
        if AGAIN not in sys.argv and kept_conversions() != before:
            # To convert takes more memory than to run: let another process do that alone.
            teller.say("again", True)
            return
        teller.cost(measure(extractor, job.images, readers=job.readers))


def _own_output() -> BinaryIO:
    """Keep standard output for ourselves; what libraries print goes to standard error."""
    sys.stdout.flush()
    own = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(own, "wb")


def _be_the_first_to_go() -> None:
    """Where the memory does not suffice, have Linux kill this process, and not who asked."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _end_with_who_asked() -> None:
    """End when the pipe does, however the process that holds its other end has ended."""
    with suppress(OSError):
        while os.read(0, 1):
            pass
    os._exit(1)


def _listen(teller: Teller, job: CostJob) -> None:
    logging.getLogger().addHandler(teller)
    for name, level in job.levels.items():
        logging.getLogger(name).setLevel(level)
    warnings.showwarning = teller.warn
