"""The service over HTTP, in this process: from a socket that listens to an end in good order."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import uvicorn

from penult.errors import PenultError, UsageError
from penult.interface import option
from penult.serving.app import create_app
from penult.serving.http_protocol import HttpProtocol
from penult.serving.listening import Listening
from penult.serving.middleware.gate import drained
from penult.serving.reloading import reload
from penult.wording import count

if TYPE_CHECKING:
    from penult.serving.service import Service

__all__ = ["listen", "run"]

_KEEP_ALIVE = 30  # seconds
_STOPPING = ("SIGINT", "SIGTERM")


def listen(host: str, port: int) -> socket.socket:
    """Take a port.

    Parameters
    ----------
    host : str
        A name or an address.
    port : int
        0 for any that is free.

    Raises
    ------
    UsageError
        If it cannot be had.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        taken = socket.socket(family, kind, protocol)
        try:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(address)
            taken.listen(2048)
        except BaseException:
            taken.close()
            raise
    except (OSError, OverflowError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"the service cannot listen at {host}, port {port} ({why.lower()}); give another "
            f"{option('host')} or {option('port')}, of which 0 is any that is free"
        ) from None
    return taken


def run(
    service: Service, taken: socket.socket, *, on_ready: Callable[[Listening], None] | None = None
) -> None:
    """Serve until a signal comes, or `Listening.stop` is called.

    SIGTERM and SIGINT have it refuse new requests, answer those in progress, and end; a second one
    ends it at once. SIGHUP opens its files anew.

    Parameters
    ----------
    service : Service
        Its queue is closed at the end.
    taken : socket
        Which listens; closed at the end.
    on_ready : callable, optional
        Called once, when requests are answered.
    """
    config = uvicorn.Config(
        create_app(service),
        http=cast("type[HttpProtocol]", partial(HttpProtocol, refused=service.metrics.refused)),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE,
    )
    server = _Server(config, service, on_ready)
    log = logging.getLogger("uvicorn.error")
    log.addFilter(_is_no_ending)
    try:
        with _quiet("python_multipart"):
            server.run([taken])
    finally:
        log.removeFilter(_is_no_ending)
        taken.close()
        service.served.close()
        service.queue.close()


class _Server(uvicorn.Server):
    """One that refuses requests while those in progress are answered, before it stops to listen."""

    def __init__(
        self,
        config: uvicorn.Config,
        service: Service,
        on_ready: Callable[[Listening], None] | None,
    ) -> None:
        super().__init__(config)
        self._service, self._on_ready = service, on_ready
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked = 0
        self._tasks = set[asyncio.Task[None] | asyncio.Future[Any]]()

    def capture_signals(self) -> Any:
        return nullcontext()  # our own, see `_signals`

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        with _signals(self._loop, self._stop, self._reload):
            await super().serve(sockets)
            await self._leave()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._service.is_ready = True
        self._service.served.start()
        if self._on_ready is not None and sockets:
            self._on_ready(Listening(_url(sockets[0]), self.stop))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Since Python 3.12.1, uvicorn waits here for connections, whatever it was told of force.
        ending = asyncio.ensure_future(super().shutdown(sockets))
        while not ending.done():
            if self.force_exit:
                await self._leave()
            await asyncio.wait([ending], timeout=0.1)
        await ending

    def stop(self) -> None:
        """Have it end, from any thread."""
        assert self._loop is not None
        with suppress(RuntimeError):  # it has ended
            self._loop.call_soon_threadsafe(self._stop)

    def _stop(self) -> None:
        self._asked += 1
        if self._asked > 1:
            if self._asked == 2 and (left := self._service.in_progress):
                verb = "was" if left == 1 else "were"
                logging.getLogger("penult").warning(
                    "penult: stopped at once; %s %s not answered", count(left, "request"), verb
                )
            self.should_exit = self.force_exit = True
            return
        self._service.is_ready = False

        async def drain() -> None:
            await drained(self._service)
            self.should_exit = True

        self._keep(asyncio.ensure_future(drain()))

    def _reload(self) -> None:
        assert self._loop is not None
        self._keep(self._loop.run_in_executor(None, _reloaded, self._service))

    async def _leave(self) -> None:
        """End the requests and connections that a stop at once has not waited for.

        A client may still send, or take nothing, and the loop would end with its socket open.
        """
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # in which they are closed

    def _keep(self, task: asyncio.Future[Any]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _is_no_ending(record: logging.LogRecord) -> bool:
    """Leave out the traces of requests that a second signal has ended."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, asyncio.CancelledError)


def _reloaded(service: Service) -> None:
    try:
        reload(service)
    except PenultError:
        pass  # which `reload` has logged
    except Exception:
        logging.getLogger("penult").exception("penult: not reloaded")


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Log nothing of a library that tells what clients send wrong, which could fill a disk."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def _signals(
    loop: asyncio.AbstractEventLoop, stop: Callable[[], None], renew: Callable[[], None]
) -> Iterator[None]:
    """Have signals call these; as they were before, afterwards."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python hands signals to the main thread alone
        return
    wanted = dict.fromkeys(_STOPPING, stop) | {"SIGHUP": renew}
    before = {}
    for name, call in wanted.items():
        number = getattr(signal, name, None)
        if number is None:
            continue  # Windows lacks the last
        if call is stop and signal.getsignal(number) is signal.SIG_IGN:
            continue  # a shell has those in the background ignore them
        before[number] = signal.getsignal(number)
        try:
            loop.add_signal_handler(number, call)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_, call=call: loop.call_soon_threadsafe(call))
    try:
        yield
    finally:
        for number, handler in before.items():
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            signal.signal(number, handler)


def _url(taken: socket.socket) -> str:
    host, port = taken.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # nobody can call it by the first
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
