"""The client of a program that does other things while it waits for answers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar, cast

from penult.checking import checked
from penult.client.call import Call
from penult.client.connection import Connection
from penult.client.synchronous import Client
from penult.client.tries import Tries

if TYPE_CHECKING:
    import httpx

__all__ = ["AsyncClient"]

Answer = TypeVar("Answer")
P = ParamSpec("P")


class _Asking:
    """Takes the place of a `Client` in its methods, which then return what they would send."""

    def _send(self, call: Call[Answer]) -> Call[Answer]:
        return call


def _awaited(
    method: Callable[Concatenate[Client, P], Answer],
) -> Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, Answer]]:
    """Make of a method of `Client` the one of `AsyncClient`, which sends the same."""

    @functools.wraps(method)
    async def sent(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> Answer:
        asking = cast("Client", _Asking())
        call = cast("Call[Answer]", method(asking, *args, **kwargs))
        return await self._send(call)

    sent.__qualname__ = f"AsyncClient.{method.__name__}"
    return sent


class AsyncClient:
    """A client of the service that ``penult serve`` starts, for programs with an event loop.

    It has the methods of `Client`, with the same parameters, to be awaited, and is closed by
    ``async with`` or ``await client.close()``. It runs under asyncio and under trio. Photos are
    read, and encoded where that is needed, in a thread.

    Parameters
    ----------
    url : str
        The address of the service, ``"http://127.0.0.1:8000"``.
    token : str, optional
        The token that the service was started with.
    timeout : float or None
        As of `Client`.
    retries : int
        As of `Client`.
    transport : httpx.AsyncBaseTransport, optional
        What takes the place of the network, as httpx has it: ``httpx.ASGITransport`` for an
        application in the same process.

    Attributes
    ----------
    url : str
        The address of the service.

    Raises
    ------
    MissingExtraError
        If httpx is not installed.
    UsageError
        If an argument is wrong.
    """

    @checked
    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        timeout: float | None = 60.0,
        retries: int = 3,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        connection = Connection(url, token, timeout, retries)
        import httpx

        self.url, self._retries = connection.url, connection.retries
        self._http = httpx.AsyncClient(transport=transport, **connection.options())

    features = _awaited(Client.features)
    classify = _awaited(Client.classify)
    search = _awaited(Client.search)
    gallery = _awaited(Client.gallery)
    rows = _awaited(Client.rows)
    map = _awaited(Client.map)
    image = _awaited(Client.image)
    thumbnail = _awaited(Client.thumbnail)
    review = _awaited(Client.review)
    labels = _awaited(Client.labels)
    labels_csv = _awaited(Client.labels_csv)
    label = _awaited(Client.label)
    set_label = _awaited(Client.set_label)
    set_labels = _awaited(Client.set_labels)
    undo = _awaited(Client.undo)
    reload = _awaited(Client.reload)
    healthz = _awaited(Client.healthz)
    ready = _awaited(Client.ready)

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncClient({self.url!r})"

    async def _send(self, call: Call[Answer]) -> Answer:
        import anyio
        import httpx

        # A photo may lie on a slow disk, or have to be encoded.
        in_thread = bool(call.photos)
        arguments = (
            await anyio.to_thread.run_sync(call.arguments) if in_thread else call.arguments()
        )
        request = self._http.build_request(call.method, call.path, **arguments)
        tries = Tries(call, self._retries, self.url)
        while True:
            try:
                response = await self._http.send(request)
            except httpx.RequestError as error:
                wait: float | None = tries.after_error(error)
            else:
                wait = tries.after_answer(response)
            if wait is None:
                return call.read(response)
            await anyio.sleep(wait)
