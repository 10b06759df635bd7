"""Which image of a group is kept: most pixels, then most bytes, then the first."""

from __future__ import annotations

import io
import shutil

import pytest
from PIL import Image

import penult
from penult.errors import PathNotFoundError
from penult.images.size import ImageSize, image_size
from penult.records import ImageRecord
from penult.retrieve.duplicates.groups import _choose

pytestmark = pytest.mark.light


@pytest.fixture
def pictures(tmp_path, toy):
    """Red, large and small; and blue ones of one size, the second of which has most bytes."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, size, color, comment in (
        ("red_1.png", (8, 8), "red", ""),
        ("red_2.png", (16, 8), "red", ""),
        ("red_3.png", (8, 12), "red", "x" * 900),
        ("blue_1.gif", (8, 8), "blue", ""),
        ("blue_2.gif", (8, 8), "blue", "x" * 200),
        ("blue_3.gif", (8, 8), "blue", ""),
        ("green_1.bmp", (8, 8), "lime", ""),
        ("green_2.bmp", (8, 8), "lime", ""),
    ):
        image = Image.new("RGB", size, color)
        if name.endswith("gif"):
            image.save(folder / name, comment=comment.encode())
        else:
            from PIL.PngImagePlugin import PngInfo

            told = PngInfo()
            told.add_text("comment", comment)
            image.save(folder / name, pnginfo=told)
    penult.extract(folder, tmp_path / "rows.h5", model=toy, labels="none")
    return folder


def kept(found):
    return {group.keep: group.kept_for for group in found.groups}


BY_SIZE = {"red_2.png": "pixels", "blue_2.gif": "bytes", "green_1.bmp": "order"}


def test_the_largest_image_is_kept(pictures, tmp_path):
    assert kept(penult.duplicates(tmp_path / "rows.h5", threshold=0.999)) == BY_SIZE


def test_images_that_have_moved_are_found_where_they_are_said_to_be(pictures, tmp_path):
    shutil.move(pictures, tmp_path / "moved")
    found = penult.duplicates(
        tmp_path / "rows.h5", tmp_path / "page.html", threshold=0.999, images=tmp_path / "moved"
    )
    assert (kept(found), found.unseen) == (BY_SIZE, 0)
    assert (tmp_path / "page.html").read_text("utf-8").count("data:image/webp") == 8
    with pytest.raises(PathNotFoundError, match="nowhere"):
        penult.duplicates(tmp_path / "rows.h5", threshold=0.999, images=tmp_path / "nowhere")


def test_where_there_are_no_images_that_is_said_once_and_the_first_is_kept(pictures, tmp_path, caplog):  # fmt: skip
    shutil.rmtree(pictures)
    found = penult.duplicates(tmp_path / "rows.h5", threshold=0.999)
    assert kept(found) == {"red_1.png": "order", "blue_1.gif": "order", "green_1.bmp": "order"}
    assert found.unseen == 8
    (said,) = caplog.messages
    assert said.endswith("/pictures; images=FOLDER says where they are")


def test_an_image_that_is_gone_is_not_the_one_to_keep(pictures, tmp_path, caplog):
    (pictures / "red_2.png").unlink()
    (pictures / "green_1.bmp").write_bytes(b"no image")
    found = penult.duplicates(tmp_path / "rows.h5", threshold=0.999)
    assert kept(found) == {"red_3.png": "pixels", "blue_2.gif": "bytes", "green_2.bmp": "order"}
    assert found.unseen == 2
    (said,) = caplog.messages
    assert "2 of 8 images in groups cannot be read" in said
    assert "penult.extract(update=True) makes the rows of what is there now" in said


def test_without_groups_no_image_is_looked_for(pictures, tmp_path, caplog):
    shutil.rmtree(pictures)
    rows = penult.load(tmp_path / "rows.h5")
    one_each = rows.take(["red_1.png", "blue_1.gif", "green_1.bmp"])
    assert penult.duplicates(one_each, threshold=0.999).groups == ()
    assert caplog.messages == []


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "BMP"])
def test_the_size_is_read_from_the_header(kind, tmp_path):
    path = tmp_path / "image"
    noise = Image.effect_noise((320, 240), 90).convert("RGB")
    noise.save(path, kind)
    size = path.stat().st_size
    assert image_size(ImageRecord("image", lambda: path.open("rb"))) == ImageSize(320 * 240, size)


def test_a_header_behind_a_long_preview_is_found(tmp_path):
    exif = Image.Exif()
    exif[0x9286] = "x" * 60_000
    Image.new("RGB", (30, 20)).save(
        file := io.BytesIO(), "JPEG", exif=exif, icc_profile=b"p" * 60_000
    )
    assert file.getvalue().find(b"\xff\xc0") > 1 << 16
    found = image_size(ImageRecord("image", lambda: io.BytesIO(file.getvalue())))
    assert found == ImageSize(600, len(file.getvalue()))


def test_what_is_no_image_has_no_size():
    def gone():
        raise FileNotFoundError

    for opening in (lambda: io.BytesIO(b"nothing"), lambda: io.BytesIO(b""), gone):
        assert image_size(ImageRecord("image", opening)) is None


def test_of_equals_the_shortest_name_is_kept_since_copies_have_longer_ones():
    ids = {0: "a/copy of rose.jpg", 1: "a/rose (2).jpg", 2: "longer/rose.jpg", 3: "a/moss.jpg"}
    assert _choose(ids, {}) == (3, "order")  # of equally long ones the first
    assert _choose({k: ids[k] for k in (0, 1, 2)}, {}) == (2, "order")


@pytest.mark.parametrize(
    "copy",
    ["copy_0250.jpg", "Copy1.jpg", "i_copy.jpg", "i - Copy.jpg", "i copy 2.jpg", "i (1).jpg", "i(1)"],
)  # fmt: skip
def test_a_name_that_says_it_is_a_copy_comes_after_longer_ones(copy):
    assert _choose({0: f"a/{copy}", 1: "a/long_image_0250.jpg"}, {}) == (1, "order")


@pytest.mark.parametrize("name", ["copyright.jpg", "photocopy.jpg", "a(1)b.jpg", "copy/a.jpg"])
def test_other_words_and_folders_do_not_make_a_copy(name):
    assert _choose({0: name, 1: "a/long_image_0250.jpg"}, {}) == (0, "order")


def test_larger_copies_are_kept_in_spite_of_their_names():
    ids = {0: "a/copy_1.jpg", 1: "a/image_1.jpg"}
    sizes = {0: ImageSize(200, 10), 1: ImageSize(100, 10)}
    assert _choose(ids, sizes) == (0, "pixels")
