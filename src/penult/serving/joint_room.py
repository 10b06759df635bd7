"""How many bytes requests in progress may hold together, and the part of each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from threading import Lock
from typing import Any

from starlette.exceptions import HTTPException

from penult.wording import count

__all__ = ["AGAIN", "JointRoom", "RoomOfRequest", "take_of"]

AGAIN = {"Retry-After": "1", "Connection": "close"}
"""Headers of the answer to whom there is no room for."""

_KEY = "penult.room"


class JointRoom:
    """Bytes that all requests in progress share. Safe to use from any thread.

    Parameters
    ----------
    max_bytes : int
        Of all of them together. A request that is alone is bounded by its own limits.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes, self._held, self._lock = max_bytes, 0, Lock()

    @property
    def told(self) -> str:
        """What is said where there is no room."""
        return (
            f"requests in progress have bodies of {count(self._held, 'byte')} already, of "
            f"{self._max_bytes:,} that they may have together; try again in 1 s"
        )

    def has(self, size: int) -> bool:
        """Whether there is room for a request of so many bytes."""
        return not self._held or self._held + size <= self._max_bytes

    def take(self, size: int, own: int) -> bool:
        """Take so many bytes for a request that holds `own` of them; whether there was room."""
        with self._lock:
            if self._held > own and self._held + size > self._max_bytes:  # others have it
                return False
            self._held += size
            return True

    def leave(self, size: int) -> None:
        """Give so many bytes back."""
        with self._lock:
            self._held -= size


class RoomOfRequest:
    """What one request holds, which is given back at the end of the block.

    Parameters
    ----------
    joint : JointRoom
    scope : mapping
        That of the request, by which `take_of` finds it.
    """

    def __init__(self, joint: JointRoom, scope: MutableMapping[str, Any]) -> None:
        self._joint, self._held, self._is_over, self._lock = joint, 0, False, Lock()
        scope[_KEY] = self

    def take(self, size: int) -> None:
        """Take so many bytes more.

        Raises
        ------
        HTTPException
            503, if others have the room.
        TimeoutError
            If the request is over, and nobody waits any longer for what a thread still reads.
        """
        with self._lock:
            if self._is_over:
                raise TimeoutError
            if not self._joint.take(size, self._held):
                raise HTTPException(503, self._joint.told, AGAIN)
            self._held += size

    def __enter__(self) -> RoomOfRequest:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._is_over = True
            self._joint.leave(self._held)


def take_of(scope: Mapping[str, Any]) -> Callable[[int], None]:
    """What takes bytes for a request that are read elsewhere than in its body.

    Parameters
    ----------
    scope : mapping
        That of the request; one that shares no room with others may take any.
    """
    room = scope.get(_KEY)
    return room.take if isinstance(room, RoomOfRequest) else lambda _: None
