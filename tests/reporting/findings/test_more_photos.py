"""Whether more photos would help is judged with what the curve and the held-out images allow."""

from __future__ import annotations

import dataclasses

import pytest
from reports import FLOWERS, GARDEN, report_of, with_scores

from penult.classify.diagnosis.learning_curve import CurvePoint
from penult.reporting.findings.more_photos import is_flat, more_photos

pytestmark = pytest.mark.light


def said(before, last, images=340):
    """What is said of draws with 5 images a class, and of the classifier with 10."""
    curve = (CurvePoint(5, 15, before), CurvePoint(8, 24, (0.1,)), CurvePoint(10, 30, (last,)))
    report = report_of(GARDEN, FLOWERS, curve=curve)
    return more_photos(with_scores(report, images=images)).text


STEPS = "from 5 to 10 a class, the accuracy"


@pytest.mark.parametrize(
    ("before", "last", "images", "told"),
    [
        # 1.96 standard errors, at most: 1.96 * sqrt((0.19 + 0.1 + 0.002) / 1000) is 0.033.
        ((0.8, 0.81, 0.82), 0.9, 1000, f"More photos would likely help: {STEPS} still rose by 9.0 points."),
        # 1.96 * sqrt((0.06 + 0.041 + 0.006) / 340) is 0.035.
        ((0.94, 0.94, 0.94), 0.959, 340, f"Whether more photos would help is open: {STEPS} rose by 1.9 points, which may be chance with 340 held-out images."),
        ((0.94, 0.96, 0.95), 0.955, 340, f"More photos of the same kind promise little: {STEPS} rose by 0.5 points, no more than one choice of photos differs from another."),
        ((0.94, 0.96, 0.95), 0.93, 340, f"More photos of the same kind promise little: {STEPS} did not rise."),
        ((0.5, 0.6), 0.5, 8, "Whether more photos would help cannot be told from 8 held-out images."),
        ((1.0, 1.0), 1.0, 8, "Whether more photos would help cannot be told from 8 held-out images."),
        ((1.0, 1.0), 1.0, 340, "More photos have no gain to show: all 340 held-out images are right."),
        ((0.994, 1.0), 1.0, 340, "More photos have no gain to show: all 340 held-out images are right."),
    ],
)  # fmt: skip
def test_what_is_claimed_is_no_more_than_what_is_seen(before, last, images, told):
    assert said(before, last, images) == told


def test_nothing_is_said_without_a_curve_that_doubles_the_photos():
    for curve in (
        (),
        (CurvePoint(3, 9, (0.5,)),),
        (CurvePoint(2, 6, (0.4,)), CurvePoint(3, 9, (0.5,))),
    ):
        assert more_photos(report_of(GARDEN, FLOWERS, curve=curve)) is None
    assert more_photos(dataclasses.replace(report_of(GARDEN, FLOWERS), trained=None)) is None


def test_a_curve_is_flat_within_one_point():
    assert is_flat((CurvePoint(1, 3, (0.9, 0.92)), CurvePoint(2, 6, (0.92,))))
    assert not is_flat((CurvePoint(1, 3, (0.9, 0.91)), CurvePoint(2, 6, (0.92,))))
