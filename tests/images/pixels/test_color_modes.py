"""Each colour rule of docs/images.md, on a picture that comes out visibly wrong without it."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms

from penult.errors import ImageError
from penult.images.pixels.decode import decode

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def encoded(image, format="PNG", **options):
    buffer = BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def png(bits, colour_type, row, *, width=2, transparent=b""):
    """A PNG of one row, byte by byte: Pillow does not write all that it may have to read."""

    def chunk(name, content):
        crc = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", width, 1, bits, colour_type, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"tRNS", transparent) if transparent else b"",
            chunk(b"IDAT", zlib.compress(b"\0" + row)),
            chunk(b"IEND", b""),
        ]
    )


def tiff(row, *, bits, photometric, width, samples=1, sample_format=1, order="<"):
    """An uncompressed TIFF of one row, for the kinds that Pillow does not write."""
    number = {"<": b"II*\0", ">": b"MM\0*"}[order]
    tags = [
        (256, 4, width),
        (257, 4, 1),
        (258, 3, bits),
        (259, 3, 1),
        (262, 3, photometric),
        (273, 4, 8 + 2 + 12 * 10 + 4),
        (277, 3, samples),
        (278, 4, 1),
        (279, 4, len(row)),
        (339, 3, sample_format),
    ]
    entries = b"".join(
        struct.pack(order + "HHI", tag, kind, 1)
        + (struct.pack(order + "I", v) if kind == 4 else struct.pack(order + "HH", v, 0))
        for tag, kind, v in tags
    )
    return number + struct.pack(order + "IH", 8, len(tags)) + entries + b"\0" * 4 + row


def pixels(data, **options):
    image = decode(data, **options)
    assert image.mode == "RGB"
    return [tuple(pixel) for row in np.asarray(image).tolist() for pixel in row]


def test_grey_becomes_three_equal_channels():
    assert pixels(encoded(Image.frombytes("L", (2, 1), b"\x10\xf0"))) == [(16,) * 3, (240,) * 3]


def test_one_bit_becomes_black_and_white_not_black_and_almost_black():
    assert pixels(encoded(Image.frombytes("1", (2, 1), b"\x40"))) == [BLACK, WHITE]


def test_palette_indices_are_looked_up():
    image = Image.frombytes("P", (2, 1), b"\x01\x00")
    image.putpalette([*RED, *GREEN])
    assert pixels(encoded(image)) == [GREEN, RED]


def test_alpha_is_laid_over_white():
    # Dropped instead, the second pixel would be black, and the third pure red.
    image = Image.frombytes("RGBA", (3, 1), bytes([*BLUE, 255, *BLACK, 0, *RED, 128]))
    assert pixels(encoded(image)) == [BLUE, WHITE, (255, 127, 127)]


def test_alpha_of_webp_is_laid_over_white():
    image = Image.frombytes("RGBA", (2, 1), bytes([*BLUE, 255, *BLACK, 0]))
    assert pixels(encoded(image, "WEBP", lossless=True, exact=True)) == [BLUE, WHITE]


def test_grey_with_alpha_is_laid_over_white():
    image = Image.frombytes("LA", (2, 1), bytes([0, 255, 0, 0]))
    assert pixels(encoded(image)) == [BLACK, WHITE]


@pytest.mark.parametrize(
    ("extra_sample", "colour"),
    [
        pytest.param(1, (0, 0, 128), id="premultiplied"),
        pytest.param(2, BLUE, id="not premultiplied"),
    ],
)
def test_alpha_of_tiff_is_laid_over_white(extra_sample, colour):
    image = Image.frombytes("RGBA", (2, 1), bytes([*colour, 128, *BLACK, 0]))
    data = bytearray(encoded(image, "TIFF"))
    # Pillow writes "not premultiplied" whatever it is told: change tag 338, one short, in place.
    entry = data.index(struct.pack("<HHI", 338, 3, 1))
    data[entry + 8] = extra_sample
    assert pixels(bytes(data)) == [(127, 127, 255), WHITE]


def test_a_transparent_palette_entry_shows_white():
    image = Image.frombytes("P", (2, 1), b"\x00\x01")
    image.putpalette([*BLACK, *RED])
    assert pixels(encoded(image, transparency=0)) == [WHITE, RED]


def test_a_palette_with_degrees_of_transparency_is_laid_over_white():
    image = Image.frombytes("P", (3, 1), b"\x00\x01\x02")
    image.putpalette([*BLACK, *RED, *BLUE])
    assert pixels(encoded(image, transparency=bytes([0, 128, 255]))) == [
        WHITE,
        (255, 127, 127),
        BLUE,
    ]


def test_a_transparent_gif_shows_white():
    image = Image.frombytes("P", (2, 1), b"\x00\x01")
    image.putpalette([*BLACK, *RED])
    assert pixels(encoded(image, "GIF", transparency=0)) == [WHITE, RED]


@pytest.mark.parametrize(
    ("bits", "row", "transparent", "other"),
    [
        # The first of two pixels is of the colour that the file calls transparent.
        pytest.param(1, b"\x80", 1, 0, id="1 bit"),
        pytest.param(2, b"\x40", 1, 0, id="2 bits"),
        pytest.param(4, b"\x52", 5, 0x22, id="4 bits"),
        pytest.param(8, b"\x05\x06", 5, 6, id="8 bits"),
        pytest.param(16, b"\x12\x34\x12\x35", 0x1234, 0x12, id="16 bits"),
    ],
)
def test_the_transparent_grey_of_a_png_shows_white_at_every_depth(bits, row, transparent, other):
    data = png(bits, 0, row, transparent=struct.pack(">H", transparent))
    assert pixels(data) == [WHITE, (other,) * 3]


@pytest.mark.parametrize(
    ("bits", "row", "transparent"),
    [
        pytest.param(8, bytes([10, 20, 30, 99, 98, 97]), (10, 20, 30), id="8 bits"),
        pytest.param(
            16,
            bytes([10, 1, 20, 2, 30, 3, 99, 4, 98, 5, 97, 6]),
            (0x0A01, 0x1402, 0x1E03),
            id="16 bits",
        ),
    ],
)
def test_the_transparent_colour_of_a_png_shows_white(bits, row, transparent):
    data = png(bits, 2, row, transparent=struct.pack(">HHH", *transparent))
    assert pixels(data) == [WHITE, (99, 98, 97)]


def test_sixteen_bit_grey_is_scaled_not_clipped():
    # Clipped at 255, the last three would all be white.
    row = struct.pack(">4H", 0x0000, 0x0180, 0x8000, 0xFFFF)
    assert pixels(png(16, 0, row, width=4)) == [BLACK, (1,) * 3, (128,) * 3, WHITE]


def test_sixteen_bit_colour_is_scaled_like_sixteen_bit_grey():
    levels = (0x0000, 0x0180, 0x80FF, 0xFFFF)
    colour = png(16, 2, struct.pack(">12H", *(v for v in levels for _ in "RGB")), width=4)
    grey = png(16, 0, struct.pack(">4H", *levels), width=4)
    assert pixels(colour) == pixels(grey) == [BLACK, (1,) * 3, (128,) * 3, WHITE]


@pytest.mark.parametrize("colour_type", [4, 6], ids=["grey", "colour"])
def test_sixteen_bits_with_alpha_are_scaled_and_laid_over_white(colour_type):
    one = 1 if colour_type == 4 else 3
    row = struct.pack(">" + "H" * 2 * (one + 1), *[0x8000] * one, 0xFFFF, *[0x8000] * one, 0)
    assert pixels(png(16, colour_type, row)) == [(128,) * 3, WHITE]


@pytest.mark.parametrize("order", ["<", ">"], ids=["little-endian", "big-endian"])
def test_sixteen_bit_tiff_is_scaled_in_either_byte_order(order):
    row = struct.pack(order + "3H", 0x0000, 0x8000, 0xFFFF)
    data = tiff(row, bits=16, photometric=1, width=3, order=order)
    assert pixels(data) == [BLACK, (128,) * 3, WHITE]


def test_sixteen_bit_tiff_with_white_as_zero_is_not_a_negative():
    row = struct.pack("<3H", 0x0000, 0x8000, 0xFFFF)
    assert pixels(tiff(row, bits=16, photometric=0, width=3)) == [WHITE, (127,) * 3, BLACK]


def test_eight_bit_tiff_with_white_as_zero_is_not_a_negative():
    assert pixels(tiff(b"\x00\xff", bits=8, photometric=0, width=2)) == [WHITE, BLACK]


def test_twelve_bit_tiff_fills_the_range_up_to_white():
    # 0x000 and 0xFFF, packed; taken for 16 bits, white would come out as 15.
    assert pixels(tiff(b"\x00\x0f\xff", bits=12, photometric=1, width=2)) == [BLACK, WHITE]


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate"])
def test_compression_does_not_change_a_sixteen_bit_tiff(compression):
    image = Image.fromarray(np.array([[0, 0x8000, 0xFFFF]], np.uint16))
    assert pixels(encoded(image, "TIFF", compression=compression)) == [BLACK, (128,) * 3, WHITE]


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        pytest.param(np.array([[0, 2**30]], np.int32), "32-bit or signed integers", id="int32"),
        pytest.param(np.array([[0.0, 1.0]], np.float32), "floating-point numbers", id="float32"),
    ],
)
def test_numbers_without_an_agreed_white_are_refused_by_name(array, kind):
    with pytest.raises(ImageError, match=f"holds {kind}, which have no agreed white"):
        decode(encoded(Image.fromarray(array), "TIFF"))


def test_cmyk_tiff_becomes_rgb():
    image = Image.frombytes("CMYK", (3, 1), bytes([0, 255, 255, 0, 0, 0, 0, 255, 0, 0, 0, 0]))
    assert pixels(encoded(image, "TIFF")) == [RED, BLACK, WHITE]


def test_adobe_cmyk_jpeg_is_not_a_negative():
    # Pillow writes CMYK as Adobe does: inverted, and with the marker that says so.
    data = encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95)
    assert b"Adobe" in data
    red, green, blue = pixels(data)[0]
    assert red > 240
    assert max(green, blue) < 15


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        # (Y, Cb, Cr, K) as in the file: those of the inverted inks, by JFIF's formula.
        pytest.param((0, 128, 128, 255), WHITE, id="white"),
        pytest.param((179, 171, 1, 255), RED, id="red"),
        pytest.param((0, 128, 128, 0), BLACK, id="black"),
    ],
)
def test_adobe_ycck_jpeg_is_not_a_negative(stored, expected):
    # Pillow does not write YCCK, but inverted CMYK with an Adobe marker that says "no transform" (0).
    inverted = tuple(255 - value for value in stored)
    data = bytearray(encoded(Image.new("CMYK", (16, 16), inverted), "JPEG", quality=100))
    data[data.index(b"Adobe") + 11] = 2
    assert pixels(bytes(data))[0] == pytest.approx(expected, abs=4)


def test_lab_tiff_becomes_rgb():
    lab = Image.new("LAB", (1, 1), (255, 128, 128))
    assert pixels(encoded(lab, "TIFF"))[0] == pytest.approx(WHITE, abs=2)
    dark_red = Image.new("LAB", (1, 1), (int(53.2 * 2.55), 128 + 80, 128 + 67))
    assert pixels(encoded(dark_red, "TIFF"))[0] == pytest.approx(RED, abs=12)


def test_an_embedded_profile_is_ignored_as_by_the_reference_libraries():
    image = Image.new("RGB", (4, 4), (200, 30, 60))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    assert pixels(encoded(image, icc_profile=profile)) == pixels(encoded(image))


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_of_several_frames_the_first_counts(format):
    frames = [Image.new("RGB", (32, 32), colour) for colour in (RED, GREEN, BLUE)]
    data = encoded(frames[0], format, save_all=True, append_images=frames[1:])
    with Image.open(BytesIO(data)) as image:
        assert image.n_frames == 3
    assert pixels(data)[0] == pytest.approx(RED, abs=4)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_every_format_keeps_red_red(format):
    assert pixels(encoded(Image.new("RGB", (32, 32), RED), format))[0] == pytest.approx(RED, abs=4)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_all_eight_exif_orientations_come_out_upright(orientation, format):
    # Where the camera's row 0 and column 0 belong in the upright picture (EXIF 2.3, 4.6.4 A).
    upright = np.zeros((32, 48, 3), np.uint8)
    upright[:16, :16] = RED  # top left
    upright[:16, 32:] = GREEN  # top right
    upright[16:, :16] = BLUE  # bottom left
    as_stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: upright.transpose(1, 0, 2)[::-1],
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: upright.transpose(1, 0, 2)[:, ::-1],
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    lossless = {"WEBP": {"lossless": True}, "JPEG": {"quality": 95}}.get(format, {})
    data = encoded(Image.fromarray(np.ascontiguousarray(as_stored)), format, exif=exif, **lossless)
    result = np.asarray(decode(data))
    assert result.shape == upright.shape
    assert np.abs(result.astype(int) - upright)[4:12, 4:12].max() < 40
    assert np.abs(result.astype(int) - upright)[4:12, 36:44].max() < 40
    assert np.abs(result.astype(int) - upright)[20:28, 4:12].max() < 40


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"", b"Exif\0\0II*\0\xff\xff\xff\xff"])
def test_damaged_exif_is_taken_for_upright(exif):
    image = Image.new("RGB", (8, 4), RED)
    assert decode(encoded(image, "JPEG", exif=exif)).size == (8, 4)


def test_an_orientation_that_does_not_exist_is_taken_for_upright():
    exif = Image.Exif()
    exif[0x0112] = 9
    assert decode(encoded(Image.new("RGB", (8, 4)), "JPEG", exif=exif)).size == (8, 4)


def test_a_transparent_picture_is_turned_too():
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.frombytes("RGBA", (2, 1), bytes([*BLUE, 255, *BLACK, 0]))
    assert pixels(encoded(image, exif=exif)) == [BLUE, WHITE]
    assert decode(encoded(image, exif=exif)).size == (1, 2)
