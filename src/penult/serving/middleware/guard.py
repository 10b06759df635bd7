"""What stands in front of the routes: who is let in, and what a browser is told to heed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from penult.serving.access import AccessRules
from penult.serving.problems import problem
from penult.serving.security_headers import security_headers

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Guard"]


class Guard:
    """Middleware that refuses what `AccessRules` refuse, and adds `security_headers` to answers.

    Parameters
    ----------
    app : ASGI application
        What answers.
    rules : AccessRules
        What a request has to show.
    """

    def __init__(self, app: ASGIApp, rules: AccessRules) -> None:
        self._app, self._rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        safe = security_headers(scope["path"])

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                stated = {name.lower() for name, _ in message["headers"]}
                added = [(name.lower().encode(), value.encode()) for name, value in safe.items()]
                extra = [one for one in added if one[0] not in stated]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        address = (scope.get("client") or (None,))[0]
        refused = self._rules.refusal(scope["method"], scope["path"], _headers(scope), address)
        if refused is None:
            await self._app(scope, receive, with_headers)
            return
        told = problem(refused.status, refused.detail, refused.headers)
        await told(scope, receive, with_headers)


def _headers(scope: Scope) -> Mapping[str, str]:
    # One that was sent twice is joined, and then neither a host nor a token.
    found: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
        between = ";" if name == "cookie" else ","
        found[name] = f"{found[name]}{between}{text}" if name in found else text
    return found
