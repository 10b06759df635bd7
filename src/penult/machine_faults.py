"""What fails for the machine's sake, told from a file that is damaged: memory, disks, locks."""

from __future__ import annotations

import errno
import os
import re

from penult.messages import first_line

__all__ = ["FREE_MEMORY", "OUT_OF_MEMORY", "is_of_memory", "machine_fault"]

OUT_OF_MEMORY = re.compile(
    r"bad_alloc|MemoryError|out of memory|(can't|cannot|can not|could not|failed to|unable to) "
    r"allocate|memory allocation failed|failed to map segment(?!.*permitted)|"
    r"can't start new thread",
    re.IGNORECASE,
)
"""As torch, OpenVINO, HDF5, Python, the C++ library, and the system and its loader say it."""

# What the numbers in a damaged file lead to, a place before its beginning, say; and a folder that
# lacks one.
_OF_FILES = {errno.EINVAL, errno.EFBIG, errno.EOVERFLOW, errno.ESPIPE, errno.EFAULT, errno.ERANGE}
_OF_FILES |= {errno.ENOENT, errno.ENOTDIR}

_LONGEST = 200

FREE_MEMORY = "close other programs, or raise the limit that this one has"
"""What helps, whatever the memory was for."""


def is_of_memory(error: BaseException) -> bool:
    """Whether an error says that there is too little memory, whichever library raised it."""
    return (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        or OUT_OF_MEMORY.search(str(error)) is not None
    )


def machine_fault(error: BaseException) -> str | None:
    """Say what the machine lacks or fails at; None where a file, or code, may be at fault.

    Examples
    --------
    >>> machine_fault(OSError(5, "Input/output error"))
    'input/output error'
    >>> machine_fault(MemoryError("Unable to allocate 61.0 MiB"))
    'there is too little memory (Unable to allocate 61.0 MiB)'
    >>> machine_fault(ValueError("truncated"))
    """
    if is_of_memory(error):
        lines = [line.strip() for line in str(error).splitlines() if OUT_OF_MEMORY.search(line)]
        said = (lines[0] if lines else first_line(error))[:_LONGEST]
        is_news = not isinstance(error, OSError) and said != type(error).__name__
        return "there is too little memory" + (f" ({said})" if is_news else "")
    if isinstance(error, OSError) and error.errno and error.errno not in _OF_FILES:
        return os.strerror(error.errno).lower()
    return None
