"""Hostile and damaged bytes: each ends as a correct picture or as a named failure, and in silence."""

from __future__ import annotations

import random
import struct
import threading
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageFile

from penult.errors import ImageError
from penult.images.pixels.boxes import boxes
from penult.images.pixels.decode import decode, decoded_alike
from penult.images.pixels.png import without_ancillary_chunks

KINDS = {
    "JPEG": ("JPEG", {}),
    "progressive JPEG": ("JPEG", {"progressive": True}),
    "PNG": ("PNG", {}),
    "WebP": ("WEBP", {}),
    "lossless WebP": ("WEBP", {"lossless": True}),
    "GIF": ("GIF", {}),
    "BMP": ("BMP", {}),
    "TIFF": ("TIFF", {}),
    "LZW TIFF": ("TIFF", {"compression": "tiff_lzw"}),
    "JPEG TIFF": ("TIFF", {"compression": "jpeg"}),
    "deflate TIFF": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "AVIF": ("AVIF", {}),
    "JPEG 2000": ("JPEG2000", {}),
    "icon": ("ICO", {"sizes": [(128, 96)]}),
    "icon of a bitmap": ("ICO", {"sizes": [(128, 96)], "bitmap_format": "bmp"}),
    "PPM": ("PPM", {}),
}


@pytest.fixture(scope="module")
def files():
    """One picture in every kind of file."""
    rng = np.random.default_rng(0)
    slope = np.indices((96, 128)).sum(0)[..., None] * np.array([0.9, 0.6, 0]) + 20
    picture = Image.fromarray((slope + rng.integers(0, 30, (96, 128, 3))).astype(np.uint8))
    result = {}
    for kind, (format, options) in KINDS.items():
        buffer = BytesIO()
        picture.save(buffer, format, **options)
        result[kind] = buffer.getvalue()
    return result


def outcome(data, **options):
    """The pixels, or the reason; anything else than an `ImageError` fails the test."""
    try:
        return np.asarray(decode(data, **options))
    except ImageError as error:
        return str(error)


def assert_readable(reason):
    assert "\n" not in reason
    assert 10 < len(reason) < 200
    assert reason.startswith(("is ", "has ", "needs ", "holds "))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tenths", range(10))
