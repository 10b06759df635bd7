"""Formats that are less frequent in photos: as Pillow reads them, or a reason and what to do."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from penult.errors import ImageError
from penult.images.pixels.decode import decode


def encoded(image, format, **options):
    buffer = BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def outcome(data, **options):
    try:
        return np.asarray(decode(data, **options))
    except ImageError as error:
        return str(error)


@pytest.fixture(scope="module")
def picture():
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
    return small.resize((64, 64), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("options", [{}, {"no_jp2": True}, {"tile_size": (32, 32)}])
def test_jpeg_2000_is_read_in_a_box_and_bare(picture, options):
    data = encoded(picture, "JPEG2000", **options)
    np.testing.assert_array_equal(outcome(data), np.asarray(picture))


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "CMYK"])
def test_the_modes_of_jpeg_2000_have_the_colours_of_a_tiff(picture, mode):
    image = picture.convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    image = image.convert(mode)
    np.testing.assert_array_equal(
        outcome(encoded(image, "JPEG2000")), outcome(encoded(image, "TIFF"))
    )


def test_of_grey_with_16_bits_in_jpeg_2000_the_upper_eight_count():
    levels = np.array([[0, 1, 127, 128], [200, 254, 255, 3]], np.uint8).repeat(4, axis=0)
    data = encoded(Image.fromarray((levels.astype(np.uint16) << 8) | 0xC0), "JPEG2000")
    assert outcome(data)[..., 0].tolist() == levels.tolist()


def test_jpeg_2000_of_few_bits_is_refused_since_pillow_leaves_it_dark(picture):
    data = encoded(picture.convert("L"), "JPEG2000")
    at = data.index(b"\xff\x4f\xff\x51") + 4 + 38
    assert data[at] == 7
    assert outcome(data[:at] + b"\3" + data[at + 1 :]) == "is not supported (JPEG 2000 of 4 bits)"


def test_jpeg_2000_in_lab_is_refused_since_pillow_takes_it_for_rgb(picture):
    data = encoded(picture, "JPEG2000")
    at = data.index(b"colr") + 7
    assert data[at : at + 4] == (16).to_bytes(4)  # sRGB
    data = data[:at] + (14).to_bytes(4) + data[at + 4 :]
    assert outcome(data) == "is not supported (JPEG 2000 in CIELab)"


@pytest.mark.parametrize("bitmap", ["png", "bmp"])
def test_of_an_icon_the_largest_picture_counts(picture, bitmap):
    sizes = [(16, 16), (64, 64), (32, 32)]
    data = encoded(picture, "ICO", sizes=sizes, bitmap_format=bitmap)
    np.testing.assert_array_equal(outcome(data), np.asarray(picture))


def test_of_two_pictures_as_large_the_one_of_more_colours_counts():
    grey, colour = Image.new("L", (16, 16), 200), Image.new("RGBA", (16, 16), (9, 150, 30, 255))
    data = encoded(grey, "ICO", sizes=[(16, 16)], append_images=[colour], bitmap_format="bmp")
    assert data[4] == 2
    assert outcome(data)[0, 0].tolist() == [9, 150, 30]


@pytest.mark.parametrize("bitmap", ["png", "bmp"])
def test_what_an_icon_masks_out_is_white(bitmap):
    image = Image.new("RGBA", (16, 16), (200, 0, 0, 255))
    image.putpixel((3, 4), (0, 0, 0, 0))
    pixels = outcome(encoded(image, "ICO", sizes=[(16, 16)], bitmap_format=bitmap))
    assert pixels[4, 3].tolist() == [255, 255, 255]
    assert pixels[3, 4].tolist() == [200, 0, 0]


def test_an_icon_cannot_announce_less_than_it_decodes_to():
    large = encoded(Image.new("RGB", (2_000, 2_000)), "PNG")
    icon = encoded(Image.new("RGB", (16, 16)), "ICO", sizes=[(16, 16)])
    icon = icon[:14] + len(large).to_bytes(4, "little") + icon[18:22] + large
    assert outcome(icon, max_pixels=10_000).startswith("is 2,000 × 2,000 = 4,000,000 pixels")


@pytest.mark.parametrize("frames", [1, 2])
def test_of_an_mpo_the_first_picture_counts(picture, frames):
    others = [Image.new("RGB", (64, 64), "red")] * (frames - 1)
    data = encoded(picture, "MPO", save_all=True, append_images=others, quality=95)
    np.testing.assert_array_equal(outcome(data), outcome(encoded(picture, "JPEG", quality=95)))


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_netpbm_is_read(picture, mode):
    image = picture.convert(mode)
    np.testing.assert_array_equal(outcome(encoded(image, "PPM")), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize(
    ("data", "levels"),
    [
        pytest.param(b"P5 2 1 65535 \xff\xff\x80\x00", [255, 128], id="16 bits"),
        pytest.param(b"P5 2 1 1023 \x03\xff\x02\x00", [255, 128], id="10 bits"),
        pytest.param(b"P2 3 1 15 0 15 5", [0, 255, 85], id="4 bits, as text"),
        pytest.param(b"P5 2 1 255 \x07\x08", [7, 8], id="8 bits"),
    ],
)
def test_grey_of_any_depth_in_netpbm_fills_the_range(data, levels):
    assert outcome(data)[0, :, 0].tolist() == levels


ADVICE = "which penult does not read; convert it to JPEG or PNG"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        pytest.param(b"\xff\x0a\xfa\x7f", f"is JPEG XL, {ADVICE}", id="JPEG XL, bare"),
        pytest.param(b"\0\0\0\x0cJXL \r\n\x87\n", f"is JPEG XL, {ADVICE}", id="JPEG XL in a box"),
        pytest.param(b"8BPS\0\1", f"is a Photoshop file, {ADVICE}", id="Photoshop"),
        pytest.param(b"%PDF-1.7", f"is a PDF, {ADVICE}", id="PDF"),
        pytest.param(b"<svg xmlns=''>", f"is a drawing (SVG), {ADVICE}", id="SVG"),
        pytest.param(
            b"<?xml version='1.0'?>\n<svg>", f"is a drawing (SVG), {ADVICE}", id="SVG behind XML"
        ),
        pytest.param(
            b"\0\0\0\x18ftypcrx ", f"is the raw data of a camera, {ADVICE}", id="Canon CR3"
        ),
        pytest.param(b"FUJIFILMCCD-RAW ", f"is the raw data of a camera, {ADVICE}", id="Fujifilm"),
        pytest.param(b"IIRO\x08\0", f"is the raw data of a camera, {ADVICE}", id="Olympus"),
        pytest.param(b"\0\0\0\x18ftypmp42", "is a film, not an image", id="MP4"),
        pytest.param(b"\0\0\0\x14ftypqt  ", "is a film, not an image", id="QuickTime"),
        pytest.param(b"II*\0\x10\0\0\0CR\2\0", "is not supported (the raw data of a camera)", id="CR2"),
    ],
)  # fmt: skip
def test_what_is_read_by_nothing_says_what_it_is_and_what_to_do(data, what):
    assert outcome(data + bytes(40)) == what


def test_a_raw_photo_is_not_read_as_its_thumbnail(picture):
    # As NEF, ARW and DNG are made: a small picture first, and the large one behind it.
    thumbnail = {254: 1, 330: 8}
    data = encoded(picture, "TIFF", tiffinfo=thumbnail)
    assert outcome(data) == "is not supported (the raw data of a camera)"
    assert outcome(encoded(picture, "TIFF", tiffinfo={254: 1})).shape == (64, 64, 3)


def test_an_icon_that_lists_more_pictures_than_it_holds_is_truncated(picture):
    data = encoded(picture, "ICO", sizes=[(64, 64)])
    assert outcome(data[:4] + b"\xff\xff" + data[6:40]).startswith("is truncated: ")
