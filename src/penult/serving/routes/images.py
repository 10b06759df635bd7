"""The gallery's images and small pictures of them, by their ids alone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Header, Response
from fastapi.concurrency import run_in_threadpool

from penult.errors import ImageError
from penult.serving.gallery.images import NoImage, StoredImage
from penult.serving.id_in_path import IMAGE_ID
from penult.serving.problems import ProblemError
from penult.serving.require import unknown_images
from penult.serving.schemas.problem import PROBLEMS

if TYPE_CHECKING:
    from penult.serving.models.gallery import ServedGallery
    from penult.serving.service import Service

__all__ = ["router"]

_PRIVATE = "private, max-age=3600"
# A picture that is a page of its own, as an SVG would be, may do nothing.
_SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"


def router(service: Service) -> APIRouter:
    """Make the routes of images and thumbnails."""
    routes = APIRouter(prefix="/v1", tags=["gallery"], responses=PROBLEMS)

    # The server sends no body with the answer to HEAD.
    @routes.head(f"/images/{IMAGE_ID}", include_in_schema=False)
    @routes.get(
        f"/images/{IMAGE_ID}",
        name="image",
        response_class=Response,
        responses=_answers("image/*"),
    )
    async def image(image_id: str, if_none_match: Annotated[str, Header()] = "") -> Response:
        """Send an image's file as it is."""
        gallery = await _with(service.served.gallery, image_id)
        known = gallery.photos.content(image_id)
        if known and _is_among(known, if_none_match):
            return _unchanged(known)
        found = await run_in_threadpool(gallery.photos.read, image_id)
        if isinstance(found, NoImage):
            raise _missing(image_id, found)
        if _is_among(found.content, if_none_match):
            return _unchanged(found.content)
        name = quote(image_id.rpartition("/")[2])
        return Response(
            found.data,
            media_type=_media_type(found),
            headers={
                "ETag": f'"{found.content}"',
                "Cache-Control": _PRIVATE,
                "Content-Security-Policy": _SANDBOX,
                "Content-Disposition": f"inline; filename*=UTF-8''{name}",
            },
        )

    @routes.head(f"/thumbnails/{IMAGE_ID}", include_in_schema=False)
    @routes.get(
        f"/thumbnails/{IMAGE_ID}",
        name="thumbnail",
        response_class=Response,
        responses=_answers("image/jpeg"),
    )
    async def thumbnail(image_id: str, if_none_match: Annotated[str, Header()] = "") -> Response:
        """Send a small JPEG picture of an image, of at most 256 pixels a side."""
        gallery = await _with(service.served.gallery, image_id)
        known = gallery.photos.content(image_id)
        tag = f"{known}-256" if known else ""
        if tag and _is_among(tag, if_none_match):
            return _unchanged(tag)
        # Others may wait for the same picture: it is made even if this request is given up.
        found = await asyncio.shield(asyncio.wrap_future(gallery.thumbnails.get(image_id)))
        if isinstance(found, NoImage):
            raise _missing(image_id, found)
        headers = {"Cache-Control": _PRIVATE, "Content-Security-Policy": _SANDBOX}
        if tag:
            headers["ETag"] = f'"{tag}"'
        return Response(found, media_type="image/jpeg", headers=headers)

    return routes


def _answers(kind: str) -> dict[int | str, dict[str, Any]]:
    file = {"schema": {"type": "string", "format": "binary"}}
    return {200: {"content": {kind: file}}, 304: {"description": "It has not changed."}}


async def _with(gallery: ServedGallery | None, image_id: str) -> ServedGallery:
    if gallery is None:
        raise ProblemError(404, "there is no gallery here, and so no images")
    if not (
        gallery.photos.holds(image_id) or await run_in_threadpool(gallery.photos.has, image_id)
    ):
        raise await run_in_threadpool(unknown_images, gallery.held, [image_id])
    return gallery


def _missing(image_id: str, why: NoImage) -> ProblemError:
    return ProblemError(410 if why.changed else 404, f"{image_id} {why.reason}")


def _is_among(tag: str, if_none_match: str) -> bool:
    tags = [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    return f'"{tag}"' in tags or "*" in tags


def _unchanged(tag: str) -> Response:
    return Response(status_code=304, headers={"ETag": f'"{tag}"', "Cache-Control": _PRIVATE})


def _media_type(image: StoredImage) -> str:
    from PIL import Image

    from penult.images.pixels.formats import open_header

    try:
        kind = open_header(image.data).format
    except ImageError:
        kind = None
    return Image.MIME.get(kind or "", "application/octet-stream")
