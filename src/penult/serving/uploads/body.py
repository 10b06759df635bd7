"""The photos of a request: its body read with limits, no further than they allow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any

from python_multipart.exceptions import FormParserError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from penult.errors import ImageError
from penult.records import ImageRecord
from penult.serving.body_sentences import FORM_OVERHEAD, too_large, too_slow
from penult.serving.invalid_requests import shown_json
from penult.serving.joint_room import take_of
from penult.serving.json_body import read_object
from penult.serving.problems import ProblemError
from penult.serving.uploads.remote_photo import fetch_photo
from penult.wording import count

if TYPE_CHECKING:
    from starlette.requests import Request

    from penult.serving.options import ServiceOptions

__all__ = ["FIELDS", "Body", "read_body", "read_photos", "require_one"]

FIELDS = ("file", "files", "image", "photo")
"""Names of fields of a form that a photo may have."""

_FORM = "multipart/form-data"
_RAW = ("application/octet-stream", "application/x-www-form-urlencoded")  # the second is curl's own
_FETCHING = ThreadPoolExecutor(32, thread_name_prefix="fetch")
"""Of their own: hosts may be slow, and other threads are waited for."""
_ZIP = "is a zip archive, not a photo; send its photos one by one"


@dataclass(frozen=True)
class Body:
    """What came with a request.

    Attributes
    ----------
    photos : sequence of ImageRecord
        In their order.
    data : mapping or None
        Of JSON, where that came.
    """

    photos: Sequence[ImageRecord] = ()
    data: dict[str, Any] | None = None


async def read_photos(request: Request, options: ServiceOptions) -> Sequence[ImageRecord]:
    """Read the photos of a request that is about nothing else.

    Raises
    ------
    ProblemError
        As `read_body` does; and if there is none.
    """
    body = await read_body(request, options)
    if body.data is not None:
        raise ProblemError(422, 'the JSON has no address of a photo; send {"url": "https://…"}')
    if not body.photos:
        raise ProblemError(
            400,
            "no photo was sent; send its bytes as the body (Content-Type: image/jpeg), or as the "
            f"field {FIELDS[0]!r} of a form (multipart/form-data)",
        )
    return body.photos


def require_one(photos: Sequence[ImageRecord]) -> ImageRecord:
    """Refuse several photos where one is meant.

    Raises
    ------
    ProblemError
    """
    if len(photos) > 1:
        raise ProblemError(422, f"{count(len(photos), 'photo')} were sent; send one")
    return photos[0]


async def read_body(request: Request, options: ServiceOptions) -> Body:
    """Read the body of a request.

    Parameters
    ----------
    request : Request
    options : ServiceOptions

    Returns
    -------
    Body
        One photo of raw bytes, those of a form, or JSON.

    Raises
    ------
    ProblemError
        If it is too large, takes too long, is malformed, or is of another type.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    limit = options.max_bytes
    try:
        async with asyncio.timeout(options.timeout or None):
            if kind == _FORM:
                return Body(await _of_form(request, options))
            if kind == "application/json":
                data = read_object(await _whole(request, limit))
                if "url" in data:
                    return Body([await _of_address(request, data, options)])
                return Body(data=data)
            raw = await _whole(request, limit)
    except TimeoutError:
        raise ProblemError(408, too_slow(options.timeout)) from None
    except ClientDisconnect:
        raise ProblemError(400, "the connection ended before the body did") from None
    if not raw:
        return Body()
    if kind and not kind.startswith("image/") and kind not in _RAW and not _is_zip(raw):
        raise ProblemError(
            415,
            f"a body of type {kind} was sent; allowed: image/jpeg and other image types, "
            "application/octet-stream, multipart/form-data",
        )
    return Body([_record("the photo", raw)])


async def _of_address(
    request: Request, data: dict[str, Any], options: ServiceOptions
) -> ImageRecord:
    url = data["url"]
    if set(data) != {"url"} or not isinstance(url, str):
        told = "more than an address" if len(data) > 1 else f"the address {shown_json(url)}"
        raise ProblemError(422, f'the JSON has {told}; send {{"url": "https://…"}}')
    if not options.allow_urls:
        raise ProblemError(403, "this service fetches no addresses; send the photo itself")
    fetched = await asyncio.wrap_future(
        _FETCHING.submit(
            fetch_photo,
            url,
            max_bytes=options.max_bytes,
            timeout=options.timeout or None,
            take=take_of(request.scope),
        )
    )
    return _record("the photo", fetched)


