"""What is measured of pictures, of some whose measures are known."""

import io

import numpy as np
import pytest
from map_rows import features_of
from PIL import Image, ImageFilter

import penult
from penult.explore.outliers.issues import find_issues
from penult.explore.outliers.picture_measures import measure_picture
from penult.explore.outliers.picture_reader import MEASURES, measure_pictures
from penult.tasks import outliers as task

pytestmark = pytest.mark.light

NOISE = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)


def png(pixels, kind="PNG"):
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(np.uint8(pixels))
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def flat(*color, size=(300, 200)):
    return png(Image.new("RGB", size, color))


def photo(seed=0, size=(320, 240)):
    """Soft noise: neither dark nor light, sharp at 64 pixels, of colours."""
    small = np.random.default_rng(seed).integers(0, 256, (24, 32, 3), np.uint8)
    return png(Image.fromarray(small).resize(size), "JPEG")


def test_black_and_white_are_dark_and_light_and_both_are_blank():
    black, white = measure_picture(flat(0, 0, 0)), measure_picture(flat(255, 255, 255))
    assert (black.dark, black.light) == (0, 1)
    assert (white.dark, white.light) == (pytest.approx(1), pytest.approx(0, abs=1e-6))
    # All of each channel in one of 768 bins: three bins of a third.
    assert black.low_information == white.low_information == pytest.approx(np.log2(3) / 10)
    assert black.grayscale == white.grayscale == 0
    assert black.size == pytest.approx((300 * 200) ** 0.5)
    assert black.odd_aspect_ratio == pytest.approx(2 / 3)


def test_brightness_weighs_the_squares_of_colours():
    red, green = measure_picture(flat(255, 0, 0)), measure_picture(flat(0, 255, 0))
    assert red.dark == pytest.approx(0.241**0.5)
    assert green.dark == pytest.approx(0.691**0.5)
    assert red.grayscale == 1
    assert measure_picture(flat(51, 51, 51)).dark == pytest.approx(0.2)


def test_percentiles_pass_over_a_hundredth_and_a_twentieth():
    pixels = np.zeros((100, 100, 3))
    pixels[:2] = 255  # 2% are bright, so that even the 99th percentile is
    assert measure_picture(png(pixels)).dark == pytest.approx(1)
    pixels = np.full((100, 100, 3), 255)
    pixels[:4] = 0
    assert measure_picture(png(pixels)).light == pytest.approx(0, abs=1e-6)
    pixels[:6] = 0
    assert measure_picture(png(pixels)).light == 1


def test_a_blurred_picture_has_less_of_edges_and_a_flat_one_none():
    slope = np.linspace(0, 100, 48)[:, None, None]  # so that the histogram has no peaks
    sharp = Image.fromarray(np.uint8(slope + NOISE[:48, :64] / 2)).resize((640, 480))
    scores = [
        measure_picture(png(sharp.filter(ImageFilter.GaussianBlur(radius)))).blurry
        for radius in (0, 30)
    ]
    assert scores[0] > 0.29 > scores[-1]
    # No edges; but its histogram is one peak, which is what a graphic has.
    assert measure_picture(flat(90, 90, 90)).blurry == 1


def test_a_narrow_picture_is_oddly_shaped_and_turned_as_it_lies():
    strip = measure_picture(png(NOISE[:5, :100]))
    assert strip.odd_aspect_ratio == 0.05
    assert strip.size == pytest.approx(500**0.5)
    assert measure_picture(png(NOISE[:100, :5])).odd_aspect_ratio == 0.05


def test_a_large_picture_is_measured_reduced_with_its_own_size():
    large = Image.open(io.BytesIO(photo())).resize((2400, 1800))
    small = measure_picture(png(large.resize((800, 600)), "JPEG"))
    for kind in ("PNG", "JPEG"):
        found = measure_picture(png(large, kind))
        assert found.size == pytest.approx((2400 * 1800) ** 0.5)
        for name in ("dark", "light", "blurry", "low_information"):
            assert getattr(found, name) == pytest.approx(getattr(small, name), abs=0.02), name


def measured(**columns):
    usual = {"dark": 0.9, "light": 0.9, "blurry": 0.9, "low_information": 0.9}
    usual |= {"odd_aspect_ratio": 0.9, "size": 500, "grayscale": 1}
    n = len(next(iter(columns.values())))
    return np.array([np.broadcast_to(columns.get(k, usual[k]), n) for k in MEASURES], float).T


def issues_of(**columns):
    table = measured(**columns)
    return {one.reason: one for one in find_issues([f"{k}" for k in range(len(table))], table)}


def test_what_is_below_a_threshold_is_listed_the_worst_first():
    found = issues_of(dark=[0.9, 0.31, 0.32, 0.1, 0.9, np.nan])
    assert [*found] == ["dark"]
    assert (found["dark"].ids, found["dark"].values) == (("3", "1"), (0.1, 0.31))
    assert found["dark"].threshold == 0.32
    assert not found["dark"].common


