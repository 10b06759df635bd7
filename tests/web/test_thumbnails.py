import base64
import io

import numpy as np
import pytest
from PIL import Image

from penult.errors import ImageError
from penult.features import image_places
from penult.images.pixels.decode import decode
from penult.records import ImageRecord
from penult.web import pictures
from penult.web.thumbnails import Thumbnails


def file_of(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def shown(data, side):
    address = Thumbnails({"a": data}.get)("a", side)
    data = base64.b64decode(address.removeprefix("data:image/webp;base64,"))
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def halves(size, left, right):
    """A picture whose left half has one colour and whose right half has another."""
    image = Image.new("RGB", size, left)
    image.paste(right, (size[0] // 2, 0, *size))
    return image


RED, BLUE = (200, 20, 20), (20, 20, 200)


@pytest.mark.parametrize("size", [(900, 300), (300, 900), (2000, 1500), (96, 96)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_the_middle_square_is_shown_whatever_the_size(size, kind):
    pixels = shown(file_of(halves(size, RED, BLUE), kind), 96)
    assert pixels.shape == (96, 96, 3)
    assert pixels[:, :44].reshape(-1, 3).mean(0) == pytest.approx(RED, abs=8)
    assert pixels[:, 52:].reshape(-1, 3).mean(0) == pytest.approx(BLUE, abs=8)


@pytest.mark.parametrize("size", [(64, 48), (2400, 1600)])
def test_a_photo_taken_upright_is_shown_upright(size):
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying: turn it a quarter clockwise to see it
    pixels = shown(file_of(halves(size, RED, BLUE), "JPEG", exif=exif), 48)
    assert pixels[:20].reshape(-1, 3).mean(0) == pytest.approx(RED, abs=12)  # left becomes top
    assert pixels[-20:].reshape(-1, 3).mean(0) == pytest.approx(BLUE, abs=12)


def test_transparency_is_shown_as_white():
    assert shown(file_of(Image.new("RGBA", (50, 50), (0, 0, 0, 0)), "PNG"), 48).min() > 250


def test_a_small_image_is_not_enlarged_in_the_file():
    assert shown(file_of(halves((20, 30), RED, BLUE), "PNG"), 224).shape == (20, 20, 3)


def test_a_large_jpeg_is_decoded_smaller_but_not_below_what_was_asked_for():
    data = file_of(halves((2400, 1600), RED, BLUE), "JPEG")
    assert decode(data).size == (2400, 1600)
    assert decode(data, at_least=(448, 448)).size == (1200, 800)
    assert decode(data, at_least=(200, 200)).size == (300, 200)
    assert decode(data, at_least=(1700, 1700)).size == (2400, 1600)
    png = file_of(halves((2400, 1600), RED, BLUE), "PNG")
    assert decode(png, at_least=(200, 200)).size == (2400, 1600)


def test_a_picture_is_read_once_for_each_size():
    reads = []

    def open_image(image_id):
        reads.append(image_id)
        return file_of(halves((20, 20), RED, BLUE), "PNG")

    thumbnails = Thumbnails(open_image)
    assert thumbnails("a", 8) == thumbnails("a", 8) != thumbnails("a", 4)
    assert reads == ["a", "a"]


@pytest.mark.parametrize("error", [OSError, KeyError])
def test_a_source_that_cannot_open_an_image_costs_its_picture(make_features, monkeypatch, error):
    def fail():
        raise error("gone")

    monkeypatch.setattr(
        image_places,
        "relocate_images",
        lambda *_, **__: lambda image_id: ImageRecord(image_id, fail),
    )
    rows = make_features({"a": 1, "b": 1}, origin={"sources": ["/photos"]})
    opener = pictures.image_opener(rows, offline=False, announce=False)
    with pytest.raises(ImageError, match="gone"):
        opener("a/000.jpg")
    assert Thumbnails(opener)("a/000.jpg", 8) is None


def test_a_whole_picture_comes_with_the_size_of_its_image():
    data = file_of(halves((2400, 1600), RED, BLUE), "JPEG")
    whole = Thumbnails({"a": data}.get).whole("a", 96)
    assert (whole.width, whole.height, whole.bytes) == (2400, 1600, len(data))
    picture = base64.b64decode(whole.address.removeprefix("data:image/webp;base64,"))
    with Image.open(io.BytesIO(picture)) as image:
        assert image.size == (96, 64)


def test_the_size_of_a_photo_taken_upright_is_that_of_the_upright_photo():
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying: turn it a quarter clockwise to see it
    data = file_of(halves((640, 480), RED, BLUE), "JPEG", exif=exif)
    whole = Thumbnails({"a": data}.get).whole("a", 48)
    assert (whole.width, whole.height) == (480, 640)


def test_of_a_strip_the_middle_is_shown_and_the_size_of_the_image_told():
    data = file_of(halves((6400, 100), RED, BLUE), "PNG")
    picture = Thumbnails({"a": data}.get).whole("a", 160)
    assert (picture.width, picture.height) == (6400, 100)
    encoded = base64.b64decode(picture.address.partition(",")[2])
    with Image.open(io.BytesIO(encoded)) as small:
        assert small.size == (160, 10)


def test_an_image_that_cannot_be_read_has_no_whole_picture_either():
    thumbnails = Thumbnails({"a": b"GIF89a nonsense"}.get)
    assert thumbnails.whole("a", 48) is thumbnails.whole("gone", 48) is None


@pytest.mark.parametrize(
    ("size", "made"),
    [
        ((900, 600), (336, 224)),  # the shorter side fills a tile
        ((600, 900), (224, 336)),
        ((2000, 200), (448, 45)),  # no longer than two tiles
        ((300, 300), (224, 224)),
        ((90, 60), (90, 60)),  # as it is
        ((6400, 100), (448, 28)),  # the middle of a strip, and not a line
        ((1, 2000), (1, 16)),
    ],
)
def test_a_photo_is_whole_and_fills_a_square_tile(size, made):
    data = file_of(halves(size, RED, BLUE), "PNG")
    address = Thumbnails({"a": data}.get).photo("a", 224)
    with Image.open(
        io.BytesIO(base64.b64decode(address.removeprefix("data:image/webp;base64,")))
    ) as picture:
        assert picture.size == made
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    if made[0] == 1:
        return
    third = made[0] // 3
    assert pixels[:, :third].reshape(-1, 3).mean(0) == pytest.approx(RED, abs=8)
    assert pixels[:, -third:].reshape(-1, 3).mean(0) == pytest.approx(BLUE, abs=8)
    assert Thumbnails({}.get).photo("a", 224) is None