async def _of_form(request: Request, options: ServiceOptions) -> list[ImageRecord]:
    parser = _InMemory(
        request.headers,
        _limited(request, options.max_bytes + FORM_OVERHEAD, options.max_bytes),
        max_files=options.max_parts,
        max_fields=options.max_parts,
        max_part_size=FORM_OVERHEAD,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if parser.is_over:
            raise _too_many(options) from None
        raise ProblemError(400, f"the form cannot be read: {error.message}") from None
    except FormParserError:  # newer versions of Starlette say it by the other
        parser.close()
        raise ProblemError(400, "the form cannot be read: Invalid multipart data.") from None
    if parser.is_cut:
        parser.close()
        raise ProblemError(400, "the form ends before its last photo does; send it again")
    try:
        sent = [await _of_field(name, value, options) for name, value in form.multi_items()]
    finally:
        await form.close()
    if all(_is_zip(data) for _, data in sent):
        return [_record(name, data) for name, data in sent]
    # One among others is a failure of its own, as a text is.
    return [
        ImageRecord(name, _refused) if _is_zip(data) else _record(name, data) for name, data in sent
    ]


async def _of_field(
    name: str, value: UploadFile | str, options: ServiceOptions
) -> tuple[str, bytes]:
    if name not in FIELDS:
        raise ProblemError(400, f"the form has a field {name[:80]!r}; allowed: {', '.join(FIELDS)}")
    if not isinstance(value, UploadFile):
        raise ProblemError(
            400, f"the field {name!r} is text; send a file: curl -F {name}=@photo.jpg, for instance"
        )
    data = await value.read()
    if len(data) > options.max_bytes:
        raise _too_large(options.max_bytes)
    return value.filename or "the photo", data


class _InMemory(MultiPartParser):
    """Photos stay in memory, where the limit of bytes holds, and nothing is written to disk."""

    spool_max_size = 1 << 62
    is_cut = False
    """Whether a part has begun, and the end of the form has not come."""

    @property
    def is_over(self) -> bool:
        """Whether there were more photos, or other fields, than may be."""
        return self._current_files > self.max_files or self._current_fields > self.max_fields

    def on_part_begin(self) -> None:
        """Note that there is something."""
        super().on_part_begin()
        self.is_cut = True

    def close(self) -> None:
        """Let go of all parts, those that are not whole among them."""
        for file in self._files_to_close_on_error:
            file.close()

    def on_end(self) -> None:
        """Note that it is whole."""
        self.is_cut = False


async def _whole(request: Request, limit: int) -> bytes:
    return b"".join([piece async for piece in _limited(request, limit, limit)])


async def _limited(request: Request, limit: int, told: int) -> AsyncGenerator[bytes, None]:
    """Read a body, and no more of it than is allowed."""
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length) > limit:
        raise _too_large(told)
    read = 0
    async for piece in request.stream():
        read += len(piece)
        if read > limit:
            raise _too_large(told)
        yield piece


def _too_large(limit: int) -> ProblemError:
    # The rest of the body is not read, so that the connection cannot be used again.
    return ProblemError(413, too_large(limit, "send a smaller photo"), {"Connection": "close"})


def _too_many(options: ServiceOptions) -> ProblemError:
    return ProblemError(
        413,
        f"the form has more than {count(options.max_parts, 'photo')}, the most that is allowed; "
        "send them in several requests",
        {"Connection": "close"},
    )


def _record(name: str, data: bytes) -> ImageRecord:
    if _is_zip(data):
        raise ProblemError(415, f"{name} {_ZIP}")
    return ImageRecord(name, partial(BytesIO, data))


def _refused() -> BytesIO:
    raise ImageError(_ZIP)


def _is_zip(data: bytes) -> bool:
    return data[:4] in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
