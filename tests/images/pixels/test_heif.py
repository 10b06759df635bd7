"""HEIC, as phones write it: the pixels of its main picture, upright, and all of them or a reason."""

from __future__ import annotations

import random
import sys
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from penult.errors import ImageError
from penult.images.in_memory import MemoryRecord
from penult.images.pixels.decode import decode

pillow_heif = pytest.importorskip("pillow_heif")
pillow_heif.register_heif_opener()

LOSSLESS = {"quality": -1, "chroma": 444, "matrix_coefficients": 0}


@pytest.fixture(scope="module")
def picture():
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
    return small.resize((256, 192), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def tiled(picture):
    """Twelve tiles, each of them coded by itself, as in the photos of an iPhone."""
    return encoded(picture, tile_size=64)


def encoded(image, format="HEIF", **options):
    buffer = BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def outcome(data, **options):
    try:
        return np.asarray(decode(data, **options))
    except ImageError as error:
        return str(error)


@pytest.mark.parametrize("tile_size", [0, 64])
def test_the_pixels_are_those_that_were_saved(picture, tile_size):
    data = encoded(picture, tile_size=tile_size, **LOSSLESS)
    np.testing.assert_array_equal(outcome(data), np.asarray(picture))


def test_a_file_is_known_by_its_content_and_read_from_a_name_that_lies(picture, tmp_path):
    from penult.images.in_memory import as_records
    from penult.images.read import read_pixels

    path = tmp_path / "IMG_0001.jpg"
    path.write_bytes(encoded(picture, **LOSSLESS))
    (record,) = as_records([path])
    np.testing.assert_array_equal(read_pixels(record, np.asarray)[0], np.asarray(picture))


def test_without_the_extra_it_is_a_failure_that_names_it(tiled, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    assert outcome(tiled) == "is HEIC; type: pip install 'penult[heif]'"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_turned_once_although_exif_says_it_again(picture, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = outcome(encoded(picture, "PNG", exif=exif))
    data = encoded(picture, exif=exif.tobytes(), **LOSSLESS)
    np.testing.assert_array_equal(outcome(data), upright)


@pytest.mark.parametrize("main", [0, 1, 2])
def test_of_several_pictures_the_main_one_counts(main):
    first, *others = (Image.new("RGB", (64, 64), colour) for colour in ("red", "lime", "blue"))
    data = encoded(first, save_all=True, append_images=others, primary_index=main, **LOSSLESS)
    colour = [0, 0, 0]
    colour[main] = 255
    assert outcome(data)[5, 5].tolist() == colour


def test_no_thumbnail_is_taken_for_the_picture(picture):
    data = encoded(picture, thumbnails=[64])
    np.testing.assert_array_equal(outcome(data, at_least=(32, 32)), outcome(data))


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA"])
def test_grey_and_alpha_are_those_of_a_png(picture, mode):
    image = picture.convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    image = image.convert(mode)
    expected = outcome(encoded(image, "PNG")).astype(int)
    assert np.abs(outcome(encoded(image, **LOSSLESS)) - expected).max() <= 1


@pytest.mark.parametrize("mode", ["RGB;16", "I;16"])
def test_of_ten_bits_the_upper_eight_count(picture, mode):
    high = np.asarray(picture if mode == "RGB;16" else picture.convert("L"))
    samples = high.astype(np.uint16) << 8 | 0x00C0
    file = pillow_heif.from_bytes(mode, picture.size, samples.tobytes())
    buffer = BytesIO()
    file.save(buffer, **LOSSLESS)
    assert pillow_heif.open_heif(buffer.getvalue()).info["bit_depth"] == 10
    expected = high if high.ndim == 3 else np.stack([high] * 3, axis=-1)
    np.testing.assert_array_equal(outcome(buffer.getvalue()), expected)


def test_the_limit_of_pixels_is_asked_before_anything_is_decoded(tiled, monkeypatch):
    monkeypatch.setattr(pillow_heif.HeifImage, "load", lambda image: pytest.fail("decoded"))
    assert outcome(tiled, max_pixels=9_999) == (
        "is 256 × 192 = 49,152 pixels, more than the limit of 9,999"
    )


def test_a_header_that_announces_less_than_there_is_makes_no_larger_picture(picture):
    # Otherwise the limit of pixels, and the memory set aside, would be those of the header.
    data = encoded(picture)
    at = data.index(b"ispe") + 8
    data = data[:at] + (16).to_bytes(4) * 2 + data[at + 8 :]
    result = outcome(data)
    assert isinstance(result, str) or result.size <= 16 * 16 * 3


@pytest.mark.parametrize("allow_truncated", [False, True])
@pytest.mark.parametrize("tenths", range(10))
def test_a_truncated_file_is_a_failure_and_no_picture_with_black_tiles(
    tiled, tenths, allow_truncated
):
    result = outcome(tiled[: len(tiled) * tenths // 10], allow_truncated=allow_truncated)
    assert result.startswith("is truncated: " if tenths else "is empty")


def test_one_byte_less_is_too_little_and_bytes_behind_the_picture_are_not_missed(tiled):
    assert (
        outcome(tiled[:-1]) == f"is truncated: {len(tiled) - 1:,} of at least {len(tiled):,} bytes"
    )
    np.testing.assert_array_equal(outcome(tiled + bytes(9)), outcome(tiled))


@pytest.mark.parametrize("part", [(0.4, 0.5), (0.5, 1), (0.98, 1)], ids=["hole", "half", "end"])
def test_zeros_of_an_interrupted_copy_are_damage(tiled, part):
    begin, end = (round(len(tiled) * share) for share in part)
    result = outcome(tiled[:begin] + bytes(end - begin) + tiled[end:])
    assert result.startswith("is damaged (a part of the picture is ")


@pytest.mark.skipif(
    [int(part) for part in pillow_heif.__version__.split(".")[:2]] < [1, 5],
    reason="pillow-heif writes tiles since 1.5",
)
def test_a_tile_that_is_not_named_is_no_black_one(tiled):
    assert tiled.count(b"hvc1") == 12
    at = tiled.rindex(b"hvc1")
    result = outcome(tiled[:at] + b"avc1" + tiled[at + 4 :])
    assert result == "is not supported (HEIF with a tile of 'avc1')"


def test_damaged_exif_refuses_no_picture(picture):
    exif = Image.Exif()
    exif[0x0110] = "a camera"
    data = encoded(picture, exif=exif.tobytes(), **LOSSLESS)
    at = data.rindex(b"a camera")
    at = max(data.rfind(order, 0, at) for order in (b"MM\0*", b"II*\0"))
    damaged = data[:at] + b"\xff" * 20 + data[at + 20 :]
    np.testing.assert_array_equal(outcome(damaged), np.asarray(picture))


def test_flipped_bits_end_as_a_picture_or_a_named_failure(tiled, capfd):
    rng = random.Random(0)
    outcomes = set()
    for _ in range(250):
        data = bytearray(tiled)
        for _ in range(rng.choice([1, 1, 4, 20])):
            where = rng.randrange(len(data) if rng.random() < 0.5 else 900)
            data[where] ^= 1 << rng.randrange(8)
        result = outcome(bytes(data), max_pixels=1_000_000)
        outcomes.add(type(result))
        if isinstance(result, str):
            assert "\n" not in result
            assert 10 < len(result) < 200
    assert outcomes == {str, np.ndarray}
    assert capfd.readouterr() == ("", "")


def test_many_threads_decode_what_one_does(tiled):
    alone = outcome(tiled)
    with ThreadPoolExecutor(8) as pool:
        for result in pool.map(outcome, [tiled] * 40):
            np.testing.assert_array_equal(result, alone)


def test_what_a_program_opened_with_pillow_is_read_as_the_file_is(tiled, tmp_path):
    def given(image):
        return MemoryRecord(id="0", open=None, image=image).to_rgb()

    image = Image.open(BytesIO(tiled))
    np.testing.assert_array_equal(np.asarray(given(image)), outcome(tiled))
    image.load()
    np.testing.assert_array_equal(np.asarray(given(image)), outcome(tiled))
    with pytest.raises(ImageError, match="is truncated: "):
        given(Image.open(BytesIO(tiled[: len(tiled) * 2 // 3])))
