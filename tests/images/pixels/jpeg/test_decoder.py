"""JPEG: lost picture data are a failure, oddities that cost no pixel are not; pixels are Pillow's."""

from __future__ import annotations

import struct
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from penult.errors import ImageError
from penult.images.in_memory import as_records
from penult.images.pixels.decode import decode
from penult.images.pixels.jpeg import losses

END = b"\xff\xd9"
SCAN, QUANTIZATION, FRAME, HUFFMAN = b"\xff\xda", b"\xff\xdb", b"\xff\xc0", b"\xff\xc4"
HEIGHT, WIDTH = 96, 130

KINDS = {
    "plain": ("RGB", {}),
    "all chroma": ("RGB", {"subsampling": 0}),
    "chroma halved across": ("RGB", {"subsampling": 1}),
    "progressive": ("RGB", {"progressive": True}),
    "own tables": ("RGB", {"optimize": True}),
    "restart rows": ("RGB", {"restart_marker_rows": 1}),
    "restart blocks": ("RGB", {"restart_marker_blocks": 3}),
    "progressive with restarts": ("RGB", {"progressive": True, "restart_marker_rows": 1}),
    "not YCbCr": ("RGB", {"keep_rgb": True}),
    "grey": ("L", {}),
    "progressive grey": ("L", {"progressive": True}),
    "CMYK": ("CMYK", {}),
    "progressive CMYK": ("CMYK", {"progressive": True}),
}


def picture(height=HEIGHT, width=WIDTH):
    rng = np.random.default_rng(0)
    slope = np.indices((height, width)).sum(0)[..., None] * np.array([0.9, 0.6, 0]) + 20
    noise = rng.integers(0, 30, (height, width, 3))
    return Image.fromarray((slope % 200 + noise).astype(np.uint8))


def encode(kind, image=None, **options):
    mode, more = KINDS[kind]
    out = BytesIO()
    (image or picture()).convert(mode).save(out, "JPEG", **more, **options)
    return out.getvalue()


@pytest.fixture(scope="module")
def files():
    return {kind: encode(kind) for kind in KINDS}


def pillow(data, at_least=None):
    image = Image.open(BytesIO(data))
    if at_least:
        image.draft(None, at_least)
    return np.asarray(image.convert("RGB"))


def pixels(data, **options):
    return np.asarray(decode(data, **options))


def reason(data):
    with pytest.raises(ImageError) as caught:
        decode(data)
    return str(caught.value)


def insert(data, marker, what):
    at = data.rindex(marker) if marker == END else data.index(marker)
    return data[:at] + what + data[at:]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), (17, 16), (1, 1), (9, 200)])
def test_the_pixels_are_pillows(kind, size):
    data = encode(kind, picture(*size))
    np.testing.assert_array_equal(pixels(data), pillow(data))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(250, 333), (40, 600)])
@pytest.mark.parametrize("edge", [125, 60, 20])
def test_the_pixels_are_pillows_when_scaled_down_in_the_decoder(kind, size, edge):
    data = encode(kind, picture(*size))
    expected = pillow(data, (edge, edge))
    np.testing.assert_array_equal(pixels(data, at_least=(edge, edge)), expected)


@pytest.mark.parametrize("options", [{}, {"at_least": (60, 40)}])
def test_inks_that_are_stored_as_luma_and_chroma_are_pillows_too(files, options):
    data = files["CMYK"].replace(b"Adobe\0\x64\0\0\0\0\0", b"Adobe\0\x64\0\0\0\0\x02")
    assert data != files["CMYK"]
    np.testing.assert_array_equal(pixels(data, **options), pillow(data, *options.values()))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_upright(orientation):
    exif = Image.Exif()
    exif[0x112] = orientation
    data = encode("plain", exif=exif)
    turned = pixels(data)
    assert turned.shape == ((HEIGHT, WIDTH, 3) if orientation < 5 else (WIDTH, HEIGHT, 3))
    corner = pillow(data)[0, 0]
    assert any((turned[y, x] == corner).all() for y in (0, -1) for x in (0, -1))


def test_of_several_pictures_in_a_file_the_first_counts(files):
    out = BytesIO()
    picture().save(out, "MPO", save_all=True, append_images=[Image.new("RGB", (64, 64), "red")])
    data = out.getvalue()
    assert Image.open(BytesIO(data)).format == "MPO"
    np.testing.assert_array_equal(pixels(data), pillow(files["plain"]))
    # The second one is not looked at, and may be cut.
    np.testing.assert_array_equal(pixels(data[:-9]), pillow(files["plain"]))


