"""How much a user may ask for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["RateLimit", "Refusal"]

_SWEPT_AT = 10_000


@dataclass(frozen=True)
class Refusal:
    """It was too much.

    Attributes
    ----------
    seconds : float
        How long to wait.
    first : bool
        Whether the user has not been told so since something of theirs was let through.
    """

    seconds: float
    first: bool


@dataclass
class _Bucket:
    tokens: float
    at: float
    told: bool = False


class RateLimit:
    """A token bucket for each user: so many at once, and filled again within a minute.

    Parameters
    ----------
    per_minute : int
        How many a user may send in a minute.
    clock : callable
        Gives the time in seconds.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = float(per_minute)
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def take(self, user: str, cost: int = 1) -> Refusal | None:
        """Let something of a user through, or say how long they have to wait.

        Parameters
        ----------
        user : str
            Who.
        cost : int
            How much it is. More than fits into a minute is let through where nothing else was.

        Returns
        -------
        Refusal or None
            None where it is let through.
        """
        now = self._clock()
        if len(self._buckets) >= _SWEPT_AT:
            self._sweep(now)
        bucket = self._buckets.setdefault(user, _Bucket(self._size, now))
        bucket.tokens, bucket.at = self._filled(bucket, now), now
        wanted = min(float(cost), self._size)
        if bucket.tokens >= wanted:
            bucket.tokens -= wanted
            bucket.told = False
            return None
        first, bucket.told = not bucket.told, True
        return Refusal((wanted - bucket.tokens) * 60 / self._size, first)

    def _filled(self, bucket: _Bucket, now: float) -> float:
        return min(self._size, bucket.tokens + (now - bucket.at) * self._size / 60)

    def _sweep(self, now: float) -> None:
        # Who has a full bucket is as good as somebody who never wrote.
        self._buckets = {
            user: one for user, one in self._buckets.items() if self._filled(one, now) < self._size
        }
