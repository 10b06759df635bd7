"""Standard input, output and error as a shell hands them over: closed, full, or nobody reading."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from penult.errors import OutputError

__all__ = ["ReaderGone", "standard_streams"]


class ReaderGone(BaseException):
    """Nobody reads a pipe any more (``penult predict … | head``): an end, and no error.

    No `Exception`, so that nothing on the way up takes it for one.
    """

    exit_code = 128 + 13  # as if SIGPIPE had ended the process, as it ends other tools


class _Output(io.FileIO):
    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)

    def write(self, data: Any) -> int:
        """See `io.RawIOBase.write`.

        Raises
        ------
        OutputError
        """
        try:
            return super().write(data)
        except BrokenPipeError as error:
            raise ReaderGone from error
        except OSError as error:
            return self._failed(error, data)

    def _failed(self, error: OSError, data: Any) -> int:
        closed = error.errno == errno.EBADF
        cause = "it is closed" if closed else error.strerror
        raise OutputError(f"standard output cannot be written: {cause}") from error


class _Messages(_Output):
    """A log on a full disk is no reason to end the run of a night."""

    def _failed(self, error: OSError, data: Any) -> int:
        return len(data)


@contextmanager
def standard_streams() -> Iterator[None]:
    """Have `sys.stdin`, `sys.stdout` and `sys.stderr`, whatever the shell did to them.

    Writing to stdout, or flushing it, raises an `OutputError` or `ReaderGone`; what was not flushed
    by the end of the block may be lost. What is in the way of messages on stderr is passed over.
    """
    before = sys.stdin, sys.stdout, sys.stderr
    _take_descriptors()
    if sys.stdin is None:
        sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = _guarded(sys.stdout, 1, _Output)
    sys.stderr = _guarded(sys.stderr, 2, _Messages)
    try:
        yield
    finally:
        for descriptor, stream in ((1, sys.stdout), (2, sys.stderr)):
            try:
                stream.flush()
            except (OutputError, ReaderGone):
                _discard(stream, descriptor)
        if sys.stdin is not before[0]:
            sys.stdin.close()
        sys.stdin, sys.stdout, sys.stderr = before


def _take_descriptors() -> None:
    """Put something in the place of closed ones, or the next file to be opened would be there."""
    for descriptor, flags in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            # To stdout, nothing can be written: whoever closed it is told.
            opened = os.open(os.devnull, flags)
            if opened != descriptor:
                os.dup2(opened, descriptor)
                os.close(opened)


def _guarded(stream: Any, descriptor: int, kind: Callable[[int], io.FileIO]) -> Any:
    if stream is None:
        return io.TextIOWrapper(io.BufferedWriter(kind(descriptor)), "utf-8")
    raw = getattr(stream, "buffer", None)
    raw = getattr(raw, "raw", raw)
    if not isinstance(raw, io.FileIO) or raw.fileno() != descriptor:
        return stream  # in a test, or on the console of Windows
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(kind(descriptor)),
        stream.encoding,
        stream.errors,
        # Under PYTHONUNBUFFERED, as containers set it, a stream writes through and says no more.
        line_buffering=stream.line_buffering or stream.write_through,
        write_through=stream.write_through,
    )


def _discard(stream: Any, descriptor: int) -> None:
    """Throw away what cannot be written, or Python would try once more when it exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
    with suppress(OutputError, ReaderGone):
        stream.flush()
