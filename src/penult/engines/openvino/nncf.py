"""Importing NNCF without what it does to the process: telemetry, loggers, progress bars."""

from __future__ import annotations

import contextlib
import io
import logging
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from types import ModuleType

from penult.errors import MissingExtraError
from penult.interface import command

__all__ = ["import_nncf", "require_nncf", "silence"]


def require_nncf() -> None:
    """Say what to install, before any work is spent.

    Raises
    ------
    MissingExtraError
    """
    if find_spec("nncf") is None:
        raise MissingExtraError(command("quantize"), "int8")


def import_nncf() -> ModuleType:
    """Import NNCF without its telemetry, and without the class that it gives to all loggers."""
    require_nncf()
    telemetry, logger = "openvino_telemetry", logging.getLoggerClass()
    known = sys.modules.get(telemetry)
    sys.modules[telemetry] = None  # type: ignore[assignment]
    try:
        with silence():
            import nncf
    finally:
        logging.setLoggerClass(logger)
        del sys.modules[telemetry]
        if known is not None:
            sys.modules[telemetry] = known
    # Not by its set_log_level, which raises the level of every handler that its logger was given.
    logging.getLogger("nncf").setLevel(logging.ERROR)
    module: ModuleType = nncf
    return module


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """NNCF draws bars, and parts of torch that it imports say which compilers they miss.

    They alone are muted: what penult has to say meanwhile is heard.
    """
    logger = logging.getLogger("torch")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(before)
