"""The record of outliers: its order, and what it says."""

import numpy as np
import pytest

from penult.records import Failure, Outlier, Outliers, PictureIssue
from penult.records.outlier_words import odd_about

pytestmark = [pytest.mark.light, pytest.mark.once]

NAN = np.nan


def outliers(**changes):
    """Five rows: unusual by one rule, by none, by both, by both and more, not compared."""
    given = {
        "ids": ("a", "b", "c", "\x1b[1md<e>" * 20, "f"),
        "labels": np.array([0, 0, 0, 0, -1]),
        "label_names": ("x",),
        "reference": "class",
        "k": 2,
        "layer": "penultimate",
        "distances": np.array([0.5, 0.1, 0.6, 0.6, NAN]),
        "lof": np.array([9, 1, 2, 3, NAN]),
        "distance_percentiles": np.array([50, 0, 75, 75, NAN]),
        "lof_percentiles": np.array([99, 0, 25, 50, NAN]),
        "neighbors": np.array([[1, 2, -1]] * 5),
        "reasons": (("lof",), (), ("knn_distance", "lof"), ("knn_distance", "lof", "dark"), ()),
        "not_compared": {"without one label": 1},
        "issues": (
            PictureIssue(reason="dark", ids=("\x1b[1md<e>" * 20,), values=(0.1,), threshold=0.32),
            PictureIssue(
                reason="grayscale",
                ids=("a", "b", "c"),
                values=(0.0,) * 3,
                threshold=0.5,
                common=True,
            ),
        ),
        "measures": {
            "dark_score": np.array([0.9, 0.9, 0.9, 0.1, NAN]),
            "size": np.array([30.0, 40, 50, 60, NAN]),
        },
        "measured": 4,
        "failures": (Failure("f", "is gone"),),
    }
    return Outliers(**{**given, **changes})


def test_rows_that_both_rules_find_are_first_then_by_percentile_and_then_by_factor():
    found = outliers()
    assert found.order.tolist() == [3, 2, 0, 1, 4]
    assert found.unusual.tolist() == [3, 2, 0]
    assert [one.percentile for one in found] == [75, 75, 99, 0, None]


def test_an_outlier_knows_its_neighbours_and_what_its_picture_is():
    first = next(iter(outliers()))
    assert first.nearest == ("b", "c")
    assert first.values == {"dark_score": 0.1, "size": 60}
    assert first.to_dict()["reasons"] == ["knn_distance", "lof", "dark"]
    assert outliers().at(4).values == {}
    assert outliers().at(4).label is None


def test_odd_pictures_are_those_that_most_are_not_and_what_is_odd_is_said():
    found = outliers()
    assert found.odd.tolist() == [3]  # what most pictures are is not odd
    assert odd_about(found.at(3)) == "dark 0.10"
    tiny = Outlier(
        id="a", percentile=1, reasons=("lof", "tiny", "grayscale"), values={"size": 24.4}
    )
    assert odd_about(tiny) == "tiny (24 pixels), grey"


def test_what_was_found_is_said_in_a_line_each():
    found = outliers()
    assert found.method_line == (
        "each of 5 rows against the others of its class: the 2 nearest, layer penultimate, cosine"
    )
    assert found.unusual_line == (
        "3 images (60.0%) are unusual: 2 far from others, 3 local outliers, 2 of them both"
    )
    apart = outliers(reasons=(("lof",), (), (), ("knn_distance",), ()))
    assert apart.unusual_line == "2 images (40.0%) are unusual: 1 far from others, 1 local outlier"
    assert found.not_compared_line == "not compared: 1 row without one label"
    assert found.pictures_line == (
        "4 pictures measured: 1 dark, 75.0% are grey, which is usual here"
    )
    clean = outliers(reasons=((),) * 5, issues=(), not_compared={})
    assert clean.unusual_line == "no image is unusual"
    assert clean.pictures_line == "4 pictures measured: nothing odd"
    assert clean.not_compared_line == ""
    assert outliers(issues=(), measured=0).pictures_line == "0 pictures measured"


def test_it_is_shown_in_a_line_and_as_a_table():
    found = outliers()
    assert repr(found) == (
        "Outliers(3 unusual of 5 rows, reference class, k 2, layer penultimate, cosine, 4 pictures "
        "measured, 1 picture not measured)"
    )
    html = found._repr_html_()
    assert "<e>" not in html
    assert "\x1b" not in html
    assert "far from others, local outlier, dark" in html


def test_all_of_it_together_is_what_json_can_hold():
    told = outliers().to_dict()
    assert (told["unusual"], told["measured"]) == (3, 4)
    assert told["not_compared"] == {"without one label": 1}
    assert told["issues"][0]["threshold"] == 0.32
    assert told["failures"] == [{"id": "f", "reason": "is gone"}]
