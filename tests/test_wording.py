import re
from pathlib import Path

import pytest

import penult
from penult.wording import (
    article,
    count,
    interval,
    listed,
    percent,
    points,
    probability,
    ratio,
    shorten,
)


@pytest.mark.parametrize(
    ("number", "noun", "nouns", "expected"),
    [
        pytest.param(1, "row", "", "1 row", id="one"),
        pytest.param(0, "row", "", "0 rows", id="none"),
        pytest.param(1_360, "image", "", "1,360 images", id="thousands"),
        pytest.param(2, "class", "", "2 classes", id="after a sibilant"),
        pytest.param(3, "copy", "copies", "3 copies", id="a plural of its own"),
        pytest.param(1_000, "", "", "1,000", id="a number alone"),
    ],
)
def test_a_number_has_its_noun_in_the_right_form(number, noun, nouns, expected):
    assert count(number, noun, nouns) == expected


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


def test_a_probability_has_tenths_where_most_of_them_are():
    given = (0.0, 0.004, 0.01, 0.873, 0.9899, 0.99, 0.9974, 0.99999, 1.0)
    told = "0%", "0.4%", "1%", "87%", "99%", "99.0%", "99.7%", "99.9%", "100%"
    assert tuple(map(probability, given)) == told


def test_percentage_points_have_a_sign_only_where_they_are_negative():
    given = (0.0413, -0.009, -0.0001, 0.0, 1.0)
    assert [points(one) for one in given] == ["4.1", "-0.9", "0.0", "0.0", "100.0"]


def test_a_ratio_says_one_only_where_it_is_exact():
    assert [ratio(v) for v in (1.0, 0.999, 0.956, 0.0)] == ["1.00", "0.99", "0.96", "0.00"]
    assert ratio(0.9996, 3) == "0.999"


def test_an_interval_reaches_all_or_nothing_only_where_that_is_exact():
    assert interval((0.0004, 0.99996)) == "0.1% to 99.9%"
    assert interval((0, 1)) == "0% to 100%"
    assert percent(0.928) == "92.8%"


def test_a_long_list_is_its_first_few_and_how_many_more():
    assert listed(["a", "b"]) == "a, b"
    assert listed(map(str, range(3_000)), most=2) == "0, 1 and 2,998 more"


A = "photographs of the meadow "
Z = " taken with the old camera"


@pytest.mark.parametrize(
    "names",
    [
        pytest.param([f"{A}in the month of {m}{Z}" for m in ("May", "June", "July")], id="middle"),
        pytest.param([f"{A * 2}{k}" for k in range(3)], id="end"),
        pytest.param([f"{k}{A * 2}" for k in range(3)], id="beginning"),
        pytest.param([f"{A}{p}{A}{q}{Z}" for p in "ab" for q in "cd"], id="two places far apart"),
        pytest.param([A * n for n in range(2, 6)], id="length alone"),
        pytest.param([f"{A}{p}{Z * 3}{q}{Z}" for p in "abc" for q in "ab"], id="all at once"),
    ],
)
def test_names_that_differ_stay_different_when_they_are_shortened(names):
    shown = shorten(names, 32)
    assert len(set(shown)) == len(names)
    assert max(map(len, shown)) <= 32


def test_what_tells_names_apart_is_what_is_kept_of_them():
    may, june = shorten([f"{A}in the month of {m}{Z}" for m in ("May", "June")], 32)
    assert "May" in may
    assert "June" in june
    assert shorten(["rose", "the rose that is not so long"], 32) == [
        "rose",
        "the rose that is not so long",
    ]


def test_an_article_goes_with_its_noun():
    assert [article(noun) for noun in ("int", "array of shape (1,)", "str")] == [
        "an int",
        "an array of shape (1,)",
        "a str",
    ]


def test_no_sentence_has_a_plural_of_its_own():
    """A number before a plural goes through `count`, or it says "1 images"."""
    nouns = "images|photos|rows|files|classes|layers|folds|labels"
    own = re.compile(rf"\{{(?!count)[^{{}}]*:,\}} (?:{nouns})\b")
    source = Path(penult.__file__).parent
    found = [
        f"{path.name}: {line.strip()}"
        for path in source.rglob("*.py")
        for line in path.read_text().splitlines()
        if own.search(line)
    ]
    # It says something else of one row.
    assert [line.partition(":")[0] for line in found] == ["split_checks.py"], found
