"""A crop turned and mirrored: by hand, and as Pillow turns."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from penult.images.pixels.turned_crop import TurnedCrop

pytestmark = pytest.mark.light


def noise(width, height):
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))


#   0  10  20  30
#  40  50  60  70
#  80  90 100 110
# 120 130 140 150
NUMBERS = 10 * np.arange(16, dtype=np.uint8).reshape(4, 4)
NUMBERED = Image.fromarray(np.repeat(NUMBERS[:, :, None], 3, axis=2))


@pytest.mark.parametrize(
    ("crop", "expected"),
    [
        pytest.param(TurnedCrop(), NUMBERS, id="all"),
        pytest.param(TurnedCrop(flipped=True), NUMBERS[:, ::-1], id="mirrored"),
        pytest.param(TurnedCrop(angle=180), NUMBERS[::-1, ::-1], id="half a turn"),
        pytest.param(TurnedCrop(angle=90), np.rot90(NUMBERS), id="a quarter"),
        pytest.param(
            TurnedCrop(angle=90, flipped=True), np.rot90(NUMBERS)[:, ::-1], id="turned and mirrored"
        ),
        pytest.param(
            TurnedCrop(center=(0.75, 0.25), width=0.5, height=0.5),
            NUMBERS[:2, 2:],
            id="a quarter of it",
        ),
        pytest.param(
            TurnedCrop(center=(1, 0.5)),
            [[20, 30, 30, 20], [60, 70, 70, 60], [100, 110, 110, 100], [140, 150, 150, 140]],
            id="beyond the edge the photo is mirrored",
        ),
    ],
)
def test_a_crop_by_hand(crop, expected):
    assert np.asarray(crop(NUMBERED, 512))[..., 0].tolist() == np.asarray(expected).tolist()


def test_a_box_is_squashed_to_the_proportions_of_the_photo():
    wide = TurnedCrop(width=0.8, height=0.2)(Image.new("RGB", (400, 200)), 512)
    assert wide.size == (160, 80)  # of an area of 0.16


def test_it_is_reduced_and_never_enlarged():
    crop = TurnedCrop(width=0.5, height=0.5)
    assert crop(noise(400, 200), 50).size == (100, 50)
    assert crop(noise(400, 200), 100).size == (200, 100)
    assert crop(noise(400, 200), 512).size == (200, 100)


@pytest.mark.parametrize("angle", [-25, 3, 10])
def test_within_the_photo_it_turns_as_pillow_does(angle):
    image = noise(90, 60)
    turned = np.asarray(TurnedCrop(angle=angle)(image, 512))
    expected = np.asarray(image.rotate(angle, Image.Resampling.BILINEAR))
    inside = np.asarray(Image.new("L", image.size, 1).rotate(angle)) == 1
    # Pillow clamps at the photo's edge what the filter looks at, where here it is mirrored.
    for _ in range(2):
        inner = np.pad(inside, 1)
        inside = inside & inner[:-2, 1:-1] & inner[2:, 1:-1] & inner[1:-1, :-2] & inner[1:-1, 2:]
    assert inside.mean() > 0.4
    off = np.abs(turned.astype(int) - expected)[inside]
    assert off.max() <= 1


def test_a_large_photo_is_reduced_as_pillow_does():
    large = noise(6, 5).resize((2400, 2000), Image.Resampling.BICUBIC)
    crop = TurnedCrop(center=(0.5, 0.5), width=0.5, height=0.5, flipped=True)
    expected = large.resize((120, 100), Image.Resampling.BILINEAR, (600, 500, 1800, 1500))
    expected = expected.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    off = np.abs(np.asarray(crop(large, 100)).astype(int) - np.asarray(expected))
    assert off.max() <= 2


def test_of_a_picture_more_elongated_than_ten_to_one_the_middle_counts():
    long = Image.new("RGB", (100, 1), "red")
    long.paste("blue", (45, 0, 55, 1))
    middle = TurnedCrop()(long, 512)
    assert middle.size == (10, 1)
    assert middle.getcolors() == [(10, (0, 0, 255))]
