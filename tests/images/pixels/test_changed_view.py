"""Changed views that are made in one step, of a photo that was reduced beforehand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from penult.images.pixels.augment import Augmentation, edge_for
from penult.images.pixels.changed_view import ChangedView
from penult.images.pixels.transform import Transform
from penult.images.pixels.turned_crop import TurnedCrop
from penult.recipe import Preprocessing

pytestmark = pytest.mark.light

SEEN = Preprocessing(
    resize=64, crop=(56, 56), interpolation="bicubic", mean=(0.5,) * 3, std=(0.5,) * 3
)


def waves(width: int, height: int) -> Image.Image:
    """A smooth picture that looks like itself nowhere else, however it is turned or mirrored."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    bands = 255 * x, 255 * y, 127 + 80 * np.sin(5 * x + 3 * y)
    return Image.fromarray(np.stack(bands, axis=2).round().astype(np.uint8))


@pytest.mark.parametrize("policy", ["light", "strong"])
@pytest.mark.parametrize(
    ("size", "seen"),
    [
        ((700, 500), SEEN),
        ((500, 1100), SEEN),
        ((90, 70), SEEN),
        ((40, 30), SEEN),  # enlarged
        ((900, 30), SEEN),  # thirty times as long as wide
        ((500, 400), replace(SEEN, resize=(56, 56), crop=None)),  # squashed
        ((500, 400), replace(SEEN, resize=48, crop=(56, 56))),  # with a black frame
        ((600, 420), replace(SEEN, resize=None)),
    ],
)
def test_a_view_shows_what_the_two_steps_show(policy, size, seen):
    image = waves(*size)
    views = ChangedView(Augmentation(policy, 0), seen)
    reduced = views.reduce(image)
    for view in range(4):
        changes = Augmentation(policy, 0).draw("photo", view)
        if changes.crop.angle > 15 and min(size) < 60:
            continue  # of some rows of pixels, much is mirrored
        # The mean that contrast is changed towards is that of another part.
        changes = replace(changes, colors=replace(changes.colors, contrast=1.0))
        expected = Transform(seen)(changes(image, edge_for(seen))).astype(float)
        found = views.made(reduced, changes).astype(float)
        assert found.shape == expected.shape
        assert np.abs(found - expected).mean() < 2.5


def test_a_photo_is_reduced_so_that_its_smallest_crop_is_not_enlarged():
    views = ChangedView(Augmentation("light", 0), SEEN)
    # The smallest crop has sqrt(0.7 / (10 / 9)) = 0.794 of an edge, and 64 / 0.794 = 80.6.
    assert views.edge == 81
    assert views.reduce(waves(810, 1620)).shape == (162, 81, 3)
    assert views.reduce(waves(70, 60)).shape == (60, 70, 3)
    assert views.at_least == (162, 162)
    # Of a strong one, sqrt(0.35 / (4 / 3)) = 0.512.
    assert ChangedView(Augmentation("strong", 0), SEEN).edge == 125


def test_a_window_of_a_view_is_resampled_once():
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    image, whole = Image.fromarray(noise), TurnedCrop()
    part = np.asarray(whole.window(image, (60, 40), (10, 5, 50, 35)))
    assert np.array_equal(part, noise[5:35, 10:50])
    flipped = np.asarray(TurnedCrop(flipped=True).window(image, (60, 40), (10, 5, 50, 35)))
    assert np.array_equal(flipped, noise[5:35, 10:50][:, ::-1])
    # At a half, each pixel is the mean of four.
    half = np.asarray(whole.window(image, (30, 20), (5, 2, 25, 17))).astype(int)
    means = noise.reshape(20, 2, 30, 2, 3).mean(axis=(1, 3))[2:17, 5:25]
    assert np.abs(half - means).max() <= 1
