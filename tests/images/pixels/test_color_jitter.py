"""Changed colours: by hand, and as torchvision changes them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from penult.images.pixels.color_jitter import STEPS, ColorJitter

pytestmark = pytest.mark.light


def pixel(jitter, color):
    return jitter(Image.new("RGB", (1, 1), color)).getpixel((0, 0))


@pytest.mark.parametrize(
    ("jitter", "expected"),
    [
        pytest.param(ColorJitter(), (200, 100, 50), id="as it was"),
        pytest.param(ColorJitter(brightness=0.5), (100, 50, 25), id="darker"),
        pytest.param(ColorJitter(brightness=1.5), (255, 150, 75), id="brighter"),
        # 0.299 of 200, 0.587 of 100 and 0.114 of 50 are 124.
        pytest.param(ColorJitter(saturation=0), (124, 124, 124), id="without colour"),
        pytest.param(ColorJitter(contrast=0.5), (162, 112, 87), id="towards the mean"),
        pytest.param(
            ColorJitter(brightness=0.5, saturation=0), (62, 62, 62), id="one after the other"
        ),
    ],
)
def test_colours_by_hand(jitter, expected):
    assert pixel(jitter, (200, 100, 50)) == expected


def test_hues_go_round_the_wheel():
    assert pixel(ColorJitter(hue=1 / 3), (255, 0, 0)) == (0, 255, 0)
    assert pixel(ColorJitter(hue=-86.5 / 255), (255, 0, 0)) == (
        0,
        0,
        255,
    )  # of 256 hues, blue is 170


def test_the_order_counts():
    clipped_first = ColorJitter(brightness=2, saturation=0)
    last = ColorJitter(brightness=2, saturation=0, order=("saturation", "brightness"))
    assert pixel(clipped_first, (200, 0, 0)) == (76, 76, 76)
    assert pixel(last, (200, 0, 0)) == (120, 120, 120)


@pytest.mark.torch
@pytest.mark.parametrize("factor", [0.6, 0.97, 1.4])
def test_pixels_equal_those_of_torchvision(factor):
    from torchvision.transforms.v2 import functional

    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8))
    hue = (factor - 1) / 2
    jitter = ColorJitter(
        brightness=factor, contrast=factor, saturation=factor, hue=hue, order=STEPS[::-1]
    )
    expected = functional.adjust_hue(image, hue)
    expected = functional.adjust_saturation(expected, factor)
    expected = functional.adjust_contrast(expected, factor)
    expected = functional.adjust_brightness(expected, factor)
    assert np.array_equal(np.asarray(jitter(image)), np.asarray(expected))
