"""Bytes become RGB pixels, or one line that says why they cannot."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

from PIL import ExifTags, Image, ImageFile

from penult.errors import ImageError
from penult.images.pixels.boxes import end_of_boxes
from penult.images.pixels.budget import DECODING, weight
from penult.images.pixels.color_modes import mend_transparency, sample_layout, to_rgb
from penult.images.pixels.formats import open_header
from penult.images.pixels.jpeg import decoder as jpeg
from penult.images.pixels.metadata import without_metadata
from penult.images.pixels.quiet import silence
from penult.images.pixels.tiff.image import TiffImage

__all__ = ["MAX_PIXELS", "Size", "decode", "decoded", "decoded_alike", "upright"]

Size = tuple[int, int] | None
"""What a JPEG is decoded at least at, (width, height); None for every pixel."""

MAX_PIXELS = 178_956_970
"""The most pixels an image may have by default: the size at which Pillow itself refuses."""

# How Pillow's plugins and libavif say that a file is of a kind that they do not read.
_UNSUPPORTED = re.compile(
    r"unsupported|not (yet )?supported|not implemented|cannot handle|invalid ftyp", re.IGNORECASE
)

_LONGEST_DETAIL = 120  # some quote the file

_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(
    data: bytes,
    *,
    max_pixels: int = MAX_PIXELS,
    allow_truncated: bool = False,
    at_least: tuple[int, int] | None = None,
) -> Image.Image:
    """Decode an image file to upright 8-bit RGB; the rule of each colour mode is in docs/images.md.

    Safe to call from any thread.

    Parameters
    ----------
    data : bytes
        A whole file of a format that docs/images.md names; of several frames, the first counts.
    max_pixels : int
        The most pixels (width × height) the header may announce; checked before decoding.
    allow_truncated : bool
        Whether to take what can be decoded of a damaged file; the rest is grey (JPEG) or black.
    at_least : (int, int), optional
        (width, height), as stored; a larger JPEG may be decoded at a half, quarter or eighth of its
        size, but no smaller than this. Quicker; None decodes every pixel.

    Returns
    -------
    Pillow image
        Of mode RGB.

    Raises
    ------
    ImageError
        Why not, in one line that goes on after the file's name: "is empty (0 bytes)".
    """
    with decoded(
        data, max_pixels=max_pixels, allow_truncated=allow_truncated, at_least=at_least
    ) as image:
        return image


@contextmanager
def decoded(
    data: bytes,
    *,
    max_pixels: int = MAX_PIXELS,
    allow_truncated: bool = False,
    at_least: tuple[int, int] | None = None,
) -> Iterator[Image.Image]:
    """Do as `decode`, and count the image as in memory until the context is left.

    Threads that decode many images reduce each within the context; then huge ones take turns.
    """
    silence()
    if not data:
        raise ImageError("is empty (0 bytes)")
    with ExitStack() as turn:
        attempt = partial(
            _decode,
            turn=turn,
            max_pixels=max_pixels,
            allow_truncated=allow_truncated,
            at_least=at_least,
        )
        try:
            try:
                image = attempt(data)
            except (ImageError, MemoryError):
                raise
            except Exception:
                plain = without_metadata(data)
                if plain == data:
                    raise
                turn.close()
                image = attempt(plain)
        except ImageError:
            raise
        except MemoryError:
            raise ImageError("needs more memory to decode than there is") from None
        except Exception as error:
            # Pillow's plugins meet damage with whatever exception comes up first.
            raise ImageError(_reason(error, data)) from error
        yield image


def _decode(
    data: bytes,
    *,
    turn: ExitStack,
    max_pixels: int,
    allow_truncated: bool,
    at_least: tuple[int, int] | None,
) -> Image.Image:
    data = jpeg.without_leading_junk(data)
    image = open_header(data)
    _check_size(image, max_pixels)
    turn.enter_context(DECODING.hold(weight(image)))
    if at_least is not None and jpeg.is_jpeg(image):
        image.draft(None, at_least)
    layout = sample_layout(image)
    return upright(_load(image, data, allow_truncated=allow_truncated), layout)


def decoded_alike(data: bytes, sizes: Sequence[Size]) -> list[list[Size]]:
    """Group sizes to decode at least: those of one group give the same image.

    Parameters
    ----------
    data : bytes
        The file.
    sizes : sequence of (int, int) or None
        Values of `at_least`, each once; see `decode`.

    Returns
    -------
    list of list
        All of them, in groups, in the order of their first ones.
    """
    groups: dict[object, list[Size]] = {}
    for size in sizes:
        groups.setdefault(1 if len(sizes) == 1 else _reduction(data, size), []).append(size)
    return list(groups.values())


def _reduction(data: bytes, at_least: Size) -> object:
    """By what an image is divided while it is decoded; another for each size where none can say."""
    try:
        image = open_header(jpeg.without_leading_junk(data))
        if at_least is None or not jpeg.is_jpeg(image):
            return 1
        image.draft(None, at_least)
        return image.decoderconfig[0]
    except Exception:
        return at_least  # decoding says what is wrong


def upright(image: Image.Image, layout: tuple[int, bool]) -> Image.Image:
    """Apply the colour rules and the EXIF orientation to a loaded image; for `layout` see `to_rgb`.

    Loaded, since a PNG may keep its EXIF behind the pixels.
    """
    turn = _TRANSPOSE.get(_orientation(image))
    rgb = to_rgb(image, layout)
    return rgb if turn is None else rgb.transpose(turn)


def _check_size(image: Image.Image, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        raise ImageError(
            f"is {width:,} × {height:,} = {width * height:,} pixels, "
            f"more than the limit of {max_pixels:,}"
        )


def _load(image: ImageFile.ImageFile, data: bytes, *, allow_truncated: bool) -> Image.Image:
    mend_transparency(image)
    if jpeg.is_jpeg(image) and not allow_truncated:
        return jpeg.load(image, data)
    try:
        image.load()
    except Exception:
        # Pillow's own switch for truncated images is a global that would loosen every other thread.
        # A PNG of which all is decoded has stumbled over its last metadata.
        if not allow_truncated or (image.format == "PNG" and not image.tile):
            raise
        if jpeg.is_jpeg(image):
            image = _load_cut_jpeg(data)
        elif isinstance(image, TiffImage):
            image.load_partly()
        else:
            image.tile = []  # nothing more to decode: keep the rows that were
            image.load()
        if _is_blank(image):
            raise
    return image


def _load_cut_jpeg(data: bytes) -> ImageFile.ImageFile:
    # At a premature end libjpeg's own file reader pretends to find an end-of-image marker; inside a
    # table's segment that does not help, so the segment goes.
    end_of_image = b"\xff\xd9"
    try:
        image = open_header(data + end_of_image)
        image.load()
    except Exception:
        segment = max(data.rfind(marker) for marker in (b"\xff\xc4", b"\xff\xda"))
        image = open_header(data[:segment] + end_of_image)
        image.load()
    return image


def _is_blank(image: Image.Image) -> bool:
    """Whether nothing of a truncated picture is left, but for the first block of a JPEG.

    libjpeg takes missing bits for zeros, which make noise in that block and grey in all others.
    """
    block = 32  # pixels, at the coarsest chroma subsampling in use
    left = block if image.width > 2 * block else 0
    extrema = image.crop((left, 0, *image.size)).getextrema()
    bands = extrema if isinstance(extrema[0], tuple) else (extrema,)
    return all(low == high for low, high in bands)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:
        return 1  # damaged metadata say nothing


def _reason(error: Exception, data: bytes) -> str:
    if isinstance(error, Image.DecompressionBombError):
        return f"has too many pixels ({error})"
    detail = " ".join(str(error).split())[:_LONGEST_DETAIL]
    if jpeg.has_late_height(data):
        return "is not supported (JPEG whose height stands behind the picture)"
    if _UNSUPPORTED.search(detail):
        return f"is not supported ({detail})"
    announced = _announced_bytes(data)
    if len(data) < announced:
        return f"is truncated: {len(data):,} of at least {announced:,} bytes"
    if _ran_out_of_data(error):
        return f"is truncated: it ends after {len(data):,} bytes, before the picture does"
    if not any(character.isalpha() for character in detail):
        detail = f"{type(error).__name__} {detail}".strip()
    return f"is damaged ({detail})"


def _announced_bytes(data: bytes) -> int:
    """How long the file is by its own header; 0 where the format does not say."""
    head = data[:8].ljust(8, b"\0")
    if head.startswith(b"RIFF"):
        return 8 + int.from_bytes(head[4:], "little")
    if head.startswith(b"BM"):
        return int.from_bytes(head[2:6], "little")
    if head.startswith((b"II*\0", b"MM\0*")):
        # A TIFF's directory usually comes last.
        return 2 + int.from_bytes(head[4:], "little" if head.startswith(b"II") else "big")
    return end_of_boxes(data)


def _ran_out_of_data(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, EOFError | IndexError | struct.error):
            return True
        if re.search("truncated|not enough image data", str(error), re.IGNORECASE):
            return True
        error = error.__cause__
    return False
