"""Metadata that nobody needs refuse no picture; those that say which side is up are still read."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from penult.errors import ImageError
from penult.images.pixels.decode import decode

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8))
TURNED = PICTURE.transpose(Image.Transpose.ROTATE_270)  # orientation 6


def encoded(format, **options):
    buffer = BytesIO()
    PICTURE.save(buffer, format, **options)
    return buffer.getvalue()


PNG = encoded("PNG")


def chunk(name, content, *, sound=True):
    crc = zlib.crc32(name + content) ^ (not sound)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc)


def png(*chunks, where="before"):
    at = 33 if where == "before" else len(PNG) - 12
    return PNG[:at] + b"".join(chunks) + PNG[at:]


def orientation(value):
    exif = Image.Exif()
    exif[0x0112] = value
    return exif.tobytes()


def assert_is(picture, data, **options):
    np.testing.assert_array_equal(np.asarray(decode(data, **options)), np.asarray(picture))


LONG = zlib.compress(bytes(2**21))
EXIF = chunk(b"eXIf", orientation(6).removeprefix(b"Exif\0\0"))
XMP = b'<rdf:Description tiff:Orientation="6"/>'
RAW_EXIF = b"\nexif\n%8d\n" % len(orientation(6)) + orientation(6).hex().encode()

BALLAST = {
    "long zTXt": chunk(b"zTXt", b"w\0\0" + LONG),
    "long iTXt": chunk(b"iTXt", b"w\0\1\0\0\0" + LONG),
    "long iCCP": chunk(b"iCCP", b"w\0\0" + LONG),
    "long XMP": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + LONG),
    "long raw EXIF": chunk(b"zTXt", b"Raw profile type exif\0\0" + LONG),
    "a checksum of text": chunk(b"tEXt", b"w\0x", sound=False),
    "a checksum of EXIF": chunk(b"eXIf", b"MM\0*", sound=False),
    "a method of compression": chunk(b"zTXt", b"w\0\x09x"),
    "a method of compression of a profile": chunk(b"iCCP", b"w\0\x09x"),
    "no resolution": chunk(b"pHYs", b""),
    "no gamma": chunk(b"gAMA", b""),
    "an animation of nothing": chunk(b"acTL", b""),
    "a frame elsewhere": chunk(b"fcTL", bytes(26)),
    "a text called as Pillow calls the transparency": chunk(b"tEXt", b"transparency\0x"),
    "a text called as Pillow calls the interlacing": chunk(b"tEXt", b"interlace\0x"),
    "a text called as Pillow calls the frame": chunk(b"tEXt", b"bbox\0x"),
}


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("what", BALLAST)
def test_no_metadata_of_a_png_refuse_its_picture(what, where):
    assert_is(PICTURE, png(BALLAST[what], where=where))


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize(
    "turned",
    [
        pytest.param(EXIF, id="eXIf"),
        pytest.param(
            chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(RAW_EXIF)), id="zTXt"
        ),
        pytest.param(chunk(b"tEXt", b"Raw profile type exif\0" + RAW_EXIF), id="tEXt"),
        pytest.param(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP), id="XMP"),
        pytest.param(
            chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(XMP)), id="packed XMP"
        ),
    ],
)
@pytest.mark.parametrize("beside", [b"", BALLAST["long zTXt"]], ids=["alone", "beside ballast"])
@pytest.mark.parametrize("allow_truncated", [False, True])
def test_the_orientation_is_found_wherever_it_is(turned, where, beside, allow_truncated):
    data = png(beside, turned, where=where)
    assert_is(TURNED, data, allow_truncated=allow_truncated)


def test_the_transparency_of_a_png_stays():
    data = encoded("PNG", transparency=PICTURE.getpixel((0, 0)))
    data = data[:33] + BALLAST["long iCCP"] + data[33:]
    assert decode(data).getpixel((0, 0)) == (255, 255, 255)


def test_a_png_that_is_cut_behind_its_pixels_is_whole():
    data = png(chunk(b"tEXt", b"w\0" + b"x" * 1000), where="after")
    assert_is(PICTURE, data[:-500])


def test_many_texts_are_not_too_much(monkeypatch):
    monkeypatch.setattr(PngImagePlugin, "MAX_TEXT_MEMORY", 1000)  # 64 MB
    texts = [chunk(b"tEXt", b"w\0" + b"x" * 90)] * 20
    assert_is(PICTURE, png(*texts))
    xmp = [chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)] * 50
    assert_is(TURNED, png(*xmp))


@pytest.mark.parametrize("key", [b"w", b"Raw profile type exif"])
def test_a_bomb_is_not_unpacked(key):
    bomb = zlib.compress(bytes(2**26), 1)
    data = png(chunk(b"zTXt", key + b"\0\0" + bomb))
    tracemalloc.start()
    assert_is(PICTURE, data)
    assert tracemalloc.get_traced_memory()[1] < 2**25
    tracemalloc.stop()


def test_pillows_limits_stay_what_they_are():
    before = PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY
    decode(png(BALLAST["long zTXt"]))
    assert before == (PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY)


@pytest.mark.parametrize("where", ["before", "after"])
def test_damage_of_the_pixels_is_still_a_failure(where):
    data = png(BALLAST["long zTXt"], where=where)
    at = data.index(b"IDAT") + 40
    with pytest.raises(ImageError, match=r"is (damaged|truncated)"):
        decode(data[:at] + bytes(20) + data[at + 20 :])


def test_a_png_for_ios_is_not_called_damaged():
    # A raw stream, without zlib's head: what Apple's tool makes of one.
    stream = zlib.compressobj(wbits=-15)
    pixels = stream.compress(bytes(6 * 28)) + stream.flush()
    data = PNG[:8] + chunk(b"CgBI", bytes(4)) + PNG[8:33] + chunk(b"IDAT", pixels) + PNG[-12:]
    with pytest.raises(ImageError, match=r"is not supported \(PNG in the variant of iOS apps\)"):
        decode(data)


def segment(marker, content):
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(segment(0xE0, b"JFIF"), id="short JFIF"),
        pytest.param(segment(0xEE, b"Adobe"), id="short Adobe"),
        pytest.param(segment(0xE2, b"ICC_PROFILE\0"), id="short ICC"),
        pytest.param(segment(0xE2, b"MPF\0" + bytes(9)), id="short list of pictures"),
        pytest.param(segment(0xE1, b"Exif\0\0MM\0*" + b"\xff" * 99), id="damaged EXIF"),
        pytest.param(segment(0xED, b"Photoshop 3.0\x008BIM\xff\xff\xff"), id="Photoshop's"),
    ],
)
def test_no_metadata_of_a_jpeg_refuse_its_picture(odd):
    plain = encoded("JPEG")
    assert_is(decode(plain), plain[:2] + odd + plain[2:])
    assert_is(decode(plain), plain[:20] + odd + plain[20:])


def test_beside_odd_metadata_the_orientation_of_a_jpeg_is_found():
    plain = encoded("JPEG", exif=orientation(6))
    data = plain[:2] + segment(0xE2, b"ICC_PROFILE\0") + plain[2:]
    assert_is(decode(encoded("JPEG")).transpose(Image.Transpose.ROTATE_270), data)


def test_beside_odd_metadata_the_colours_of_a_jpeg_stay():
    buffer = BytesIO()
    PICTURE.convert("CMYK").save(buffer, "JPEG")  # with Adobe's marker
    plain = buffer.getvalue()
    assert_is(decode(plain), plain[:2] + segment(0xE2, b"ICC_PROFILE\0") + plain[2:])


def test_damaged_exif_of_an_avif_refuses_no_picture():
    exif = Image.Exif()
    exif[0x010F] = "a maker"
    data = encoded("AVIF", exif=exif)
    at = data.index(exif.tobytes().removeprefix(b"Exif\0\0"))
    assert_is(decode(encoded("AVIF")), data[:at] + b"oops" + data[at + 4 :])


@pytest.mark.parametrize("format", ["WEBP", "TIFF"])
def test_long_and_damaged_metadata_of_others_refuse_no_picture(format):
    data = encoded(format, icc_profile=b"\xff" * 3_000_000)
    assert_is(decode(encoded(format)), data)


def test_a_long_comment_of_a_gif_refuses_no_picture():
    assert_is(decode(encoded("GIF")), encoded("GIF", comment=b"x" * 3_000_000))
