"""The client of a program that does other things while it waits for answers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from penult.checking import checked
from penult.client import calls
from penult.client.answers import (
    Classified,
    Found,
    GalleryInfo,
    GalleryMap,
    GalleryRows,
    LabelChanges,
    LabelEntries,
    LabelEntry,
    LabelHistory,
    PhotoRows,
    ReviewQueue,
)
from penult.client.call import Call
from penult.client.connection import Connection
from penult.client.synchronous import Client
from penult.client.tries import Tries

if TYPE_CHECKING:
    import httpx

__all__ = ["AsyncClient"]

Answer = TypeVar("Answer")
Method = TypeVar("Method", bound=Callable[..., Any])


def _twin_of(method: Callable[..., Any]) -> Callable[[Method], Method]:
    """Give a method the docstring of its twin in `Client`, which the reference shows once."""

    def described(twin: Method) -> Method:
        twin.__doc__ = inspect.getdoc(method)
        return twin

    return described


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

    @_twin_of(Client.features)
    async def features(self, *photos: Any) -> PhotoRows:
        return await self._send(calls.features(photos))

    @_twin_of(Client.classify)
    async def classify(self, photo: Any, top: int | None = None) -> Classified:
        return await self._send(calls.classify(photo, top))

    @_twin_of(Client.search)
    async def search(
        self,
        photo: Any = None,
        *,
        id: str | None = None,
        row: Sequence[float] | None = None,
        recipe_sha256: str | None = None,
        k: int = 10,
        offset: int = 0,
        filters: str | Iterable[str] = (),
    ) -> Found:
        return await self._send(calls.search(photo, id, row, recipe_sha256, k, offset, filters))

    @_twin_of(Client.gallery)
    async def gallery(self) -> GalleryInfo:
        return await self._send(calls.gallery())

    @_twin_of(Client.rows)
    async def rows(
        self,
        *,
        label: str | None = None,
        cluster: int | None = None,
        query: str | None = None,
        offset: int = 0,
        limit: int = 100,
    ) -> GalleryRows:
        return await self._send(calls.rows(label, cluster, query, offset, limit))

    @_twin_of(Client.map)
    async def map(self) -> GalleryMap:
        return await self._send(calls.gallery_map())

    @_twin_of(Client.image)
    async def image(self, id: str) -> bytes:
        return await self._send(calls.image(id))

    @_twin_of(Client.thumbnail)
    async def thumbnail(self, id: str) -> bytes:
        return await self._send(calls.thumbnail(id))

    @_twin_of(Client.review)
    async def review(
        self, kind: Literal["errors", "unsure"] = "errors", *, offset: int = 0, limit: int = 100
    ) -> ReviewQueue:
        return await self._send(calls.review(kind, offset, limit))

    @_twin_of(Client.labels)
    async def labels(self, *, offset: int = 0, limit: int = 100) -> LabelChanges:
        return await self._send(calls.labels(offset, limit))

    @_twin_of(Client.labels_csv)
    async def labels_csv(self) -> bytes:
        return await self._send(calls.labels_csv())

    @_twin_of(Client.label)
    async def label(self, id: str) -> LabelHistory:
        return await self._send(calls.label(id))

    @_twin_of(Client.set_label)
    async def set_label(self, id: str, label: str | None, who: str | None = None) -> LabelEntry:
        return await self._send(calls.set_label(id, label, who))

    @_twin_of(Client.set_labels)
    async def set_labels(
        self, ids: Sequence[str], label: str | None, who: str | None = None
    ) -> LabelEntries:
        return await self._send(calls.set_labels(ids, label, who))

    @_twin_of(Client.undo)
    async def undo(
        self, *, entry: int | None = None, batch: int | None = None, who: str | None = None
    ) -> LabelEntries:
        return await self._send(calls.undo(entry, batch, who))

    @_twin_of(Client.reload)
    async def reload(self) -> str:
        return await self._send(calls.reload())

    @_twin_of(Client.healthz)
    async def healthz(self) -> bool:
        return await self._send(calls.healthz())

    @_twin_of(Client.ready)
    async def ready(self) -> bool:
        return await self._send(calls.ready())

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
