"""Photos to send, and a client of a service in this process."""

from __future__ import annotations

import asyncio
import io

import httpx
from PIL import Image

import penult
from penult.serving.app import create_app

COLOURS = {"daisy": (240, 240, 220), "rose": (170, 20, 40), "tulip": (240, 180, 30)}


def photo(colour, size=(16, 12), kind="PNG", **options) -> bytes:
    """The file of a photo of one colour."""
    Image.new("RGB", size, tuple(colour)).save(file := io.BytesIO(), kind, **options)
    return file.getvalue()


class Client:
    """Asks an app without a network; each call in a loop of its own."""

    def __init__(self, app, address="127.0.0.1"):
        self.app, self.address = app, address

    def request(self, method, path, **options) -> httpx.Response:
        (answer,) = self.together([(method, path, options)])
        return answer

    def get(self, path, **options) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path, **options) -> httpx.Response:
        return self.request("POST", path, **options)

    def put(self, path, **options) -> httpx.Response:
        return self.request("PUT", path, **options)

    def together(self, requests) -> list[httpx.Response]:
        """The answers to requests that are sent at the same time: (method, path, options) each."""

        async def run():
            transport = httpx.ASGITransport(
                self.app, raise_app_exceptions=False, client=(self.address, 40000)
            )
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as it:
                each = [it.request(method, path, **options) for method, path, options in requests]
                return await asyncio.gather(*each)

        return asyncio.run(run())


def ask(service, question, *, retries=0):
    """What `question` returns of a `penult.AsyncClient` of a service in this process."""

    async def run():
        transport = httpx.ASGITransport(create_app(service))
        url = "http://127.0.0.1"
        async with penult.AsyncClient(url, transport=transport, retries=retries) as client:
            return await question(client)

    return asyncio.run(run())


def refused(answer, status: int, *words: str) -> dict:
    """The problem that an answer is: of this status, one sentence with these words in it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told.keys() == {"type", "title", "status", "detail"}
    assert told["status"] == status
    for word in words:
        assert word in told["detail"], told
    assert "Traceback" not in answer.text
    assert "\n" not in told["detail"]
    return told
