"""What a route needs and may not be there: the gallery, and what is worked out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from penult.errors import PenultError
from penult.serving.gallery.background import NotReadyError
from penult.serving.gallery.held import too_large
from penult.serving.problems import ProblemError

if TYPE_CHECKING:
    from penult.serving.gallery.background import Later
    from penult.serving.gallery.collection import Collection
    from penult.serving.models.gallery import ServedGallery
    from penult.serving.service import Service

__all__ = ["require_collection", "require_gallery", "require_held", "require_result"]

Result = TypeVar("Result")


def require_gallery(service: Service) -> ServedGallery:
    """Get the gallery that is served at present.

    Raises
    ------
    ProblemError
        404, if there is none.
    """
    found = service.served.gallery
    if found is None:
        raise ProblemError(404, "this service has no gallery")
    return found


def require_held(service: Service) -> Collection:
    """Get what is known of all rows of the gallery.

    Raises
    ------
    ProblemError
        404, if there is no gallery, or it is a table of too many rows.
    """
    gallery = require_gallery(service)
    if gallery.collection is None:
        raise ProblemError(404, too_large(gallery.size))
    return gallery.collection


def require_collection(service: Service) -> Collection:
    """Get what is known of the gallery beyond its rows, or will be.

    Raises
    ------
    ProblemError
        As `require_held` does.
    """
    found = require_held(service)
    found.start()
    return found


def require_result(later: Later[Result]) -> Result:
    """Get what is worked out in the background.

    Raises
    ------
    ProblemError
        503, if it is not there yet; 404, if there is none of this gallery.
    """
    try:
        return later.get()
    except NotReadyError as error:
        raise ProblemError(503, str(error), {"Retry-After": str(error.seconds)}) from None
    except PenultError as error:
        raise ProblemError(404, str(error)) from None
