"""The one request that repeats itself for ever, and that has to end where the token is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from telegram.request import HTTPXRequest

__all__ = ["PollingRequest"]

_REFUSED = (401, 404)  # a token that was revoked, and one that is none


class PollingRequest(HTTPXRequest):
    """Asks for updates, and says where Telegram does not know the token any more.

    The library ends its loop there and says so in its log alone, so that a bot would go on in
    silence.

    Parameters
    ----------
    on_refused : callable
        Called there.
    """

    def __init__(self, on_refused: Callable[[], None]) -> None:
        super().__init__(connection_pool_size=1)
        self._on_refused = on_refused

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        """Make the request."""
        status, data = await super().do_request(*args, **kwargs)
        if status in _REFUSED:
            self._on_refused()
        return status, data
