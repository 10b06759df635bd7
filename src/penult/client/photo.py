"""A photo that a program has, as the bytes that are sent."""

from __future__ import annotations

import io
from typing import Any

from penult.errors import ImageError

__all__ = ["is_address", "photo_bytes"]


def is_address(photo: object) -> bool:
    """Whether a photo is given as the address of one, which the service is to fetch.

    Examples
    --------
    >>> is_address("https://example.com/daisy.jpg"), is_address("daisy.jpg")
    (True, False)
    """
    return isinstance(photo, str) and photo.lower().startswith(("http://", "https://"))


def photo_bytes(photo: Any) -> bytes:
    """Return the bytes of a photo's file.

    Parameters
    ----------
    photo : path, bytes, binary file, Pillow image or array
        What `penult.Extractor` takes for one image. Files are sent as they are, so that the service
        knows an exact copy of one of its images; pixels are written as PNG, which loses nothing.

    Raises
    ------
    UsageError
        If it is something else.
    PathNotFoundError
        If the path does not exist.
    ImageError
        If the file cannot be read.
    """
    # The client itself starts without Pillow and all that reads images.
    from penult.images.in_memory import MemoryRecord, as_records
    from penult.inputs import require_existing

    (record,) = as_records([photo])
    if isinstance(record, MemoryRecord):
        file = io.BytesIO()
        record.to_rgb().save(file, "PNG", compress_level=1)
        return file.getvalue()
    if record.path is not None:
        require_existing(record.path, "photo")
    try:
        with record.open() as opened:
            data = opened.read()
    except (ImageError, OSError) as error:
        raise ImageError(f"{record.id}: {getattr(error, 'strerror', None) or error}") from error
    if isinstance(data, str):
        raise ImageError(f"{record.id} was opened as text; open it in mode 'rb'")
    return data