def test_a_truncated_file_is_a_failure_or_whole(files, kind, tenths, capfd):
    data = files[kind]
    result = outcome(data[: len(data) * tenths // 10])
    if isinstance(result, str):
        assert_readable(result)
    else:
        # The bytes cut off held nothing of the picture (the end of a PNG, say).
        np.testing.assert_array_equal(result, outcome(data))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "kind",
    ["JPEG", "progressive JPEG", "PNG", "WebP", "GIF", "BMP", "AVIF", "JPEG 2000", "icon", "PPM"],
)
def test_half_a_file_is_said_to_be_truncated(files, kind):
    data = files[kind]
    assert "is truncated: " in outcome(data[: len(data) // 2])


def test_where_the_header_says_how_long_the_file_is_so_does_the_reason(files):
    data = files["WebP"]
    assert outcome(data[:100]) == f"is truncated: 100 of at least {len(data):,} bytes"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "PPM"])
def test_a_truncated_file_gives_the_part_that_is_there_when_asked_to(files, kind):
    data = files[kind]
    whole, part = outcome(data), outcome(data[: len(data) * 7 // 10], allow_truncated=True)
    assert part.shape == whole.shape
    if kind == "BMP":  # stored from the bottom up
        whole, part = whole[::-1], part[::-1]
    np.testing.assert_array_equal(part[:32], whole[:32])
    assert (part[-1] != whole[-1]).any()


@pytest.mark.parametrize("percent", range(50, 100, 3))
def test_a_truncated_progressive_jpeg_gives_a_coarser_picture_when_asked_to(files, percent):
    data = files["progressive JPEG"]
    whole = outcome(data).astype(int)
    part = outcome(data[: len(data) * percent // 100], allow_truncated=True)
    assert np.abs(part - whole).mean() < 12


def test_a_progressive_jpeg_cut_inside_a_table_gives_the_scans_before_it(files):
    data = files["progressive JPEG"]
    last_table = data.rindex(b"\xff\xc4")
    before = outcome(data[:last_table], allow_truncated=True)
    for cut in range(last_table + 1, last_table + 20):
        result = outcome(data[:cut], allow_truncated=True)
        np.testing.assert_array_equal(result, before)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_nothing_left_of_a_picture_is_a_failure_even_then(files, kind):
    data = files[kind]
    start = data.index(b"\xff\xda") + 14 if kind == "JPEG" else data.index(b"IDAT") + 8
    assert "is truncated" in outcome(data[:start], allow_truncated=True)


def test_a_whole_file_is_the_same_whether_truncated_ones_are_allowed(files):
    for data in files.values():
        np.testing.assert_array_equal(outcome(data), outcome(data, allow_truncated=True))


def test_allowing_truncated_files_in_one_thread_does_not_loosen_another(files):
    data = files["JPEG"][: len(files["JPEG"]) // 2]
    barrier = threading.Barrier(4)

    def many(tolerant):
        barrier.wait()
        return {type(outcome(data, allow_truncated=tolerant)) for _ in range(100)}

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(many, [True, False, True, False]))
    assert results == [{np.ndarray}, {str}, {np.ndarray}, {str}]
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


@pytest.mark.parametrize("kind", KINDS)
def test_flipped_bits_end_as_a_picture_or_a_named_failure(files, kind, capfd):
    rng = random.Random(kind)
    outcomes = set()
    for number in range(250):
        data = bytearray(files[kind])
        for _ in range(rng.choice([1, 1, 4, 20])):
            # Half of them in the header, where they do the most.
            where = rng.randrange(len(data) if rng.random() < 0.5 else min(len(data), 200))
            data[where] ^= 1 << rng.randrange(8)
        result = outcome(bytes(data), max_pixels=1_000_000, allow_truncated=number % 2 == 1)
        outcomes.add(type(result))
        if isinstance(result, str):
            assert_readable(result)
    assert outcomes == {str, np.ndarray}
    assert capfd.readouterr() == ("", "")


def test_an_empty_file_is_called_empty():
    assert outcome(b"") == "is empty (0 bytes)"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        pytest.param(b"<!DOCTYPE html>", "begins with the text '<!DOCTYPE ht'", id="a web page"),
        pytest.param(b"hello\n", "begins with the text 'hello'", id="text"),
        pytest.param(b"\0" * 4096, "is 4,096 bytes of zeros", id="zeros"),
        pytest.param(b"%!PS-Adobe-3.0\n", "begins with the text '%!PS-Adobe-3'", id="PostScript"),
        pytest.param(b"\0\x01\xff\xfe", "begins with the bytes 00 01 ff fe", id="binary"),
        pytest.param(b"\xff", "begins with the bytes ff", id="one byte"),
        pytest.param(b"a\x1b[2J", "begins with the bytes 61 1b 5b 32 4a", id="terminal"),
        pytest.param("é".encode(), "begins with the bytes c3 a9", id="not ASCII"),
    ],
)
def test_what_is_no_image_is_told_by_how_it_begins(data, told):
    assert outcome(data) == f"is not an image that can be read (it {told})"


def test_a_format_is_known_by_its_bytes_whatever_the_name(files):
    assert all(outcome(data).shape == (96, 128, 3) for data in files.values())


def bmp(*, compression=0, bits=24, announced=None):
    buffer = BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "BMP")
    data = bytearray(buffer.getvalue())
    data[28:34] = struct.pack("<HI", bits, compression)
    if announced is not None:
        data[2:6] = struct.pack("<I", announced)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        pytest.param(bmp(compression=4), "Unsupported BMP compression (4)", id="JPEG in BMP"),
        pytest.param(
            bmp(compression=5, announced=10**9),
            "Unsupported BMP compression (5)",
            id="in a file that is shorter than it says",
        ),
        pytest.param(bmp(bits=2), "Unsupported BMP pixel depth (2)", id="2 bits"),
        pytest.param(bmp(compression=3), "Unsupported BMP bitfields layout", id="bit fields"),
        pytest.param(
            b"\xff\xd8\xff\xc1" + struct.pack(">HBHHB3s", 11, 12, 8, 8, 1, b"\1\x11\0"),
            "cannot handle 12-bit layers",
            id="12-bit JPEG",
        ),
    ],
)
def test_a_variant_that_is_not_read_is_called_unsupported_and_not_damaged(data, what):
    assert outcome(data) == f"is not supported ({what})"


