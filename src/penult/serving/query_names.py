"""Names in the query of a request, as in ``?top=3``, of which a misspelt one is refused."""

from __future__ import annotations

from fastapi import Request
from fastapi.routing import APIRoute

from penult.serving.problems import ProblemError

__all__ = ["require_known_names"]


async def require_known_names(request: Request) -> None:
    """Refuse a request with a name in its query that its route does not have.

    Raises
    ------
    ProblemError
        422; says which there are.
    """
    # A coroutine, although nothing is awaited: FastAPI would call a function in a thread.
    route = request.scope["route"]
    assert isinstance(route, APIRoute)
    allowed = [one.alias for one in route.dependant.query_params]
    unknown = next((one for one in request.query_params if one not in allowed), None)
    if unknown is not None:
        which = f"allowed: {', '.join(allowed)}" if allowed else "there are none here"
        raise ProblemError(422, f"the query has an unknown name {unknown[:80]!r}; {which}")
