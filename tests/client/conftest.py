"""What tests of the client share: a service that is a function, and both clients of it."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec

import pytest

if find_spec("httpx"):
    import httpx

collect_ignore_glob = [] if find_spec("httpx") else ["test_*.py"]


class Asked(list):
    """Requests that a client has sent; `answers` says what each gets, the last one again and again."""

    def __init__(self):
        super().__init__()
        self.answers = []

    def __call__(self, request):
        request.read()
        self.append(request)
        answer = self.answers[min(len(self), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        # One that was read once is no more to be read.
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


class Waited:
    """`AsyncClient`, whose methods are waited for."""

    def __init__(self, client):
        self._client = client

    def __getattr__(self, name):
        method = getattr(self._client, name)
        return lambda *args, **named: asyncio.run(_awaited(method, args, named))


async def _awaited(method, args, named):
    return await method(*args, **named)


@pytest.fixture
def asked():
    return Asked()


@pytest.fixture
def waits(monkeypatch):
    """The seconds that a client would have waited."""
    import anyio

    waited = []

    async def sleep(seconds):
        waited.append(seconds)

    monkeypatch.setattr("time.sleep", waited.append)
    monkeypatch.setattr(anyio, "sleep", sleep)
    return waited


@pytest.fixture(params=["Client", "AsyncClient"])
def opened(request, asked):
    """A function that opens a client of the service `asked`: each of the two kinds in turn."""
    import penult

    def open_it(url="http://service.test", **options):
        client = getattr(penult, request.param)(
            url, transport=httpx.MockTransport(asked), **options
        )
        return client if request.param == "Client" else Waited(client)

    return open_it