HARMLESS = {
    "bytes behind the end": lambda d: d + bytes(range(256)),
    "another file behind the end": lambda d: d + d,
    "bytes behind the start": lambda d: d[:2] + b"\0junk" + d[2:],
    "bytes before a table": lambda d: insert(d, QUANTIZATION, b"\x01\x02\x03"),
    "bytes before the scan": lambda d: insert(d, SCAN, bytes(40)),
    "fill bytes": lambda d: insert(d, SCAN, b"\xff\xff\xff"),
    "a byte before the end": lambda d: insert(d, END, b"\x37"),
    "zeros before the end": lambda d: insert(d, END, bytes(500)),
    "text before the end": lambda d: insert(d, END, b"serial number 12345, f/2.8"),
    "a restart marker before the end": lambda d: insert(d, END, b"\xff\xd0"),
    "no end mark": lambda d: d[:-2],
    "half an end mark": lambda d: d[:-1],
    "zeros instead of an end mark": lambda d: d[:-2] + bytes(2),
    "an unknown version of JFIF": lambda d: d.replace(b"JFIF\0\x01", b"JFIF\0\x07"),
    "a profile with an odd number": lambda d: insert(
        d, QUANTIZATION, b"\xff\xe2\x00\x10ICC_PROFILE\x00\x09\x02"
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("oddity", HARMLESS)
def test_what_costs_no_pixel_refuses_no_picture(files, kind, oddity):
    odd = HARMLESS[oddity](files[kind])
    np.testing.assert_array_equal(pixels(odd), pillow(files[kind]))
    np.testing.assert_array_equal(
        pixels(odd, at_least=(60, 40)), pixels(files[kind], at_least=(60, 40))
    )


def test_an_odd_transform_in_adobes_marker_refuses_no_picture(files):
    marker = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x09"
    data = files["plain"]
    # Behind JFIF's marker it counts for nothing; in its place, YCbCr is assumed.
    for start in (2, 20):
        odd = data[:2] + data[20:start] + marker + data[20:]
        np.testing.assert_array_equal(pixels(odd), pillow(data))


def test_odd_parameters_of_a_sequential_scan_refuse_no_picture(files):
    data = files["plain"]
    at = data.index(SCAN) + 2 + int.from_bytes(data[data.index(SCAN) + 2 :][:2])
    odd = data[: at - 3] + b"\x01\x02\x03" + data[at:]
    np.testing.assert_array_equal(pixels(odd), pillow(data))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tenths", [3, 5, 7, 9])
def test_part_of_a_photo_closed_by_an_end_mark_is_a_failure(files, kind, tenths):
    data = files[kind]
    start = data.rindex(SCAN) if "progressive" not in kind else data.index(SCAN)
    cut = data[: start + 20 + (len(data) - start - 20) * tenths // 10] + END
    assert reason(cut).startswith(("is damaged (", "is truncated: "))
    assert pixels(cut, allow_truncated=True).shape == (HEIGHT, WIDTH, 3)


def test_the_reason_is_what_the_decoder_says(files):
    data = files["plain"]
    assert reason(data[: len(data) // 2] + END) == "is damaged (premature end of data segment)"


def test_a_code_that_is_in_no_table_is_noticed():
    data = encode("restart rows")  # between restart markers the decoder looks at every code
    at = data.index(b"\xff\xd1") + 2
    ones = data[:at] + 8 * b"\xff\x00" + data[at + 16 :]  # a byte of ones each; no code is all ones
    assert reason(ones) == "is damaged (bad Huffman code)"


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_end_is_called_truncated(files, kind):
    data = files[kind]
    expected = f"is truncated: it ends after {len(data) - 300:,} bytes, before the picture does"
    assert reason(data[:-300]) == expected


@pytest.mark.parametrize("kind", ["plain", "own tables", "grey", "CMYK", "progressive"])
@pytest.mark.parametrize("filler", [b"\0", b"\x55", b"\xaa"])
def test_the_end_of_a_file_that_was_never_written_is_missed(kind, filler):
    # At a low quality few bits make a block, so that filler makes a whole picture too.
    data = encode(kind, quality=5)
    cut = data[: len(data) - 200] + 3000 * filler
    for end in (b"", END):
        assert reason(cut + end).startswith(("is damaged (", "is truncated: "))


@pytest.mark.parametrize("kind", KINDS)
def test_a_lost_piece_in_the_middle_is_noticed(files, kind):
    data = files[kind]
    middle = (data.index(SCAN) + len(data)) // 2
    assert reason(data[: middle - 150] + data[middle + 150 :]).startswith("is damaged (")


def shorten(data, height):
    """The same file, but with a frame of fewer rows, so that some of the picture is left over."""
    at = data.index(FRAME) + 5
    return data[:at] + struct.pack(">H", height) + data[at + 2 :]


@pytest.mark.parametrize("kind", ["plain", "own tables", "all chroma", "not YCbCr", "grey", "CMYK"])
def test_picture_data_that_are_left_over_are_told_from_bytes_that_somebody_added(files, kind):
    assert "bytes of the picture are left over" in reason(shorten(files[kind], HEIGHT - 16))


def test_a_block_of_zeros_between_restart_markers_is_noticed():
    # The decoder makes its row of zeros, and has bytes left over at the marker.
    data = encode("restart rows", picture(160, 400))
    at = data.index(b"\xff\xd2") + 200
    assert reason(data[:at] + bytes(400) + data[at + 400 :]).startswith("is damaged (")


def test_a_lost_restart_interval_is_noticed(files):
    data = files["restart rows"]
    first, second = data.index(b"\xff\xd1"), data.index(b"\xff\xd2")
    assert reason(data[:first] + data[second:]).startswith("is damaged (")
    odd = insert(data, SCAN, b"\x01")
    first, second = odd.index(b"\xff\xd1"), odd.index(b"\xff\xd2")
    assert reason(odd[:first] + odd[second:]).startswith("is damaged (")


def test_a_few_bytes_too_many_in_an_interval_hide_no_damage_behind_them(files):
    data = files["restart rows"]
    odd = data.replace(b"\xff\xd1", bytes(9) + b"\xff\xd1", 1)  # as webcams do
    np.testing.assert_array_equal(pixels(odd), pillow(data))
    at = odd.index(b"\xff\xd3") + 2
    assert reason(odd[:at] + odd[at + 100 :]).startswith("is damaged (")


def test_more_parts_than_are_worth_the_time_are_not_looked_at_one_by_one(files, monkeypatch):
    monkeypatch.setattr(losses, "_MOST_INTERVALS", 3)
    data = files["restart rows"]
    np.testing.assert_array_equal(pixels(insert(data, SCAN, b"\x01")), pillow(data))
    odd = data.replace(b"\xff\xd1", bytes(50) + b"\xff\xd1", 1)
    assert "extraneous bytes before marker 0xd1)" in reason(odd)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("oddity", ["bytes before a table", "an unknown version of JFIF"])
def test_a_harmless_complaint_hides_no_loss_behind_it(files, kind, oddity):
    odd = HARMLESS[oddity](files[kind])
    middle = (odd.index(SCAN) + len(odd)) // 2
    assert reason(odd[:middle] + END).startswith(("is damaged (", "is truncated: "))


@pytest.mark.parametrize("kind", ["progressive", "progressive grey", "progressive CMYK"])
@pytest.mark.parametrize("end", [END, b""])
def test_missing_scans_are_noticed_though_all_others_are_whole(files, kind, end):
    # A coarser picture, of which the decoder has nothing to say.
    data = files[kind]
    before = data[: data.rindex(HUFFMAN)]
    assert "truncated" in reason(before + end)
    assert pixels(before + end, allow_truncated=True).shape == (HEIGHT, WIDTH, 3)


def test_a_missing_component_is_noticed():
    # Three scans, of one component each, of which libjpeg would show the first in grey.
    parts = [encode("grey", quality=75) for _ in range(3)]
    tables, frame, scan = (parts[0].index(m) for m in (QUANTIZATION, FRAME, SCAN))
    coded = parts[0][scan + 10 : -2]
    colour = struct.pack(">HBHHB9B", 17, 8, HEIGHT, WIDTH, 3, 1, 17, 0, 2, 17, 0, 3, 17, 0)
    head = b"\xff\xd8" + parts[0][tables:frame] + FRAME + colour
    head += parts[0][parts[0].index(HUFFMAN) : scan]
    scans = [b"\xff\xda\x00\x08\x01" + bytes([k]) + b"\x00\x00\x3f\x00" + coded for k in (1, 2, 3)]
    whole = head + b"".join(scans) + END
    np.testing.assert_array_equal(pixels(whole), pillow(whole))
    assert "is truncated" in reason(head + scans[0] + scans[1] + END)


def test_an_image_that_was_only_opened_is_judged_as_its_file_is(files):
    data = files["plain"]

    def given(data, *, draft=None):
        image = Image.open(BytesIO(data))
        if draft:
            image.draft(None, draft)
        return np.asarray(as_records([image])[0].to_rgb())

    with pytest.raises(ImageError, match="is damaged"):
        given(data[: len(data) // 2] + END)
    np.testing.assert_array_equal(given(data), pillow(data))
    np.testing.assert_array_equal(given(data, draft=(60, 40)), pillow(data, (60, 40)))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_damaged_is_taken_as_pillow_shows_it_where_that_is_allowed(files, kind):
    data = files[kind]
    damaged = data[:-60] + END
    assert reason(damaged).startswith("is damaged (")
    np.testing.assert_array_equal(pixels(damaged, allow_truncated=True), pillow(damaged))


@pytest.mark.parametrize(
    ("behind", "reason"),
    [
        pytest.param(b"\xff\xdc\x00\x04\x00\x40", "is not supported", id="said behind the scan"),
        pytest.param(b"", "is damaged", id="said nowhere"),
    ],
)
def test_a_height_of_nothing_is_not_read_and_only_damage_where_it_is_said_nowhere(behind, reason):
    buffer = BytesIO()
    Image.new("RGB", (64, 64), "red").save(buffer, "JPEG")
    data = bytearray(buffer.getvalue())
    height = data.index(b"\xff\xc0") + 5
    data[height : height + 2] = b"\0\0"
    with pytest.raises(ImageError, match=reason):
        decode(bytes(data[:-2]) + behind + b"\xff\xd9")
