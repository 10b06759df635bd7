"""Small pictures of a gallery's images, made once and kept as long as there is room."""

from __future__ import annotations

import io
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from penult.errors import ImageError
from penult.serving.gallery.images import GalleryImages, NoImage

__all__ = ["SIDE", "ThumbnailCache"]

SIDE = 256
"""Of the longer side of a picture, in pixels."""

_QUALITY = 82


class ThumbnailCache:
    """JPEG pictures by id; those that were asked for last are kept.

    Safe to call from any thread.

    Parameters
    ----------
    images : GalleryImages
        What they are pictures of.
    max_bytes : int
        The most bytes of pictures that are kept.
    workers : int
        How many are made at once.
    """

    def __init__(
        self, images: GalleryImages, *, max_bytes: int = 64 << 20, workers: int = 2
    ) -> None:
        self._images, self._max_bytes = images, max_bytes
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._making: dict[str, Future[bytes | NoImage]] = {}
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="thumbnail")

    def get(self, image_id: str) -> Future[bytes | NoImage]:
        """Ask for a picture, which several may do at once.

        Parameters
        ----------
        image_id : str
            One of the gallery's.

        Returns
        -------
        Future of bytes or NoImage
            A JPEG file of at most 256 pixels a side.
        """
        with self._lock:
            if image_id in self._kept:
                self._kept.move_to_end(image_id)
                done = Future[bytes | NoImage]()
                done.set_result(self._kept[image_id])
                return done
            if image_id not in self._making:
                self._making[image_id] = self._pool.submit(self._make, image_id)
            return self._making[image_id]

    def close(self) -> None:
        """Wait for those that are being made; no others are."""
        self._pool.shutdown(cancel_futures=True)

    def _make(self, image_id: str) -> bytes | NoImage:
        made: bytes | NoImage | None = None
        try:
            made = self._made(image_id)
            return made
        finally:
            with self._lock:
                del self._making[image_id]
                if isinstance(made, bytes):
                    self._keep(image_id, made)

    def _made(self, image_id: str) -> bytes | NoImage:
        from penult.web.thumbnails import whole_picture

        image = self._images.read(image_id)
        if isinstance(image, NoImage):
            return image
        try:
            picture = whole_picture(image.data, SIDE)
        except ImageError as error:
            return NoImage(str(error))
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=_QUALITY)
        return out.getvalue()

    def _keep(self, image_id: str, picture: bytes) -> None:
        self._kept[image_id] = picture
        self._bytes += len(picture)
        while self._bytes > self._max_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= len(oldest)
