"""What whoever started a service is told of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Listening"]


@dataclass(frozen=True)
class Listening:
    """A service that has begun to listen.

    Attributes
    ----------
    url : str
        Its address: ``http://127.0.0.1:8000``.
    stop : callable
        Has it answer what is in progress, and end; from any thread, without arguments.
    """

    url: str
    stop: Callable[[], None]
