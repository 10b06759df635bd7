"""The app: its routes, its errors, and what stands in front of them."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from penult import __version__
from penult.serving import problems
from penult.serving.body_sentences import FORM_OVERHEAD
from penult.serving.middleware.access_log import AccessLog
from penult.serving.middleware.body_limits import BodyLimits
from penult.serving.middleware.gate import Gate
from penult.serving.middleware.guard import Guard
from penult.serving.middleware.joint_bodies import JointBodies
from penult.serving.middleware.request_metrics import Measured
from penult.serving.routes import (
    classify,
    features,
    gallery,
    gallery_rows,
    health,
    images,
    labels,
    map,
    metrics,
    page,
    reloading,
    review,
    search,
    session,
)

if TYPE_CHECKING:
    from penult.serving.service import Service

__all__ = ["create_app"]

_ROUTERS = (
    features.router,
    classify.router,
    search.router,
    gallery.router,
    gallery_rows.router,
    map.router,
    review.router,
    health.router,
    reloading.router,
    images.router,
    labels.router,
    metrics.router,
    session.router,
    page.router,
)
"""Each from a service to its routes, with their whole paths."""


def create_app(service: Service) -> FastAPI:
    """Make the app of a service.

    Parameters
    ----------
    service : Service

    Returns
    -------
    FastAPI
        An ASGI app. It neither opens nor closes what is served.
    """
    # FastAPI's own pages of documentation load scripts from elsewhere. An address with a slash too
    # many is none of ours: a redirect would lead past a proxy's TLS, which is not known of here.
    app = FastAPI(
        title="penult",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    # Taken as they are: `include_router` makes them once more, with new versions at the first
    # request, where threads that also change Python's warnings may have FastAPI's become errors.
    for router in _ROUTERS:
        app.routes.extend(_with_head(router(service)).routes)
    app.add_api_route(
        "/v1/openapi.json",
        lambda: JSONResponse(app.openapi()),
        methods=["GET", "HEAD"],
        include_in_schema=False,
    )
    problems.install(app)
    # The last that is added stands in front of the others: who may not ask takes no place.
    options = service.options
    app.add_middleware(BodyLimits, max_bytes=options.max_bytes, seconds=options.timeout)
    app.add_middleware(JointBodies, max_bytes=options.max_total_bytes + FORM_OVERHEAD)
    app.add_middleware(Gate, service=service)
    app.add_middleware(Guard, rules=options.access)
    app.add_middleware(Measured, metrics=service.metrics)
    if options.access_log:
        app.add_middleware(AccessLog)
    return app


def _with_head(routes: APIRouter) -> APIRouter:
    """Have what answers GET answer HEAD; the server sends no body with that."""
    made = [one for one in routes.routes if isinstance(one, APIRoute)]
    own = {one.path for one in made if "HEAD" in (one.methods or ())}
    for one in made:
        if "GET" in (one.methods or ()) and one.path not in own:
            head = copy(one)  # making it anew costs as much as the GET
            head.methods, head.include_in_schema = {"HEAD"}, False
            routes.routes.append(head)
    return routes
