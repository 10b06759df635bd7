"""Whether to ask the service once more, and when."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from penult.client.call import Call
from penult.client.problem import failure_of, unreachable

if TYPE_CHECKING:
    import httpx

__all__ = ["LONGEST", "Tries"]

LONGEST = 30.0
"""Seconds: a service that asks for more is not waited for."""

_FIRST = 0.25
"""Seconds before the second try, about; twice as many before each further one."""

_REFUSED = (429, 503)  # the call was not begun, so that any may be sent again
_BETWEEN = (502, 504)  # of a proxy before the service, which may have begun it


class Tries:
    """How often a call was tried, and what that means for the next try.

    Waits grow and vary at random, so that many clients that were refused at once do not come again
    at once: see "Exponential backoff and jitter", AWS Architecture Blog, 2015 ("equal jitter").

    Parameters
    ----------
    call : Call
        What is asked.
    retries : int
        How often to ask again.
    url : str
        Of the service, for messages.
    """

    def __init__(self, call: Call[Any], retries: int, url: str) -> None:
        self._call, self._retries, self._url = call, retries, url
        self._failed = 0

    def after_answer(self, response: httpx.Response) -> float | None:
        """Return how many seconds to wait for the next try; None where this is the answer.

        Raises
        ------
        ServiceError
            If it failed, and there is no next try.
        """
        status = response.status_code
        if response.is_success or status in self._call.expected:
            return None
        again = status in _REFUSED or (status in _BETWEEN and self._call.repeatable)
        asked = _asked_for(response)
        if not again or self._failed >= self._retries or asked > LONGEST:
            raise failure_of(response)
        return max(asked * random.uniform(1, 1.25), self._next())

    def after_error(self, error: httpx.RequestError) -> float:
        """Return how many seconds to wait for the next try.

        Raises
        ------
        ServiceError
            If there is none.
        """
        import httpx

        never_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
        # What takes too long once would take the service's time once more.
        broke_off = isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError)
        again = never_sent or (broke_off and self._call.repeatable)
        if not again or self._failed >= self._retries:
            raise unreachable(self._url, error) from error
        return self._next()

    def _next(self) -> float:
        longest = min(LONGEST, _FIRST * 2.0**self._failed)
        self._failed += 1
        return longest * random.uniform(0.5, 1)


def _asked_for(response: httpx.Response) -> float:
    """Seconds that the service asks for (RFC 9110, 10.2.3: a number, or a date)."""
    said = response.headers.get("retry-after", "").strip()
    if said.isascii() and said.isdecimal():
        return float(said[:9])
    try:
        when = parsedate_to_datetime(said)
    except ValueError:
        return 0.0
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())
