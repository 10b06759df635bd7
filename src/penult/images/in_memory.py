"""Images that a program has in memory already, by the same rules as files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from penult.errors import ImageError, UsageError
from penult.images.files import did_you_mean, open_regular
from penult.images.pixels.color_modes import mend_transparency, sample_layout, to_rgb
from penult.images.pixels.decode import decode, upright
from penult.images.pixels.jpeg import decoder as jpeg
from penult.images.pixels.quiet import silence
from penult.images.pixels.tiff.image import check_pillows
from penult.locks import ForkSafeLock
from penult.records import ImageRecord
from penult.wording import article

__all__ = ["MemoryRecord", "are_in_memory", "as_records", "without_iterator"]

# Pillow reads a file that was only opened when its pixels are asked for, and not thread-safely;
# one image may stand in a list twice.
_loading = ForkSafeLock()

_BYTES = bytes | bytearray | memoryview


def _no_file() -> BinaryIO:
    raise ImageError("is in memory; there is no file to open")


def _open_given(path: Path) -> BinaryIO:
    # Nobody has listed it: it need never have been there.
    try:
        return open_regular(path)
    except FileNotFoundError as error:
        missing = f"is not there{did_you_mean(path)}"
        raise ImageError("is a link to nothing" if path.is_symlink() else missing) from error


@contextmanager
def _borrowed(file: BinaryIO) -> Iterator[BinaryIO]:
    # Read from its start, and left open: it is the program's.
    with _loading:
        if file.seekable():
            file.seek(0)
        yield file


@dataclass(frozen=True, slots=True)
class MemoryRecord(ImageRecord):
    """An image in memory. Pickled, it is its pixels, whatever file a Pillow image came from.

    Attributes
    ----------
    image : Pillow image or ndarray
        An array is uint8, of shape (H, W), (H, W, 3) or (H, W, 4). What cannot be read turns into
        its ImageError when it is pickled, which `to_rgb` raises then.
    """

    image: Any = field(default=None, compare=False, repr=False)

    def __reduce__(self) -> Any:
        image = self.image
        if isinstance(image, Image.Image):
            try:
                image = np.asarray(self.to_rgb())
            except ImageError as error:
                image = error
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return partial(type(self), **{**values, "image": image}), ()

    def to_rgb(self) -> Image.Image:
        """The image as decoding its file would have given it: upright, mode RGB, over white.

        Raises
        ------
        ImageError
        """
        if isinstance(self.image, ImageError):
            raise self.image
        try:
            if isinstance(self.image, np.ndarray):
                return to_rgb(Image.fromarray(self.image), (16, False))
            silence()
            check_pillows(self.image)
            with _loading:
                if (data := _unread_file(self.image)) is not None:
                    return decode(data, max_pixels=self.image.width * self.image.height)
                layout = sample_layout(self.image)
                mend_transparency(self.image)
                self.image.load()
            return upright(self.image, layout)
        except ImageError:
            raise
        except Exception as error:
            # A file that was opened with Pillow may turn out damaged, or be closed.
            detail = " ".join(str(error).split()) or type(error).__name__
            raise ImageError(f"is damaged ({detail})") from error


def are_in_memory(images: Any) -> bool:
    """Whether a program gives images themselves, and not only where they are."""
    if isinstance(images, list | tuple):
        return not all(isinstance(one, str | os.PathLike) for one in images)
    return isinstance(images, Image.Image | np.ndarray | _BYTES) or _is_file(images)


def without_iterator(images: Any) -> Any:
    """Make a list of an iterator, which is gone through once; anything else stays as it is."""
    return list(images) if isinstance(images, Iterator) and not are_in_memory(images) else images


def _is_file(value: Any) -> bool:
    return callable(getattr(value, "read", None)) and not isinstance(value, os.PathLike)


def _unread_file(image: Image.Image) -> bytes | None:
    """The file of a JPEG or HEIF that was only opened: Pillow would not say what of it is lost."""
    file = getattr(image, "fp", None)
    is_unread = image.format == "HEIF" or (jpeg.is_jpeg(image) and getattr(image, "tile", None))
    if file is None or not is_unread:
        return None
    file.seek(0)
    data: bytes = file.read()
    with Image.open(BytesIO(data)) as whole:
        # `draft` may have made it smaller, `seek` gone on to another picture of the file.
        is_whole = (whole.size, whole.tell()) == (image.size, image.tell())
        return data if is_whole else None


def as_records(images: Any) -> list[ImageRecord]:
    """Check the form of images that a program gives, and name each; none is read.

    Parameters
    ----------
    images : sequence or array
        Paths, Pillow images, uint8 arrays (H, W), (H, W, 3) or (H, W, 4), bytes and binary files
        that hold what a file of an image does, mixed at will, in a sequence or one column of a
        table; or one array (N, H, W), (N, H, W, 3) or (N, H, W, 4).

    Returns
    -------
    list of ImageRecord
        One an image; its id is the path, or says its position, counted from 0.

    Raises
    ------
    UsageError
        If it is something else; says which element.
    """
    return [_record(position, image) for position, image in enumerate(_elements(images))]


def _elements(images: Any) -> Iterable[Any]:
    if isinstance(images, str | _BYTES | os.PathLike | Image.Image) or _is_file(images):
        raise UsageError(
            f"one {_kind(images)} was given where several images are expected; put it in a list"
        )
    if hasattr(images, "__dataframe__") or hasattr(images, "iloc"):
        images = np.asarray(images)
    if isinstance(images, np.ndarray):
        return _elements_of_array(images)
    if not isinstance(images, Iterable) or isinstance(images, dict | set | frozenset):
        raise UsageError(
            f"a {_kind(images)} was given; allowed: a list of paths, Pillow images, uint8 "
            "arrays, bytes or binary files"
        )
    return images


def _elements_of_array(images: NDArray[Any]) -> Iterable[Any]:
    if images.dtype.kind in "OUT":
        if images.ndim == 2 and images.shape[1] == 1:
            images = images[:, 0]
        if images.ndim != 1:
            raise UsageError(f"paths or images in an array of shape {images.shape}; give a column")
        return images
    is_one_image = images.ndim == 2 or (images.ndim == 3 and images.shape[-1] in (3, 4))
    if is_one_image and images.dtype == np.uint8:
        raise UsageError(
            f"one array of shape {images.shape} was given, which is one image and not several; put "
            f"it in a list"
        )
    if images.ndim == 3 and len(images) in (3, 4) and images.dtype == np.uint8:
        raise UsageError(
            f"one array of shape {images.shape} was given: one image with its channels first, or "
            f"{len(images)} grey ones; give [images.transpose(1, 2, 0)] or list(images)"
        )
    if images.ndim not in (3, 4):
        raise UsageError(
            f"a {images.dtype} array of shape {images.shape} was given; allowed: paths, Pillow "
            f"images, or uint8 arrays (N, H, W, 3)"
        )
    return images


def _record(position: int, image: Any) -> ImageRecord:
    if isinstance(image, str | os.PathLike):
        path = Path(image)
        return ImageRecord(id=str(path), open=partial(_open_given, path), path=path)
    if isinstance(image, _BYTES):
        opened: Any = partial(BytesIO, bytes(image))
        return ImageRecord(id=f"image {position} (bytes)", open=opened)
    if not isinstance(image, Image.Image) and _is_file(image):
        opened = partial(_borrowed, image)
        return ImageRecord(id=f"image {position} ({_kind(image)})", open=opened)
    if isinstance(image, np.ndarray):
        channels = image.ndim == 3 and image.shape[2]
        if image.dtype != np.uint8 or not (image.ndim == 2 or channels in (3, 4)):
            raise UsageError(
                f"image {position} is {article(str(image.dtype))} array of shape "
                f"{image.shape}; allowed: uint8 (H, W), (H, W, 3) or (H, W, 4)"
                + ("; image.transpose(1, 2, 0) puts the channels last" * _channels_first(image))
            )
        if 0 in image.shape:
            raise UsageError(f"image {position} is an array of shape {image.shape}, without pixels")
    elif not isinstance(image, Image.Image):
        raise UsageError(
            f"image {position} is {article(_kind(image))}; allowed: a path, a Pillow image, "
            "a uint8 array, bytes, or a binary file"
        )
    return MemoryRecord(id=f"image {position} ({_kind(image)})", open=_no_file, image=image)


def _channels_first(image: NDArray[Any]) -> bool:
    return image.ndim == 3 and image.shape[0] in (3, 4)


def _kind(value: Any) -> str:
    if isinstance(value, Image.Image):
        return f"Pillow image of mode {value.mode}"
    if isinstance(value, np.ndarray):
        return f"array of shape {value.shape}"
    return type(value).__name__
