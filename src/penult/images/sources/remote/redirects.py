"""Web servers that send penult on to another address."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

import aiohttp

from penult.errors import ImageError
from penult.images.sources.remote.hosts import is_internal

__all__ = ["watch"]


@cache
def watch() -> aiohttp.TraceConfig:
    """Keep a server on the internet from leading into this machine or the network around it."""
    config = aiohttp.TraceConfig()
    config.on_request_redirect.append(_refuse_inside)
    return config


async def _refuse_inside(
    session: aiohttp.ClientSession, context: Any, about: aiohttp.TraceRequestRedirectParams
) -> None:
    here, target = about.response.url, about.response.headers.get("Location", "")
    try:
        there = here.join(type(here)(target))
    except ValueError:
        return  # no address: aiohttp says so
    if await _leads_inside(there.host or "") and not await _leads_inside(here.host or ""):
        about.response.close()
        raise ImageError(
            f"was not fetched: {here.host} redirects to {there.host}, an internal address; give "
            f"that address itself if it is meant"
        )


async def _leads_inside(host: str) -> bool:
    if is_internal(host):
        return True
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return False
    return any(is_internal(str(info[4][0])) for info in found)
