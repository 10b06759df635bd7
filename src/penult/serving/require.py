"""What a route needs and may not be there: the gallery, and what is worked out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from penult.errors import PenultError
from penult.serving.gallery.background import NotReadyError
from penult.serving.gallery.held import too_large
from penult.serving.problems import ProblemError
from penult.spelling import in_other_case
from penult.wording import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penult.retrieve.search.gallery import Gallery
    from penult.serving.gallery.background import Later
    from penult.serving.gallery.collection import Collection
    from penult.serving.models.gallery import ServedGallery
    from penult.serving.service import Service

__all__ = [
    "require_collection",
    "require_gallery",
    "require_held",
    "require_result",
    "unknown_images",
]

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


def unknown_images(held: Gallery | None, unknown: Sequence[str], asked: int = 1) -> ProblemError:
    """Make the answer, 404, to ids of images that the gallery does not have.

    It goes through all ids, in search of one that differs in capitals alone.

    Parameters
    ----------
    held : Gallery or None
        All its rows; None of a table that is too large to be held.
    unknown : sequence of str
        One at least.
    asked : int
        How many ids there were with those that it has.
    """
    of = "the id" if len(unknown) == 1 else f"{len(unknown):,} of the {asked:,} ids:"
    said = f"the gallery has no image of {of} {listed(map(repr, unknown), 3)}"
    if held is None:
        return ProblemError(404, said)
    meant = in_other_case(unknown[:1], held.places)
    hint = "/v1/gallery/rows?q=TEXT lists those whose ids contain a text"
    if meant:
        hint = f"did you mean {meant[unknown[0]]!r}? Capitals count"
    return ProblemError(404, f"{said}; {hint}")
