"""From a record to the pixels the network sees."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Sequence
from typing import BinaryIO, TypeVar

from PIL import Image

from penult.errors import ImageError, PenultError
from penult.images.in_memory import MemoryRecord
from penult.images.pixels.decode import MAX_PIXELS, Size, decoded, decoded_alike
from penult.messages import first_line
from penult.records import ImageRecord

__all__ = ["digest_of", "read_bytes", "read_image", "read_pixels"]

Made = TypeVar("Made")

_DIGEST_BYTES = 16
_PIECE = 1 << 16


def read_pixels(
    record: ImageRecord,
    transform: Callable[[Image.Image], Made],
    *,
    max_pixels: int = MAX_PIXELS,
    allow_truncated: bool = False,
    at_least: tuple[int, int] | None = None,
    known: Callable[[str], bool] | None = None,
) -> tuple[Made | None, str]:
    """Read, decode and transform one image; `read_image` for what needs the digest as well.

    Parameters
    ----------
    record, max_pixels, allow_truncated, at_least, known
        As for `read_image`.
    transform : callable
        From a Pillow image to the pixels; usually a `Transform`, which makes uint8 (H, W, 3), RGB.

    Returns
    -------
    pixels, content
        As for `read_image`.

    Raises
    ------
    ImageError
        Whatever the reason.
    """
    made, content = read_image(
        record,
        lambda image, *_: transform(image),
        max_pixels=max_pixels,
        allow_truncated=allow_truncated,
        at_least=[at_least],
        known=known,
    )
    return (made[0] if made else None), content


def read_image(
    record: ImageRecord,
    use: Callable[[Image.Image, str, Sequence[Size]], Made],
    *,
    max_pixels: int = MAX_PIXELS,
    allow_truncated: bool = False,
    at_least: Sequence[Size] = (None,),
    known: Callable[[str], bool] | None = None,
) -> tuple[list[Made], str]:
    """Read and decode one image, and make something of it; safe to call from any thread.

    It is read once, and decoded once, or as often as the sizes that are asked for make another
    image of it.

    Parameters
    ----------
    record : ImageRecord
        The image; it is opened once.
    use : callable
        From a Pillow image of mode RGB, the digest of its bytes, and those of `at_least` that the
        image is for, to what is wanted.
    max_pixels : int
        The most pixels that an image may have; see `decode`.
    allow_truncated : bool
        Whether to take what can be decoded of a damaged file; see `decode`.
    at_least : sequence of (int, int) or None
        The smallest sizes that a JPEG may be decoded at, each once; see `decode`.
    known : callable, optional
        Whether all that is wanted of an image with this digest is known; it is not decoded then.

    Returns
    -------
    made : list
        What `use` makes, of each decoding; empty where `known` said yes.
    content : str
        Hex BLAKE2b-128 digest of the file's bytes, 32 characters; empty where there is no file.

    Raises
    ------
    ImageError
        Whatever the reason: deleted meanwhile, no permission, not a file, too large, not an image.
    """
    if isinstance(record, MemoryRecord):
        return [use(record.to_rgb(), "", at_least)], ""
    data = read_bytes(record, max_pixels=max_pixels)
    content = digest_of(data)
    if known is not None and known(content):
        return [], content
    made = []
    for sizes in decoded_alike(data, at_least):
        # One after the other: a thread holds memory for one image at a time.
        with decoded(
            data, max_pixels=max_pixels, allow_truncated=allow_truncated, at_least=sizes[0]
        ) as image:
            made.append(use(image, content, sizes))
    return made, content


def digest_of(data: bytes) -> str:
    """Hex BLAKE2b-128 digest, 32 characters: what a feature file knows an image's bytes by."""
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES).hexdigest()


def read_bytes(record: ImageRecord, *, max_pixels: int = MAX_PIXELS) -> bytes:
    """Read the file of an image.

    Parameters
    ----------
    record : ImageRecord
        An image in a file, or the like.
    max_pixels : int
        The most pixels that an image may have.

    Returns
    -------
    bytes
        All of the file.

    Raises
    ------
    ImageError
        Whatever the reason, as for `read_pixels`.
    """
    # Four 16-bit channels of every pixel and ample metadata. A larger file is no such image, and
    # reading it would fill the memory.
    limit = 8 * max_pixels + 2**26
    try:
        with record.open() as file:
            data = _up_to(file, limit + 1)
    except OSError as error:
        raise ImageError(_why_unreadable(error)) from error
    except MemoryError:
        raise ImageError("needs more memory to read than there is") from None
    except PenultError:
        raise
    except Exception as error:
        # A source may be anybody's: one image that it cannot open is not the end of a run.
        reason = f"{type(error).__name__}: {first_line(error)}"
        raise ImageError(f"cannot be read ({reason})") from error
    if len(data) > limit:
        raise ImageError(f"is larger than {limit:,} bytes, too large for an image")
    return data


def _up_to(file: BinaryIO, limit: int) -> bytes:
    # Not `file.read(limit)`, which asks the system for a gigabyte before it reads a byte.
    pieces, left = [file.read(_PIECE)], limit - _PIECE
    while len(pieces[-1]) == _PIECE and left > 0:
        pieces.append(file.read(min(_PIECE, left)))
        left -= _PIECE
    if not isinstance(pieces[0], bytes):
        raise ImageError(f"cannot be read (its file gives {type(pieces[0]).__name__}, not bytes)")
    return b"".join(pieces)


def _why_unreadable(error: OSError) -> str:
    if error.errno == errno.ENOENT:
        if isinstance(error.filename, str | bytes) and os.path.islink(error.filename):  # noqa: PTH114
            return "is a link to nothing"
        return "is gone (deleted since it was listed)"
    cause = error.strerror or " ".join(str(error).split()) or type(error).__name__
    return f"cannot be read ({cause.lower()})"
