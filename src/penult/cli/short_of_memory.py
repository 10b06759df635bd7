"""What a command says that has too little memory, whichever library found that out."""

from __future__ import annotations

from collections.abc import Collection

from penult.machine_faults import FREE_MEMORY, is_of_memory, machine_fault

__all__ = ["too_little_memory"]

_LESS = {
    "max_memory": "give a smaller --max-memory",
    "batch_size": "give a smaller --batch-size",
    "features": "give it fewer rows, or shorter ones",
    "gallery": "give it fewer rows, or shorter ones",
}
"""Parameter of a command to what makes it take less, the best first."""


def too_little_memory(error: Exception, params: Collection[str | None]) -> str | None:
    """Say that there is too little memory, and what helps; None where that is not what it is.

    Parameters
    ----------
    error : Exception
    params : collection of str
        What the command takes.
    """
    if not is_of_memory(error):
        return None
    less = next((hint for name, hint in _LESS.items() if name in params), "give it less at once")
    if isinstance(error, ImportError):  # of a library: what was given is not there yet
        return f"{machine_fault(error)}; {FREE_MEMORY}"
    return f"{machine_fault(error)}; {less}, {FREE_MEMORY}"
