"""Views of one image: cut by hand, and as torchvision cuts them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from penult.errors import ImageError, UnknownNameError, UsageError
from penult.images.pixels.decode import decode
from penult.images.pixels.margin import require_views
from penult.images.pixels.transform import Transform
from penult.interface import serving_command_line
from penult.recipe import CENTER, VIEWS, Preprocessing, View

PLAIN = Preprocessing(
    resize=None, crop=(2, 2), interpolation="bicubic", mean=(0.5,) * 3, std=(0.5,) * 3
)


def how(**changes):
    return dataclasses.replace(PLAIN, **changes)


def noise(width, height, seed=0):
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))


def numbered(width, height):
    """Pixels 0, 1, 2, … in reading order."""
    numbers = np.arange(width * height, dtype=np.uint8).reshape(height, width)
    return Image.fromarray(np.repeat(numbers[:, :, None], 3, axis=2))


def seen(preprocessing, image, *views):
    return Transform(preprocessing, views)(image)[..., 0].tolist()


# 0 1 2  3
# 4 5 6  7
# 8 9 10 11
@pytest.mark.light
def test_five_crops_are_the_corners_and_the_centre():
    assert seen(PLAIN, numbered(4, 3), *VIEWS["five-crop"]) == [
        [[0, 1], [4, 5]],
        [[2, 3], [6, 7]],
        [[4, 5], [8, 9]],
        [[6, 7], [10, 11]],
        [[1, 2], [5, 6]],  # half a pixel down is rounded to the even neighbour, 0
    ]


@pytest.mark.light
def test_corners_say_where_each_view_lies():
    transform = Transform(PLAIN, VIEWS["ten-crop"])
    left_and_top = [(0, 0), (2, 0), (0, 1), (2, 1), (1, 0)]
    assert transform.corners((4, 3)) == tuple(
        left_and_top + [left_and_top[k] for k in (1, 0, 3, 2, 4)]
    )
    # Two pixels of one, with black to the right; four of one, with black on both sides.
    assert Transform(PLAIN).corners((1, 3)) == ((0, 0),)
    assert Transform(how(crop=(2, 4))).corners((1, 3)) == ((-1, 0),)


@pytest.mark.light
def test_ten_crops_are_those_of_the_image_and_of_its_mirror_image():
    of_both = seen(PLAIN, numbered(4, 3), *VIEWS["ten-crop"])
    mirrored = numbered(4, 3).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert of_both[:5] == seen(PLAIN, numbered(4, 3), *VIEWS["five-crop"])
    assert of_both[5:] == seen(PLAIN, mirrored, *VIEWS["five-crop"])  # the margin is even across
    assert of_both[5] == [[3, 2], [7, 6]]


@pytest.mark.light
@pytest.mark.parametrize(
    ("margin", "expected"),
    [
        # Half of the odd margin, 1.5, is rounded to the even 2, or down to 1.
        ("even", [[[2, 3]], [[3, 2]]]),
        ("down", [[[1, 2]], [[2, 1]]]),
    ],
)
def test_a_flip_mirrors_the_centre(margin, expected):
    flipped = how(crop=(1, 2), margin=margin)
    assert seen(flipped, numbered(5, 1), *VIEWS["flip"]) == expected


@pytest.mark.light
def test_a_view_larger_than_the_image_is_centred_on_black():
    pixels = seen(how(crop=(1, 5)), numbered(2, 1), CENTER, View("top right", flipped=True))
    # torchvision puts the smaller half of an odd padding first.
    assert pixels == [[[0, 0, 1, 0, 0]], [[0, 0, 1, 0, 0]]]


@pytest.mark.light
def test_one_view_is_one_image_and_several_are_stacked_contiguously():
    image, square = noise(30, 40), how(resize=16, crop=(12, 14))
    one = Transform(square, (View("top left", flipped=True),))(image)
    assert one.shape == (12, 14, 3)
    several = Transform(square, VIEWS["ten-crop"])(image)
    assert VIEWS["ten-crop"][6] == View("top left", flipped=True)
    assert several.shape == (10, 12, 14, 3)
    for pixels in (one, several):
        assert pixels.dtype == np.uint8
        assert pixels.flags.c_contiguous
        assert pixels.flags.writeable
    assert np.array_equal(one, several[6])
    assert np.array_equal(Transform(square)(image), several[4])


def torchvision_views(image, name, preprocessing):
    from torchvision.transforms import InterpolationMode, v2

    steps = []
    if preprocessing.resize is not None:
        interpolation = InterpolationMode(preprocessing.interpolation)
        steps = [v2.Resize(preprocessing.resize, interpolation)]
    resized = v2.Compose([*steps, v2.Identity()])(image)
    if name == "flip":
        crop = v2.CenterCrop(preprocessing.crop)
        views = crop(resized), v2.functional.hflip(crop(resized))
    else:
        cut = {"five-crop": v2.FiveCrop, "ten-crop": v2.TenCrop}[name]
        views = list(cut(preprocessing.crop)(resized))
        if name == "ten-crop":  # torchvision's centre may be one pixel beside that of the first
            views[9] = v2.functional.hflip(views[4])
    return np.stack([np.asarray(view) for view in views])


@pytest.mark.torch
@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(sorted(VIEWS)),
    width=st.integers(1, 300),
    height=st.integers(1, 300),
    resize=st.integers(8, 70) | st.tuples(st.integers(8, 70), st.integers(8, 70)),
    crop=st.tuples(st.integers(1, 8), st.integers(1, 8)) | st.just((8, 8)),
    interpolation=st.sampled_from(("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos")),
)
def test_pixels_equal_those_of_torchvision(name, width, height, resize, crop, interpolation):
    if max(width, height) / min(width, height) > 30:
        height = width
    preprocessing = how(resize=resize, crop=crop, interpolation=interpolation)
    image = noise(width, height)
    np.testing.assert_array_equal(
        Transform(preprocessing, VIEWS[name])(image), torchvision_views(image, name, preprocessing)
    )


@pytest.mark.torch
@pytest.mark.parametrize("name", sorted(VIEWS))
@pytest.mark.parametrize("size", [(590, 540), (541, 731), (1200, 1600), (1601, 1200)])
def test_pixels_of_photos_equal_those_of_torchvision(name, size):
    preprocessing = how(resize=256, crop=(224, 224))
    image = noise(*size)
    np.testing.assert_array_equal(
        Transform(preprocessing, VIEWS[name])(image), torchvision_views(image, name, preprocessing)
    )


@pytest.mark.torch
def test_without_a_resize_the_views_are_cut_from_the_image_itself():
    preprocessing, image = how(crop=(20, 31)), noise(50, 41)
    np.testing.assert_array_equal(
        Transform(preprocessing, VIEWS["ten-crop"])(image),
        torchvision_views(image, "ten-crop", preprocessing),
    )


@pytest.mark.needs("cykooz_resizer")
def test_fast_views_are_off_by_no_more_than_two():
    exact = how(resize=64, crop=(56, 50))
    fast = dataclasses.replace(exact, resampling="fast")
    for size in ((301, 200), (200, 301)):
        exactly, quickly = (
            Transform(way, VIEWS["ten-crop"])(noise(*size)).astype(int) for way in (exact, fast)
        )
        assert np.abs(exactly - quickly).max() <= 2


@pytest.mark.light
def test_a_decoder_may_scale_down_as_far_for_several_views_as_for_one(jpeg_of):
    scaled = how(resize=16, crop=(14, 14), decode="scaled")
    transform = Transform(scaled, VIEWS["five-crop"])
    assert transform.at_least == Transform(scaled).at_least == (32, 32)
    image = decode(jpeg_of(noise(400, 300)), at_least=transform.at_least)
    assert image.size == (50, 38)
    assert np.array_equal(transform(image)[4], Transform(scaled)(image))


@pytest.fixture
def jpeg_of():
    from io import BytesIO

    def encoded(image):
        file = BytesIO()
        image.save(file, "JPEG")
        return file.getvalue()

    return encoded


@pytest.mark.light
def test_corners_of_an_image_too_elongated_are_a_named_failure_and_flips_are_not():
    tall, preprocessing = Image.new("RGB", (1, 20_000)), how(resize=256, crop=(224, 224))
    assert Transform(preprocessing, VIEWS["flip"])(tall).shape == (2, 224, 224, 3)
    with pytest.raises(ImageError, match="too elongated: resized it would be 256 × 5,120,000"):
        Transform(preprocessing, VIEWS["five-crop"])(tall)


@pytest.mark.light
@pytest.mark.parametrize(
    ("resize", "crop"),
    [
        pytest.param(256, (224, 224), id="as most networks"),
        pytest.param(224, (224, 224), id="a margin where the photo is not square"),
        pytest.param((256, 256), (224, 224), id="squashed to more"),
        pytest.param((224, 256), (224, 224), id="squashed to more, across"),
        pytest.param(None, (8, 8), id="cropped only"),
    ],
)
def test_where_there_is_a_margin_all_views_can_be_had(resize, crop):
    for name in VIEWS:
        require_views(name, how(resize=resize, crop=crop))


@pytest.mark.light
@pytest.mark.parametrize(
    ("resize", "crop", "to"),
    [
        pytest.param((8, 9), None, " to 9 × 8 pixels", id="squashed, no crop"),
        pytest.param((8, 9), (8, 9), " to 9 × 8 pixels", id="squashed to the crop"),
        pytest.param((8, 20), (9, 9), " to 9 × 9 pixels", id="squashed to less"),
        pytest.param(8, (8, 9), " to 9 × 8 pixels", id="resized to less"),
        pytest.param(8, None, "", id="no crop"),
        pytest.param(None, None, "", id="nothing at all"),
    ],
)
def test_where_there_is_none_views_that_crop_are_refused_in_one_line(resize, crop, to):
    preprocessing = how(resize=resize, crop=crop)
    require_views("flip", preprocessing)
    with pytest.raises(UsageError) as caught:
        require_views("five-crop", preprocessing)
    assert str(caught.value) == (
        f"views='five-crop' cannot be had: this network's images are resized{to} with no margin "
        "to crop from; views='flip' works with every network"
    )
    with serving_command_line(), pytest.raises(UsageError, match=r"^--views ten-crop "):
        require_views("ten-crop", preprocessing)


@pytest.mark.light
def test_views_of_no_known_name_are_refused_with_the_names_there_are():
    with pytest.raises(UnknownNameError, match="unknown views 'fiv-crop'; did you mean five-crop"):
        require_views("fiv-crop", PLAIN)
