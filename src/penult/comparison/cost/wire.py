"""What the process that measures says to the one that asked, a line of JSON each.

``{"stage": …}``, ``{"log": …}`` and ``{"warning": …}`` come while it works; the last line is one of
``{"cost": …}``, ``{"error": …}``, ``{"again": …}`` and ``{"unreadable": …}``.
"""

from __future__ import annotations

import base64
import builtins
import dataclasses
import json
import logging
import pickle
import threading
import warnings
from typing import Any, BinaryIO

from penult.errors import EngineError, FileFormatError, PenultError
from penult.messages import first_line
from penult.parsing import read_json, to_record
from penult.progress import announce
from penult.records import Progress
from penult.records.model_cost import ModelCost

__all__ = ["LAST", "Teller", "read_cost", "read_error", "read_line", "relay"]

LAST = frozenset({"cost", "error", "again", "unreadable"})

_relayed = set[tuple[str, ...]]()
"""Lines that this process has passed on: each new process would say the same of the machine."""


class Teller(logging.Handler):
    """Says, logs and warns into a pipe, from any thread.

    Parameters
    ----------
    pipe : binary file
        That nothing else writes into.
    """

    def __init__(self, pipe: BinaryIO) -> None:
        super().__init__()
        self._pipe, self._turn = pipe, threading.Lock()

    def say(self, kind: str, content: Any) -> None:
        """Write one line."""
        with self._turn:
            self._pipe.write(json.dumps({kind: content}).encode() + b"\n")
            self._pipe.flush()

    def fail(self, error: PenultError) -> None:
        """Say why nothing was measured."""
        try:
            data = pickle.dumps(error)
        except Exception:  # one of somebody's, with what cannot be pickled
            data = pickle.dumps(EngineError(str(error)))
        self.say("error", base64.b64encode(data).decode())

    def cost(self, cost: ModelCost) -> None:
        """Say what was measured."""
        self.say("cost", dataclasses.asdict(cost))

    def tell(self, now: Progress) -> None:
        """Say what begins now; what can be counted is not the other process's to show."""
        if now.total is None:
            self.say("stage", {"stage": now.stage, "brief": now.brief})

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler.emit`."""
        self.say("log", [record.name, record.levelno, record.getMessage()])

    def warn(self, message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        """Do as `warnings.showwarning` does."""
        self.say("warning", [category.__name__, str(message)])


def read_line(line: bytes) -> tuple[str, Any]:
    """Read one line.

    Raises
    ------
    FileFormatError
        If it is something else.
    """
    try:
        ((kind, content),) = read_json(line).items()
    except (ValueError, AttributeError) as error:
        raise FileFormatError(f"{line[:40]!r} is no line of it") from error
    return kind, content


def read_cost(content: Any) -> ModelCost:
    """Read what `Teller.cost` said."""
    return to_record(ModelCost, content)


def read_error(content: str) -> PenultError:
    """Read what `Teller.fail` said; the process is one that we started."""
    try:
        error = pickle.loads(base64.b64decode(content))
    except Exception as unread:  # of a module that this process cannot import
        return EngineError(first_line(unread))
    return error if isinstance(error, PenultError) else EngineError(str(error))


def relay(kind: str, content: Any) -> None:
    """Say, log or warn here what the other process did; the same only once."""
    if kind == "stage":
        announce(content["stage"], brief=content["brief"])
        return
    line = (kind, *map(str, content))
    if line in _relayed:
        return
    _relayed.add(line)
    if kind == "log":
        name, level, text = content
        logging.getLogger(name).log(level, "%s", text)
    elif kind == "warning":
        name, text = content
        category = getattr(builtins, name, UserWarning)
        is_one = isinstance(category, type) and issubclass(category, Warning)
        warnings.warn(text, category if is_one else UserWarning, stacklevel=2)
