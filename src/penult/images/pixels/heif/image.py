"""A HEIF file as a Pillow image: its main picture, with every tile that belongs to it."""

from __future__ import annotations

from typing import Any

from PIL import Image, ImageFile

from penult.errors import ImageError
from penult.images.pixels.heif.losses import ensure_nothing_is_lost

__all__ = ["HeifImage"]


class HeifImage(ImageFile.ImageFile):
    """The main picture of a HEIF file.

    Not pillow-heif's own plugin, which takes a thumbnail in the file for a smaller picture, obeys
    switches of the whole process, and leaves metadata from which the picture could be turned once
    more: libheif turns it upright, and what EXIF says of that does not count in such files.

    Raises
    ------
    ImageError
        When it is opened, if the extra is missing or a part of the picture is lost.
    """

    format = "HEIF"
    format_description = "HEIF container"

    def _open(self) -> None:
        try:
            from pillow_heif import open_heif
        except ImportError as error:
            raise ImageError("is HEIC; type: pip install 'penult[heif]'") from error

        assert self.fp is not None
        data = self.fp.read()
        ensure_nothing_is_lost(data)
        file = open_heif(data)
        self._coded = file[file.primary_index]
        if not self._coded.info["primary"]:  # one that cannot be opened is left out by pillow-heif
            raise ImageError("is damaged (its main picture cannot be opened)")
        self._size, self._mode = self._coded.size, self._coded.mode
        self.tile = []

    def load(self) -> Any:
        """Decode the pixels."""
        if self._im is None:
            coded = self._coded
            coded.load()  # its size and stride are known behind that
            args = (coded.mode, coded.stride)
            picture = Image.frombytes(coded.mode, coded.size, coded.data, "raw", args)
            self._size, self.im = picture.size, picture.im
            del self._coded  # and the pixels that it holds
        return super().load()
