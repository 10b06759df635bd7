"""A session of a browser, which cannot send a token with every picture that it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from penult.serving.access import SESSION_COOKIE
from penult.serving.json_body import JsonRoute
from penult.serving.problems import ProblemError
from penult.serving.schemas.problem import PROBLEMS
from penult.serving.schemas.session import SessionAnswer, Token

if TYPE_CHECKING:
    from penult.serving.service import Service

__all__ = ["router"]


def router(service: Service) -> APIRouter:
    """Make the routes of sessions."""
    routes = APIRouter(
        prefix="/v1/session", tags=["session"], responses=PROBLEMS, route_class=JsonRoute
    )
    rules = service.options.access

    @routes.get("", name="session", response_model=SessionAnswer)
    def look(request: Request) -> dict[str, Any]:
        """Say whether a token is needed, and whether this request has shown one."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        refused = rules.refusal("GET", "/v1/labels", headers, _address(request))
        return {"token_needed": rules.token is not None, "open": refused is None}

    @routes.post("", name="open session", response_model=SessionAnswer)
    def begin(body: Token, request: Request, response: Response) -> dict[str, Any]:
        """Open a session with the token; the answer sets a cookie that scripts cannot read."""
        refused = rules.wrong_token(body.token, _address(request))
        if refused is not None:
            raise ProblemError(refused.status, refused.detail, refused.headers)
        response.set_cookie(
            SESSION_COOKIE,
            rules.session,
            httponly=True,
            samesite="strict",
            secure=_came_by_tls(request),
        )
        return {"token_needed": rules.token is not None, "open": True}

    @routes.delete("", name="end session", response_model=SessionAnswer)
    def end(response: Response) -> dict[str, Any]:
        """Have the browser forget the session."""
        response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
        return {"token_needed": rules.token is not None, "open": rules.token is None}

    return routes


def _address(request: Request) -> str | None:
    return None if request.client is None else request.client.host


def _came_by_tls(request: Request) -> bool:
    # A proxy that ends TLS says so. A client that says so by itself only restricts its own cookie.
    proto = request.headers.get("x-forwarded-proto", "")
    return "https" in (request.url.scheme, proto.strip().lower())