def test_what_most_pictures_are_says_something_of_the_collection():
    assert issues_of(grayscale=[0, 0, 0, 1, 1])["grayscale"].common
    assert not issues_of(grayscale=[0, 0, 1, 1])["grayscale"].common


def test_sizes_far_from_the_quartiles_are_tiny_or_large():
    # Quartiles 400 and 500: fences at 100 and 800, the latter within twice the median.
    sizes = [400, 400, 450, 500, 500, 90, 110, 890, 910]
    q1, q3 = np.percentile(sizes, (25, 75))
    assert (q1, q3) == (400, 500)
    found = issues_of(size=sizes)
    assert (found["tiny"].ids, found["large"].ids) == (("5", "6"), ("8",))
    assert (found["tiny"].threshold, found["large"].threshold) == (112.5, 900)


def test_where_sizes_are_alike_no_pixel_more_is_odd_and_where_they_differ_icons_are():
    assert issues_of(size=[500, 500, 500, 500, 501, 499, 251, 999]) == {}
    found = issues_of(size=[500, 500, 500, 500, 249, 1001])
    assert (found["tiny"].ids, found["large"].ids) == (("4",), ("5",))
    differing = [20, 200, 400, 800, 1600, 3000]
    assert issues_of(size=differing)["tiny"].ids == ("0",)


def test_pictures_that_are_gone_or_broken_are_told_with_their_reasons():
    files = {"a": photo(), "b": None, "c": b"no picture", "d": b""}
    told = []
    measures, failures = measure_pictures([*files], files.get, told.append)
    assert np.isnan(measures).all(axis=1).tolist() == [False, True, True, True]
    assert [one.id for one in failures] == ["b", "c", "d"]
    assert failures[0].reason == "is gone, or is another picture by now"
    assert failures[2].reason == "is empty (0 bytes)"
    assert (told[-1].done, told[-1].total, told[-1].failed) == (4, 4, 3)
    assert find_issues([*files], measures) == ()


@pytest.fixture
def spoiled(monkeypatch):
    """Features of fourteen pictures, of which some are odd, and rows that are all alike."""
    files = {f"{k}.jpg": photo(k) for k in range(20)}
    files |= {
        "0.jpg": flat(0, 0, 9),
        "1.jpg": flat(255, 255, 250),
        "2.jpg": photo(2, (40, 20)),
        "3.jpg": photo(3, (900, 90)),
        "4.jpg": png(Image.open(io.BytesIO(photo(4))).convert("L")),
        "5.jpg": None,
    }
    monkeypatch.setattr(task, "image_opener", lambda *_, **__: files.get)
    return features_of(np.random.default_rng(0).uniform(1, 2, (20, 4)))


def test_each_odd_picture_has_its_reasons_beside_those_of_its_row(spoiled):
    found = penult.outliers(spoiled, progress=False)
    reasons = {spoiled.ids[k]: found.reasons[k] for k in range(20) if found.reasons[k]}
    assert reasons == {
        "0.jpg": ("dark", "low_information"),
        "1.jpg": ("light", "low_information"),
        "2.jpg": ("tiny",),
        "3.jpg": ("odd_aspect_ratio",),
        "4.jpg": ("grayscale",),
    }
    assert found.measured == 19
    assert [one.id for one in found.failures] == ["5.jpg"]
    assert [found.ids[place] for place in found.odd] == [
        "0.jpg",
        "1.jpg",
        "3.jpg",
        "2.jpg",
        "4.jpg",
    ]
    assert found.pictures_line == (
        "19 pictures measured: 1 dark, 1 light, 2 nearly blank, 1 oddly shaped, 1 tiny, 1 grey"
    )


def test_all_that_was_measured_is_told_of_each_picture_be_it_odd_or_not(spoiled):
    found = penult.outliers(spoiled, progress=False)
    assert set(found.measures) == {
        *("dark_score", "light_score", "blurry_score", "low_information_score"),
        *("odd_aspect_ratio_score", "size", "grayscale_score"),
    }
    usual = measure_picture(photo(7))
    assert not found.reasons[7]
    assert found.at(7).values["blurry_score"] == usual.blurry == found.measures["blurry_score"][7]
    assert found.at(7).to_dict()["values"]["dark_score"] == usual.dark
    assert found.at(3).values["odd_aspect_ratio_score"] == pytest.approx(0.1)
    assert found.at(2).values["size"] == pytest.approx(800**0.5)
    assert found.at(5).values == {}  # it is gone
    assert np.isnan(found.measures["size"][5])


def test_without_pictures_none_is_opened(spoiled):
    found = penult.outliers(spoiled, pictures=False, progress=False)
    assert (found.measured, found.issues, found.failures) == (None, (), ())
    assert found.pictures_line == ""
