import pytest

from penult.recipe import Preprocessing
from penult.reporting.formatting import count, duration, percent, plain, preprocessing_words, ratio


@pytest.mark.parametrize(
    ("share", "digits", "expected"),
    [
        pytest.param(0.9764, 1, "97.6%", id="rounded"),
        pytest.param(1.0, 1, "100%", id="all"),
        pytest.param(0.0, 1, "0%", id="none"),
        pytest.param(1359 / 1360, 1, "99.9%", id="one mistake is not all right"),
        pytest.param(1 / 20_000, 1, "0.1%", id="one hit is not none"),
        pytest.param(0.9996, 0, "99%", id="whole percents"),
        pytest.param(0.5, 2, "50.00%", id="two digits"),
    ],
)
def test_percentages(share, digits, expected):
    assert percent(share, digits) == expected


def test_a_ratio_says_one_only_where_it_is_exact():
    assert [ratio(v) for v in (1.0, 0.999, 0.956, 0.0)] == ["1.00", "0.99", "0.96", "0.00"]


def test_counts_agree_with_their_nouns():
    assert count(1360) == "1,360"
    assert count(1, "image") == "1 image"
    assert count(1360, "image") == "1,360 images"
    assert count(2, "class", "classes") == "2 classes"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (7800, "2 h 10 min"),
    ],
)
def test_durations(seconds, expected):
    assert duration(seconds) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"),
        (True, "yes"),
        (10000.0, "10000"),
        (0.1, "0.1"),
        (1797, "1,797"),
        ({"C": 10.0, "penalty": "l2"}, "C = 10, penalty = l2"),
        ((0.1, 1.0), "0.1, 1"),
        ("standard", "standard"),
    ],
)
def test_settings(value, expected):
    assert plain(value) == expected


def test_preprocessing_is_told_in_order_and_as_width_by_height():
    how = Preprocessing(
        resize=256,
        crop=(224, 448),
        interpolation="bicubic",
        mean=(0.485, 0.456, 0.406),
        std=(0.5, 0.5, 0.5),
    )
    assert preprocessing_words(how) == (
        "shorter edge to 256 pixels (bicubic); centre crop of 448 × 224; "
        "RGB with mean (0.485, 0.456, 0.406) and standard deviation (0.5, 0.5, 0.5)"
    )
    squashed = Preprocessing(
        resize=(100, 200),
        crop=None,
        interpolation="nearest",
        mean=(0.0,),
        std=(1.0,),
        channels="BGR",
        decode="scaled",
    )
    assert preprocessing_words(squashed).startswith(
        "large JPEGs scaled down while decoding; resized to 200 × 100 pixels (nearest); BGR with"
    )
