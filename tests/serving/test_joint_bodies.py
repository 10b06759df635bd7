"""What the bodies of all requests may take together."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from serving_client import Client, photo, refused
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from penult.errors import UsageError
from penult.serving.app import create_app
from penult.serving.middleware.joint_bodies import JointBodies
from penult.serving.options import ServiceOptions

pytestmark = pytest.mark.light


def test_a_body_is_refused_while_others_have_the_room_and_taken_afterwards():
    async def run():
        go = asyncio.Event()

        async def echo(request):
            body = await request.body()
            if body.startswith(b"slow"):
                await go.wait()
            return PlainTextResponse(str(len(body)))

        async def pieces(size):
            for _ in range(size):
                yield b"x"

        app = Starlette(routes=[Route("/", echo, methods=["GET", "POST"])])
        app.add_middleware(JointBodies, max_bytes=10)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
            slow = asyncio.create_task(client.post("/", content=b"slow.."))
            await asyncio.sleep(0.05)
            there = [await client.post("/", content=b"1234"), await client.get("/")]
            said = await client.post("/", content=b"12345")
            streamed = await client.post("/", content=pieces(5))
            go.set()
            whole = await slow
            later = [
                (await client.post("/", content=body)).text
                for body in (b"12345", pieces(10), b"x" * 11)
            ]
        return there, (said, streamed), whole.text, later

    there, over, whole, later = asyncio.run(run())
    assert [one.text for one in there] == ["4", "0"]
    for one in over:
        assert one.status_code == 503
        assert one.headers["retry-after"] == "1"
        assert "bytes already, of 10 that they may have together; try again in 1 s" in one.text
    assert whole == "6"
    # One alone is bounded by itself, elsewhere.
    assert later == ["5", "10", "11"]


def test_the_service_says_so_as_a_problem(serve, gallery):
    sent = photo((1, 2, 3)).ljust(60_000, b"\0")
    service = serve(gallery=gallery, max_bytes=60_000, max_total_bytes=60_000)
    asked = [("POST", "/v1/features", {"content": sent})] * 3  # and 64 KB for forms: two have room
    answers = Client(create_app(service)).together(asked)
    assert sorted(one.status_code for one in answers) == [200, 200, 503]
    refused(max(answers, key=lambda one: one.status_code), 503, "try again in 1 s")


def test_room_for_less_than_one_body_is_refused():
    with pytest.raises(UsageError, match="max_total_bytes=10 leaves no room for one body of 20"):
        ServiceOptions(max_bytes=20, max_total_bytes=10)
