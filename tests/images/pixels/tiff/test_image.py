"""Layouts of TIFF: each ends in the right pixels, or in a failure that calls it unsupported."""

from __future__ import annotations

import struct
from io import BytesIO

import numpy as np
import PIL
import pytest
import tifffile
from PIL import Image

from penult.errors import ImageError
from penult.images.in_memory import MemoryRecord
from penult.images.pixels.decode import decode
from penult.images.pixels.tiff import layout

HEIGHT, WIDTH = 18, 37  # no multiple of a tile's or a strip's, nor of a byte's bits


def outcome(data, **options):
    try:
        return np.asarray(decode(data, **options))
    except ImageError as error:
        return str(error)


def samples(count, bits, seed=0):
    """(H, W, count), over the whole range of the bits."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 2**bits, (HEIGHT, WIDTH, count), np.uint8 if bits <= 8 else np.uint16)


def encoded(values, *, planar=False, tiled=False, **options):
    values = values[..., 0] if values.shape[-1] == 1 else values
    if values.ndim == 3:
        options["planarconfig"] = "separate" if planar else "contig"
        values = np.moveaxis(values, -1, 0) if planar else values
    options |= {"tile": (16, 32)} if tiled else {"rowsperstrip": 7}
    buffer = BytesIO()
    tifffile.imwrite(buffer, values, metadata=None, **options)
    return buffer.getvalue()


def over_white(rgb, alpha):
    alpha = alpha[..., None] / 255
    return rgb * alpha + 255 * (1 - alpha)


def lab_to_rgb(lab):
    bands = [Image.fromarray(np.ascontiguousarray(lab[..., band])) for band in range(3)]
    return np.asarray(Image.merge("LAB", bands).convert("RGB"))


# By the rules of docs/images.md, from samples of 8 bits.
KINDS = {
    "grey": ({"photometric": "minisblack"}, 1, lambda v: v),
    "white is zero": ({"photometric": "miniswhite"}, 1, lambda v: 255 - v),
    "grey and alpha": (
        {"photometric": "minisblack", "extrasamples": ["unassalpha"]},
        2,
        lambda v: over_white(v[..., :1], v[..., 1]),
    ),
    "white is zero and alpha": (
        {"photometric": "miniswhite", "extrasamples": ["unassalpha"]},
        2,
        lambda v: over_white(255 - v[..., :1].astype(int), v[..., 1]),
    ),
    "RGB": ({"photometric": "rgb"}, 3, lambda v: v),
    "RGB and alpha": (
        {"photometric": "rgb", "extrasamples": ["unassalpha"]},
        4,
        lambda v: over_white(v[..., :3], v[..., 3]),
    ),
    "RGB, something else and alpha": (
        {"photometric": "rgb", "extrasamples": ["unspecified", "unassalpha"]},
        5,
        lambda v: over_white(v[..., :3], v[..., 4]),
    ),
    "grey and four others": (
        {"photometric": "minisblack", "extrasamples": ["unspecified"] * 4},
        5,
        lambda v: v[..., :1],
    ),
    "CMYK": (
        {"photometric": "separated"},
        4,
        lambda v: (255 - v[..., :3].astype(int)) * (255 - v[..., 3:].astype(int)) / 255,
    ),
    "CMYK and alpha": (
        {"photometric": "separated", "extrasamples": ["unassalpha"]},
        5,
        lambda v: over_white(
            (255 - v[..., :3].astype(int)) * (255 - v[..., 3:4].astype(int)) / 255, v[..., 4]
        ),
    ),
    "CIELab": (
        {"photometric": "cielab"},
        3,
        lambda v: lab_to_rgb(v ^ np.array([0, 128, 128], np.uint8)),
    ),
    "ICCLab": ({"photometric": "icclab"}, 3, lab_to_rgb),
}
STORAGE = {
    "strips": {},
    "big-endian strips": {"byteorder": ">"},
    "tiles": {"tiled": True},
    "BigTIFF": {"bigtiff": True},
    "deflate": {"compression": "zlib"},
    "predicted deflate, big-endian tiles": {
        "compression": "zlib",
        "predictor": 2,
        "tiled": True,
        "byteorder": ">",
    },
    "LZMA": {"compression": "lzma"},
}


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("planar", [False, True], ids=["interleaved", "planar"])
@pytest.mark.parametrize("storage", STORAGE)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_colour_is_right_however_it_is_stored(kind, storage, planar, bits):
    options, count, rule = KINDS[kind]
    values = samples(count, bits)
    result = outcome(encoded(values, planar=planar, **options, **STORAGE[storage]))
    expected = np.broadcast_to(rule((values >> (bits - 8)).astype(np.uint8)), (HEIGHT, WIDTH, 3))
    assert np.abs(result - expected.astype(float)).max() <= 1


@pytest.mark.parametrize("tiled", [False, True], ids=["strips", "tiles"])
@pytest.mark.parametrize("bits", [1, 3, 4, 6, 10, 12, 14])
def test_every_depth_up_to_sixteen_bits_fills_the_range(bits, tiled):
    values = samples(3, bits)
    rows = np.pad(values, ((0, 14), (0, 27), (0, 0))) if tiled else values
    row = (rows[..., None] >> np.arange(bits)[::-1] & 1).astype(np.uint8)
    if tiled:  # two by two of (16, 32)
        row = row.reshape(2, 16, 2, 32, -1).swapaxes(1, 2)
        parts = [
            np.packbits(part.reshape(16, -1), axis=1).tobytes() for part in row.reshape(4, 16, -1)
        ]
        where = {322: [32], 323: [16], 324: parts}
    else:
        where = {273: [np.packbits(row.reshape(HEIGHT, -1), axis=1).tobytes()], 278: [HEIGHT]}
    data = tiff({258: [bits] * 3, 262: [2], 277: [3], **where})
    expected = values >> (bits - 8) if bits > 8 else np.round(values * 255.0 / (2**bits - 1))
    np.testing.assert_array_equal(outcome(data), expected)


@pytest.mark.parametrize("bits", [4, 8, 16])
def test_palettes_of_every_depth_are_looked_up(bits):
    values = samples(1, bits)
    colours = np.random.default_rng(1).integers(0, 65536, (3, 2**bits), np.uint16)
    if bits == 4:
        rows = np.packbits((values >> np.arange(4)[::-1] & 1).reshape(HEIGHT, -1), axis=1)
        data = tiff({258: [4], 262: [3], 277: [1], 273: [rows.tobytes()], 320: colours.ravel()})
    else:
        data = encoded(values, photometric="palette", colormap=colours)
    np.testing.assert_array_equal(outcome(data), colours.T[values[..., 0]] >> 8)


@pytest.mark.parametrize("planar", [False, True])
def test_premultiplied_grey_is_laid_over_white(planar):
    alpha = samples(1, 8)
    grey = alpha // 2  # 50% grey, multiplied
    data = encoded(
        np.concatenate([grey, alpha], -1),
        planar=planar,
        photometric="minisblack",
        extrasamples=["assocalpha"],
    )
    expected = grey.astype(float) + 255 - alpha
    assert np.abs(outcome(data) - expected).max() <= 1.5


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex64])
@pytest.mark.parametrize("count", [1, 3])
def test_floats_have_no_agreed_white_and_are_no_damage(dtype, count):
    values = np.zeros((HEIGHT, WIDTH, count), dtype)
    data = encoded(values, photometric="rgb" if count == 3 else "minisblack")
    assert "numbers, which have no agreed white" in outcome(data)


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.uint32, np.uint64])
@pytest.mark.parametrize("count", [1, 3])
def test_signed_and_long_integers_have_no_agreed_white(dtype, count):
    # Pillow takes int8 for uint8: -1 would be white.
    values = np.full((HEIGHT, WIDTH, count), 1).astype(dtype)
    data = encoded(values, photometric="rgb" if count == 3 else "minisblack")
    assert "integers, which have no agreed white" in outcome(data)


def tiff(tags, *, order="<"):
    """A TIFF from {tag: values}; the strips (273) or tiles (324) are given as bytes."""
    tags = {256: [WIDTH], 257: [HEIGHT], 259: [1]} | {tag: list(v) for tag, v in tags.items()}
    where = 324 if 324 in tags else 273
    parts = tags[where]
    tags[where + (1 if where == 324 else 6)] = [len(part) for part in parts]
    tags[where] = [0] * len(parts)
    shorts = {258, 262, 320, 338, 339}
    kind = {tag: "H" if tag in shorts else "I" for tag in tags}
    at = 8 + 2 + 12 * len(tags) + 4
    lists = {tag: struct.calcsize(order + kind[tag] * len(v)) for tag, v in tags.items()}
    pixels = at + sum(size for size in lists.values() if size > 4)
    tags[where] = [pixels + sum(map(len, parts[:i])) for i in range(len(parts))]
    entries, tail = b"", b""
    for tag, values in sorted(tags.items()):
        packed = struct.pack(order + kind[tag] * len(values), *values)
        if len(packed) > 4:
            packed, tail = struct.pack(order + "I", at + len(tail)), tail + packed
        number = {"H": 3, "I": 4}[kind[tag]]
        entries += struct.pack(order + "HHI", tag, number, len(values)) + packed.ljust(4, b"\0")
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "IH", 8, len(tags))
    return head + entries + bytes(4) + tail + b"".join(parts)


def strip_of(row_bytes, compression):
    """The bytes of a strip, as libtiff compresses them."""
    buffer = BytesIO()
    Image.fromarray(row_bytes).save(buffer, "TIFF", compression=compression)
    with Image.open(buffer) as image:
        (offset,), (count,) = image.tag_v2[273], image.tag_v2[279]
    return buffer.getvalue()[offset : offset + count]


@pytest.mark.parametrize(
    ("number", "compression"),
    [(5, "tiff_lzw"), (32773, "packbits"), (8, "tiff_adobe_deflate"), (50000, "zstd")],
)
def test_layouts_that_pillow_lacks_are_decompressed_by_its_libtiff(number, compression):
    if number == 50000 and int(PIL.__version__.partition(".")[0]) < 12:
        pytest.skip("before Pillow 12, its libtiff compressed no zstd")
    values = samples(5, 8)  # CMYK and alpha
    strip = strip_of(values.reshape(HEIGHT, -1), compression)
    tags = {258: [8] * 5, 262: [5], 277: [5], 338: [2], 273: [strip]}
    expected = outcome(tiff(tags | {273: [values.tobytes()]}))
    assert isinstance(expected, np.ndarray)
    np.testing.assert_array_equal(outcome(tiff(tags | {259: [number]})), expected)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (34887, "LERC compression"),
        (50002, "JPEG XL compression"),
        (34712, "JPEG 2000 compression"),
        (34661, "JBIG compression"),
        (12345, "compression 12345"),
    ],
)
def test_a_compression_that_nobody_here_knows_is_named(number, name):
    data = tiff({258: [8], 262: [1], 277: [1], 259: [number], 273: [bytes(100)]})
    assert outcome(data) == f"is not supported (TIFF with {name})"


def test_webp_is_named_where_libtiff_was_built_without_it(monkeypatch):
    monkeypatch.setattr(
        "penult.images.pixels.tiff.layout.can_decompress", lambda number: number != 50001
    )
    data = tiff({258: [8], 262: [1], 277: [1], 259: [50001], 273: [bytes(100)]})
    assert outcome(data) == "is not supported (TIFF with WebP compression)"


GREY = {258: [8], 262: [1], 277: [1], 273: [bytes(HEIGHT * WIDTH)]}
RGB = {258: [8] * 3, 262: [2], 277: [3], 273: [bytes(3 * HEIGHT * WIDTH)]}


@pytest.mark.parametrize(
    ("tags", "what"),
    [
        pytest.param(GREY | {262: [4]}, "TIFF of a transparency mask", id="mask"),
        pytest.param(GREY | {262: [32803]}, "TIFF of the raw data of a camera", id="raw"),
        pytest.param(RGB | {262: [10]}, "TIFF of ITULab", id="ITULab"),
        pytest.param(RGB | {258: [5, 6, 5]}, "TIFF with samples of 5, 6, 5 bits", id="depths"),
        pytest.param(
            RGB | {262: [5], 277: [4], 258: [8] * 4, 332: [2]},
            "TIFF of other inks than CMYK",
            id="inks",
        ),
        pytest.param(
            RGB | {262: [1]},
            "TIFF of 3 samples a pixel, 1 of them colour and 0 declared as extra",
            id="undeclared",
        ),
        pytest.param(
            RGB | {258: [12] * 3, 259: [7]},
            "TIFF of 12-bit RGB, JPEG compression",
            id="12-bit JPEG",
        ),
        pytest.param(
            GREY | {277: [2], 258: [8, 8], 338: [2], 259: [7], 284: [2], 273: [b"1", b"2"]},
            "TIFF of planar 8-bit grey with 1 extra sample, JPEG compression",
            id="planar JPEG",
        ),
        pytest.param(
            RGB | {262: [5], 277: [5], 258: [8] * 5, 338: [1]},
            "TIFF of 8-bit CMYK with premultiplied alpha, no compression",
            id="premultiplied inks",
        ),
        pytest.param(
            GREY | {259: [5], 317: [3]}, "TIFF with predictor 3 of 8-bit samples", id="predictor"
        ),
        pytest.param(
            GREY | {273: [], 322: [1 << 20], 323: [1 << 20], 324: [b""]},
            "TIFF with tiles of 1,048,576 × 1,048,576 pixels",
            id="a huge tile",
        ),
        pytest.param(
            GREY | {256: [1], 273: [], 322: [1 << 24], 323: [1], 324: [b""] * HEIGHT},
            "TIFF with tiles of 16,777,216 × 1 pixels",
            id="tiles of which nearly nothing is seen",
        ),
    ],
)
def test_what_is_not_read_is_called_unsupported_and_not_damaged(tags, what):
    tags = {tag: values for tag, values in tags.items() if tag != 273 or values}
    assert outcome(tiff(tags)) == f"is not supported ({what})"


def test_a_big_endian_bigtiff_is_not_called_truncated():
    data = encoded(samples(3, 8), photometric="rgb", bigtiff=True, byteorder=">")
    assert outcome(data) == "is not supported (big-endian BigTIFF)"


def subsampled(tags):
    # Two blocks of 2 × 2 pixels, red and blue: four of Y, then Cb and Cr.
    strip = bytes([76, 76, 76, 76, 85, 255, 29, 29, 29, 29, 255, 107])
    return tiff({256: [4], 257: [2], 258: [8] * 3, 262: [6], 277: [3], 273: [strip], **tags})


@pytest.mark.parametrize("tags", [{530: [2, 2]}, {}], ids=["stated", "by default"])
def test_subsampled_chroma_without_compression_is_spread_over_its_pixels(tags):
    red, blue = [255, 0, 0], [0, 0, 255]
    assert np.abs(outcome(subsampled(tags)).astype(int) - [[red, red, blue, blue]] * 2).max() <= 2


@pytest.mark.skipif(
    int(PIL.__version__.partition(".")[0]) < 13, reason="older Pillow calls such a file truncated"
)
def test_chroma_of_every_pixel_is_recognised_by_its_size_where_no_tag_says_so():
    data = subsampled({273: [bytes([76, 85, 255] * 8)]})
    assert np.abs(outcome(data).astype(int) - [255, 0, 0]).max() <= 2


@pytest.mark.parametrize(
    "tags",
    [
        pytest.param({278: [1]}, id="strips are missing"),
        pytest.param({256: [0]}, id="no width"),
        pytest.param({258: [0]}, id="no bits"),
        pytest.param({273: [bytes(10)]}, id="cut"),
        pytest.param({277: [2], 258: [16] * 2, 338: [2], 273: [bytes(10)]}, id="cut, by samples"),
        pytest.param({277: [2], 258: [8] * 2, 338: [2], 259: [5]}, id="no LZW, by samples"),
    ],
)
def test_damage_is_still_called_damage(tags):
    assert outcome(tiff(GREY | tags)).startswith(("is damaged (", "is truncated: "))


def test_of_a_cut_file_of_an_uncommon_layout_the_rows_before_are_kept_when_asked_to():
    values = samples(2, 16)
    data = encoded(values, photometric="minisblack", extrasamples=["unassalpha"])
    cut = data[: -7 * WIDTH * 4]
    assert outcome(cut).startswith("is truncated: ")
    part = outcome(cut, allow_truncated=True)
    np.testing.assert_array_equal(part[:7], outcome(data)[:7])
    assert (part[-1] == 255).all()  # no alpha, no colour


def test_an_uncommon_layout_is_turned_upright_too():
    values = samples(2, 16)
    data = tiff({258: [16] * 2, 262: [1], 277: [2], 338: [0], 274: [6], 273: [values.tobytes()]})
    expected = np.rot90(values[..., 0] >> 8, -1)
    np.testing.assert_array_equal(outcome(data)[..., 0], expected)


def test_samples_of_no_stated_kind_are_unsigned():
    data = tiff(GREY | {339: [4], 273: [bytes([200] * HEIGHT * WIDTH)]})
    assert (outcome(data) == 200).all()


def test_pillows_limit_of_pixels_is_not_obeyed(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    for planar in (False, True):
        data = encoded(samples(3, 16), planar=planar, photometric="rgb")
        assert outcome(data).shape == (HEIGHT, WIDTH, 3)


def test_damaged_exif_refuses_no_tiff():
    # The pointer to the EXIF directory leads nowhere.
    data = tiff(GREY | {34665: [1 << 30], 34853: [4]})
    assert outcome(data).shape == (HEIGHT, WIDTH, 3)


def test_an_image_that_pillow_opened_and_misreads_is_refused():
    data = encoded(samples(3, 16), planar=True, photometric="rgb")
    with Image.open(BytesIO(data)) as image:
        record = MemoryRecord(id="image 0", open=lambda: BytesIO(), image=image)
        with pytest.raises(ImageError, match=r"misread by Pillow \(TIFF of planar 16-bit RGB, no"):
            record.to_rgb()


def test_a_fourth_sample_of_a_colour_picture_is_opacity_though_no_tag_says_so():
    values = samples(4, 16)
    data = tiff({258: [16] * 4, 262: [2], 277: [4], 273: [values.tobytes()]})
    expected = over_white(values[..., :3] >> 8, values[..., 3] >> 8)
    assert np.abs(outcome(data) - expected).max() <= 1.5


def test_a_palette_has_opacity_of_its_own_depth():
    red = [0, 65535] + [0] * 46  # number 1 of 16
    tags = {256: [2], 257: [1], 258: [4, 4], 262: [3], 277: [2], 320: red, 338: [2]}
    data = tiff({**tags, 273: [b"\x1f\x10"]})  # red, and red that is not seen
    np.testing.assert_array_equal(outcome(data), [[[255, 0, 0], [255, 255, 255]]])


def test_more_samples_than_memory_is_for_are_refused_by_their_bytes(monkeypatch):
    monkeypatch.setattr(layout, "_MOST_BYTES", 100)
    tags = GREY | {277: [5], 258: [8] * 5, 338: [0] * 4}
    assert outcome(tiff(tags)) == "is not supported (TIFF of 5 samples a pixel, 3,330 bytes)"


def test_text_in_place_of_a_number_is_damage():
    data = tiff(GREY)
    as_text = data.replace(struct.pack("<HH", 258, 3), struct.pack("<HH", 258, 2))
    assert outcome(as_text) == "is damaged (tag 258 is not made of numbers)"