def png_header(width, height):
    return b"\x89PNG\r\n\x1a\n" + struct.pack(
        ">I4sIIBBBBB", 13, b"IHDR", width, height, 8, 2, 0, 0, 0
    )


def jpeg_header(data, width, height):
    """`data` with another size in its start-of-frame segment."""
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def test_a_bomb_is_refused_from_its_header(files):
    # There is nothing behind the header, so that only the header can have been read.
    header = png_header(60_000, 50_000)
    checksum = struct.pack(">I", zlib.crc32(header[12:]))
    bomb = (
        header + checksum + struct.pack(">I4s", 0, b"IDAT") + struct.pack(">I", zlib.crc32(b"IDAT"))
    )
    expected = "is 60,000 × 50,000 = 3,000,000,000 pixels, more than the limit of 178,956,970"
    assert outcome(bomb) == expected
    assert "pixels, more than the limit" in outcome(jpeg_header(files["JPEG"], 65_000, 65_000))


def test_the_limit_of_pixels_is_the_callers(files):
    assert outcome(files["PNG"], max_pixels=96 * 128).shape == (96, 128, 3)
    refusal = "is 128 × 96 = 12,288 pixels, more than the limit of 12,287"
    assert outcome(files["PNG"], max_pixels=96 * 128 - 1) == refusal


@pytest.mark.parametrize("kind", KINDS)
def test_the_limit_holds_for_every_format(files, kind):
    assert "more than the limit of 100" in outcome(files[kind], max_pixels=100)


def test_pillows_own_limit_is_neither_needed_nor_obeyed(files, monkeypatch):
    # It is a global, which other libraries set; it would warn, or refuse.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert outcome(files["PNG"]).shape == (96, 128, 3)


def test_the_smallest_and_the_longest_picture_are_decoded():
    for size in [(1, 1), (1, 20_000), (20_000, 1)]:
        buffer = BytesIO()
        Image.new("RGB", size, "red").save(buffer, "PNG")
        assert decode(buffer.getvalue()).size == size


def test_warnings_of_pillow_stay_silent_even_where_they_are_errors(files):
    # An animation of no frames, announced right behind the header.
    content = b"acTL" + struct.pack(">II", 0, 0)
    chunk = struct.pack(">I", 8) + content + struct.pack(">I", zlib.crc32(content))
    data = files["PNG"][:33] + chunk + files["PNG"][33:]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="Invalid APNG"):
            Image.open(BytesIO(data))
        np.testing.assert_array_equal(outcome(data), outcome(files["PNG"]))


def test_many_threads_decode_what_one_does(files):
    alone = {kind: outcome(data) for kind, data in files.items()}
    work = [kind for kind in KINDS for _ in range(20)]
    random.Random(0).shuffle(work)
    with ThreadPoolExecutor(8) as pool:
        for kind, result in zip(work, pool.map(lambda k: outcome(files[k]), work), strict=True):
            np.testing.assert_array_equal(result, alone[kind])


def test_no_memory_for_a_picture_is_the_failure_of_that_picture(files, monkeypatch):
    def no_memory(*_, **__):
        raise MemoryError

    monkeypatch.setattr("penult.images.pixels.decode.upright", no_memory)
    assert outcome(files["PNG"]) == "needs more memory to decode than there is"


def test_damaged_bytes_are_decoded_for_each_size_by_itself(files):
    sizes = [(8, 8), (64, 64), None]
    assert decoded_alike(files["JPEG"][:20], sizes) == [[(8, 8)], [(64, 64)], [None]]


def test_a_text_of_a_png_that_cannot_be_unpacked_is_left_out(files):
    content = b"Raw profile type exif\0\0not packed"
    chunk = struct.pack(">I", len(content)) + b"zTXt" + content
    chunk += struct.pack(">I", zlib.crc32(b"zTXt" + content))
    data = files["PNG"][:33] + chunk + files["PNG"][33:]
    assert without_ancillary_chunks(data) == files["PNG"]
    np.testing.assert_array_equal(outcome(data), outcome(files["PNG"]))


def test_boxes_may_say_their_length_in_eight_bytes_and_end_where_it_is_less_than_their_head():
    long = struct.pack(">I4sQ", 1, b"mdat", 20) + b"data"
    free = struct.pack(">I4s", 8, b"free")
    assert [*boxes(long + free + struct.pack(">I4s", 7, b"none") + free)] == [
        (b"mdat", 16, 20),
        (b"free", 28, 28),
    ]
