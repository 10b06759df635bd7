"""The class that is found least often is named, and called weak only where that is no chance."""

from __future__ import annotations

import pytest
from reports import FLOWERS, GARDEN, report_of, with_scores

from penult.reporting.findings.weak_class import weak_class

pytestmark = pytest.mark.light

ROUGH = ". This is a rough figure, which chance may explain."


def said(outcomes, labels):
    """What is said of images given as "truth predicted"."""
    rows = [(f"{k}.jpg", *pair.split(), 0.9) for k, pair in enumerate(outcomes)]
    finding = weak_class(report_of(rows, labels))
    return finding and finding.text


def test_of_few_images_the_last_class_may_be_the_last_by_chance():
    finding = weak_class(report_of(GARDEN, FLOWERS))
    start = (
        "iris was found least often: 1 of 4 held-out images; 2 of the 3 missed were called tulip"
    )
    assert finding.text == start + ROUGH
    assert (finding.section, finding.filter) == ("mistakes", "class=1")  # of daisy, iris, tulip


def test_a_class_whose_interval_is_below_the_accuracy_is_weak():
    # Of 40, 5 are right: at most 29%, with 97.5% on either side; the accuracy is 45 of 80.
    found = said(["a a"] * 5 + ["a b"] * 35 + ["b b"] * 40, ["a", "b"])
    of = "5 of 40 held-out images were found"
    assert found == f"a is the weakest class: {of}; all 35 others were called b."


@pytest.mark.parametrize(
    ("missed", "told"),
    [
        (["a b"], "; the other was called b"),
        (["a b", "a b"], "; both others were called b"),
        (["a b", "a b", "a b"], "; all 3 others were called b"),
        (["a b", "a c"], "; the others were called b, c"),
        (["a b", "a c", "a c"], "; 2 of the 3 missed were called c"),
    ],
)
def test_what_it_is_taken_for(missed, told):
    found = said(["a a", *missed, "b b", "c c"], ["a", "b", "c"])
    of = f"1 of {1 + len(missed)} held-out images"
    assert found == f"a was found least often: {of}{told}{ROUGH}"


def test_of_equals_the_class_with_more_images_is_named():
    assert said(["a b", "b a", "b a"], ["a", "b"]).startswith("b was found least often: 0 of 2")


def test_all_right_shows_no_more_than_the_images_allow():
    # 0.025 ** (1 / 4) is 0.398; a class of which nothing was held out is not named.
    of_few = "; of so few, that shows no more than an accuracy above 39%."
    every = "Every one of the {} held-out images was put into its class"
    assert said(["a a", "b b"] * 2, ["a", "b", "c"]) == every.format(4) + of_few
    assert said(["a a", "b b"] * 50, ["a", "b"]) == every.format(100) + "."


def test_long_names_lose_their_middle():
    long = "species_" + 100 * "x"
    text = said([f"{long} b", "b b"], [long, "b"])
    assert text.startswith("species_xxxxxxxxxxx…xxxxxxxxxxxxxxxxxxx was found least often: 0 of 1")


def test_of_several_labels_an_image_nothing_is_taken_for_another():
    report = with_scores(report_of(GARDEN, FLOWERS), mean_average_precision=0.5)
    finding = weak_class(report)
    of = "on 1 of the 4 held-out images that have it"
    assert (finding.text, finding.section) == (
        f"iris was found least often: {of}{ROUGH}",
        "classes",
    )


def test_of_several_labels_none_is_weak_where_every_one_was_found():
    report = report_of([("a/1.jpg", "a", "a", 0.9), ("b/1.jpg", "b", "b", 0.9)], ["a", "b"])
    several = with_scores(report, mean_average_precision=1.0, accuracy=0.5)
    assert weak_class(several) is None
