from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from penult.errors import ImageError
from penult.images.pixels.transform import Transform
from penult.recipe import Preprocessing

FILTERS = ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos")


def noise(width, height, seed=0):
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))


def preprocessing(resize, crop, interpolation="bicubic"):
    return Preprocessing(
        resize=resize, crop=crop, interpolation=interpolation, mean=(0.5,) * 3, std=(0.5,) * 3
    )


def torchvision_pixels(image, resize, crop, interpolation):
    """What torchvision's own transforms make of the same Pillow image."""
    from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Resize

    steps = [] if resize is None else [Resize(resize, InterpolationMode(interpolation))]
    steps += [] if crop is None else [CenterCrop(crop)]
    return np.asarray(Compose(steps)(image))


@pytest.mark.parametrize("interpolation", FILTERS)
@pytest.mark.parametrize(
    ("size", "resize", "crop"),
    [
        pytest.param((590, 540), 256, (224, 224), id="landscape, down exact in part"),
        pytest.param((540, 590), 256, (224, 224), id="portrait, across exact in part"),
        pytest.param((541, 731), 292, (260, 260), id="neither edge exact in part"),
        pytest.param((1200, 1600), 256, (224, 224), id="large portrait, in two steps"),
        pytest.param((1600, 1201), 235, (180, 221), id="large landscape, in two steps"),
        pytest.param((90, 61), 256, (224, 224), id="enlarged"),
        pytest.param((256, 300), 256, (224, 224), id="cropped only"),
        pytest.param((300, 300), None, (224, 223), id="no resize"),
        pytest.param((301, 200), (64, 48), None, id="squashed"),
        pytest.param((301, 200), (64, 48), (33, 40), id="squashed and cropped, odd"),
        pytest.param((100, 50), 32, (48, 48), id="padded above and below"),
        pytest.param((50, 100), 31, (48, 48), id="padded left and right, odd"),
        pytest.param((9, 9), None, (12, 15), id="padded all round"),
        pytest.param((1, 1), 256, (224, 224), id="a single pixel"),
        pytest.param((3, 700), 32, (28, 28), id="very tall"),
        pytest.param((700, 3), 33, (28, 28), id="very wide"),
    ],
)
def test_pixels_equal_those_of_torchvision(size, resize, crop, interpolation):
    image = noise(*size)
    pixels = Transform(preprocessing(resize, crop, interpolation))(image)
    np.testing.assert_array_equal(pixels, torchvision_pixels(image, resize, crop, interpolation))


@settings(max_examples=300, deadline=None)
@given(
    width=st.integers(1, 400),
    height=st.integers(1, 400),
    resize=st.integers(1, 70) | st.tuples(st.integers(1, 70), st.integers(1, 70)) | st.none(),
    crop=st.none() | st.tuples(st.integers(1, 80), st.integers(1, 80)),
    interpolation=st.sampled_from(FILTERS),
    seed=st.integers(0, 9),
)
def test_pixels_equal_those_of_torchvision_whatever_the_sizes(
    width, height, resize, crop, interpolation, seed
):
    if max(width, height) / min(width, height) * 70 > 3000:
        height = width
    image = noise(width, height, seed)
    pixels = Transform(preprocessing(resize, crop, interpolation))(image)
    np.testing.assert_array_equal(pixels, torchvision_pixels(image, resize, crop, interpolation))


@pytest.mark.parametrize("resize", [16, 64, 256])
@pytest.mark.parametrize("size", [(3, 4), (7, 61), (403, 302), (1500, 1001), (1001, 1500)])
def test_a_power_of_two_is_resized_in_part_and_still_equals_the_whole(size, resize):
    # Each of these takes the partial path on one edge at least; smooth pictures hide less than noise.
    image = noise(*size, seed=resize)
    crop = (resize * 7 // 8, resize * 7 // 8)
    pixels = Transform(preprocessing(resize, crop))(image)
    np.testing.assert_array_equal(pixels, torchvision_pixels(image, resize, crop, "bicubic"))


@pytest.mark.parametrize("size", [(590, 540), (333, 500), (640, 480), (97, 1203)])
@pytest.mark.parametrize(
    ("input_size", "crop_pct", "crop_mode", "resize"),
    [
        pytest.param(224, 0.875, "center", 256, id="center, as EfficientNet-Lite0"),
        pytest.param(299, 0.875, "center", 341, id="center, as InceptionV3"),
        pytest.param(224, 1.0, "squash", (224, 224), id="squash, as CLIP"),
        pytest.param(240, 0.9, "squash", (266, 266), id="squash with a crop"),
    ],
)
def test_pixels_equal_those_of_timm(size, input_size, crop_pct, crop_mode, resize):
    from timm.data import create_transform

    image = noise(*size)
    reference = create_transform(
        input_size=(3, input_size, input_size),
        interpolation="bicubic",
        crop_pct=crop_pct,
        crop_mode=crop_mode,
        mean=(0, 0, 0),
        std=(1, 1, 1),
    )(image)
    expected = (reference * 255).round().byte().permute(1, 2, 0).numpy()
    pixels = Transform(preprocessing(resize, (input_size, input_size)))(image)
    np.testing.assert_array_equal(pixels, expected)


def test_the_array_is_what_an_engine_may_take_without_a_copy():
    pixels = Transform(preprocessing(256, (224, 224)))(noise(300, 400))
    assert pixels.shape == (224, 224, 3)
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert pixels.flags.writeable


def test_the_crop_is_centred_and_padding_is_black():
    white = Image.new("RGB", (2, 2), "white")
    pixels = Transform(preprocessing(None, (2, 5)))(white)
    # torchvision puts the smaller half of an odd padding first.
    assert pixels[:, :, 0].tolist() == [[0, 255, 255, 0, 0]] * 2


def test_an_elongated_image_is_resized_only_where_the_crop_looks():
    tall = noise(1, 20_000)
    # The whole would have 256 × 5,120,000 pixels. Each source pixel becomes 256 rows: the crop's
    # 224 lie around the middle, and see no more than the ten source pixels there.
    middle = tall.crop((0, 9_995, 1, 10_005))
    transform = Transform(preprocessing(256, (224, 224)))
    np.testing.assert_array_equal(transform(tall), transform(middle))


@pytest.mark.parametrize("size", [(3, 50_000), (50_000, 3), (2, 178_000)])
def test_an_image_too_elongated_for_memory_is_a_named_failure(size):
    with pytest.raises(ImageError, match="too elongated: resized it would be"):
        Transform(preprocessing(1000, (960, 960)))(noise(*size))
