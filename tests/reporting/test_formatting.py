import pytest

from penult.recipe import Preprocessing
from penult.reporting.formatting import (
    brief_time,
    duration,
    file_size,
    plain,
    preprocessing_words,
)


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
        resampling="fast",
    )
    assert preprocessing_words(squashed).startswith(
        "large JPEGs scaled down while decoding; resized to 200 × 100 pixels (nearest, fast); BGR with"
    )


@pytest.mark.parametrize(
    ("write", "value", "expected"),
    [
        (brief_time, 0.0004, "0.4 ms"),
        (brief_time, 0.0094, "9.4 ms"),
        (brief_time, 0.0174, "17 ms"),
        (brief_time, 0.9994, "999 ms"),
        (brief_time, 1.23, "1.2 s"),
    ],
)
def test_measured_numbers_have_a_unit_and_no_more_digits_than_are_the_same_each_time(
    write, value, expected
):
    assert write(value) == expected


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (1, "1 byte"),
        (999, "999 bytes"),
        (45_400, "45 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
    ],
)
def test_sizes_of_files_are_in_powers_of_1000(size, expected):
    assert file_size(size) == expected
