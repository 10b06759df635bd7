"""Augmented views: drawn from the ranges stated, and from nothing but what they are of."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageFilter

from penult.errors import UnknownNameError
from penult.images.pixels.augment import POLICIES, Augmentation, AugmentedView
from penult.images.pixels.color_jitter import STEPS, ColorJitter
from penult.images.pixels.draws import Draws
from penult.images.pixels.turned_crop import TurnedCrop

pytestmark = pytest.mark.light


def smooth(width, height, seed=0):
    """A picture without sharp edges."""
    rng = np.random.default_rng(seed)
    blobs = Image.fromarray(rng.integers(0, 256, (5, 6, 3), np.uint8))
    return blobs.resize((width, height), Image.Resampling.BICUBIC)


def drawn(policy, count=2000):
    augmentation = Augmentation(policy, seed=0)
    return [augmentation.draw(f"photo {k // 4}", k % 4) for k in range(count)]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_view_depends_on_seed_policy_photo_and_number_alone(policy):
    image, augmentation = smooth(60, 50), Augmentation(policy, seed=3)
    places = [(key, view) for key in ("a", "b") for view in range(1, 9)]
    alone = {place: augmentation.draw(*place)(image, 384).tobytes() for place in places}
    assert len(set(alone.values())) == len(places)
    with ThreadPoolExecutor(4) as pool:
        again = pool.map(
            lambda place: Augmentation(policy, 3).draw(*place)(image, 384).tobytes(), places[::-1]
        )
        assert dict(zip(places[::-1], again, strict=True)) == alone
    assert Augmentation(policy, 4).draw("a", 1) != augmentation.draw("a", 1)


def test_each_policy_draws_its_own():
    assert Augmentation("light", 0).draw("a", 1).crop != Augmentation("strong", 0).draw("a", 1).crop


def test_a_view_is_drawn_as_in_earlier_versions():
    # Rows that lie in files were made so: other numbers would have to be another policy.
    view = Augmentation("strong", seed=7).draw("0" * 32, 1)
    assert view.crop.center == pytest.approx((0.489614620576185, 0.4912655056543074))
    assert view.crop.width == pytest.approx(0.9115369171644587)
    assert view.crop.height == pytest.approx(0.9819526553991724)
    assert view.crop.angle == pytest.approx(-0.8883770530460566)
    assert view.crop.flipped
    assert view.colors.brightness == pytest.approx(1.3876569371858414)
    assert view.colors.order == ("saturation", "brightness", "hue", "contrast")
    assert (view.grey, view.blur) == (False, 0)


def test_seeds_and_keys_that_read_alike_joined_are_kept_apart():
    assert Draws(1, "1").uniform("x") != Draws(11, "").uniform("x")
    assert Draws(1).uniform("x") != Draws("1").uniform("x")


@pytest.mark.parametrize(("name", "policy"), POLICIES.items())
def test_what_is_drawn_lies_in_the_ranges_stated_and_fills_them(name, policy):
    views = drawn(name)

    def spread(numbers, low, high, *, uniform=True):
        assert low <= min(numbers) < low + 0.02 * (high - low)
        assert high - 0.02 * (high - low) < max(numbers) <= high
        if uniform:
            # Of 2,000 numbers, the mean is off by 0.0065 of the range's length, give or take.
            assert abs(np.mean(numbers) - (low + high) / 2) < 0.03 * (high - low)

    crops = [view.crop for view in views]
    spread([crop.width * crop.height for crop in crops], *policy.area)
    logs = [math.log(crop.width / crop.height) for crop in crops]
    spread(logs, -math.log(policy.ratio), math.log(policy.ratio), uniform=False)
    assert abs(np.mean(logs)) < 0.03
    spread([crop.angle for crop in crops], -policy.angle, policy.angle)
    for step in ("brightness", "contrast", "saturation"):
        reach = getattr(policy, step)
        spread([getattr(view.colors, step) for view in views], 1 - reach, 1 + reach)
    if policy.hue:
        spread([view.colors.hue for view in views], -policy.hue, policy.hue)
    else:
        assert {view.colors.hue for view in views} == {0}
    for share, times in (
        (0.5, sum(crop.flipped for crop in crops)),
        (policy.grey, sum(view.grey for view in views)),
        (policy.blurred, sum(view.blur > 0 for view in views)),
    ):
        # Four standard deviations.
        assert abs(times / 2000 - share) <= 4 * math.sqrt(share * (1 - share) / 2000)
    assert len({view.colors.order for view in views}) == math.factorial(len(STEPS))


@pytest.mark.parametrize("policy", POLICIES)
def test_a_crop_lies_in_the_photo_anywhere(policy):
    crops = [view.crop for view in drawn(policy)]
    for center, size in (
        ([crop.center[0] for crop in crops], [crop.width for crop in crops]),
        ([crop.center[1] for crop in crops], [crop.height for crop in crops]),
    ):
        center, size = np.array(center), np.array(size)
        assert (center - size / 2 >= -1e-12).all()
        assert (center + size / 2 <= 1 + 1e-12).all()
        # Where in its room it is: the room's one end, middle and other end as often.
        place = (center - size / 2) / (1 - size)
        assert np.histogram(place, 3, (0, 1))[0] / 2000 == pytest.approx([1 / 3] * 3, abs=0.05)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (2, 3), (7, 90), (60_000, 3)])
def test_no_photo_is_too_small_or_too_elongated(policy, size):
    image = Image.new("RGB", size, (200, 100, 50))
    for view in range(20):
        augmented = Augmentation(policy, 0).draw("key", view)(image, 384)
        assert augmented.mode == "RGB"
        assert max(augmented.size) <= 10 * 384
        low, high = np.asarray(augmented).min((0, 1)), np.asarray(augmented).max((0, 1))
        assert np.array_equal(low, high)  # one colour, to the corners: none is black


def test_a_large_photo_becomes_a_small_view_of_the_same_things():
    small = smooth(400, 300)
    large = small.resize((4000, 3000), Image.Resampling.BICUBIC)
    for view in range(4):
        of_small, of_large = (
            Augmentation("light", 0).draw("key", view)(image, 200) for image in (small, large)
        )
        assert of_small.size == of_large.size
        off = np.abs(np.asarray(of_small).astype(int) - np.asarray(of_large))
        assert off.mean() < 1


def test_grey_and_blur_come_last_and_a_blur_grows_with_the_image():
    dot = np.zeros((448, 448, 3), np.uint8)
    dot[224, 224] = (255, 0, 0)
    dot = Image.fromarray(dot)
    view = AugmentedView(crop=TurnedCrop(), colors=ColorJitter(), grey=True, blur=0.0)
    grey = np.asarray(view(dot, 512))
    assert grey[224, 224].tolist() == [76, 76, 76]  # 0.299 of red
    blurred = AugmentedView(crop=TurnedCrop(), colors=ColorJitter(), grey=False, blur=1.5)
    # Twice 224, so the standard deviation is 3.
    expected = dot.filter(ImageFilter.GaussianBlur(3))
    assert np.array_equal(np.asarray(blurred(dot, 512)), np.asarray(expected))


def test_a_policy_of_no_known_name_is_refused_with_those_there_are():
    with pytest.raises(
        UnknownNameError, match="unknown augmentation policy 'weak'; allowed: light"
    ):
        Augmentation("weak", 0)
