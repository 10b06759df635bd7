"""Whether more photos would help."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import TYPE_CHECKING

from penult.reporting.content import Report
from penult.reporting.findings.finding import Finding
from penult.wording import count, points

if TYPE_CHECKING:
    from penult.classify.diagnosis.learning_curve import CurvePoint

__all__ = ["is_flat", "more_photos"]

FLAT = 0.01  # of accuracy, between the best and the worst point
COARSE = 0.05  # of accuracy; what varies by more than this says nothing of a gain that is not seen


def more_photos(report: Report) -> Finding | None:
    """Judge the end of the learning curve: from at most half of the images a class to all of them.

    The gain is held against two measures of noise. One is the range of the draws at the smaller
    size: a gain is seen where the classifier is better than every one of them. The other is what
    the held-out images allow: two classifiers scored on the same n images differ at most on those
    that one of them gets wrong, so the standard error of the difference is at most
    sqrt((e1 + e2) / n), where e1 and e2 are their shares of wrong images. One image is added to
    the wrong ones of each, for of few images none may be wrong by chance. More photos "would likely
    help" where the gain is seen and above 1.96 of these standard errors, whether they would "is
    open" where it is only seen, and they "promise little" where it is not. Where it is not, and
    1.96 standard errors are more than 5 points, nothing can be told.

    Returns
    -------
    Finding or None
        None where no curve was drawn, or its end cannot be compared with half of it.
    """
    trained = report.trained
    curve = () if trained is None else trained.curve
    halves = [one for one in curve if 2 * one.per_class <= curve[-1].per_class]
    if trained is None or not halves:
        return None
    return Finding(_judge(halves[-1], curve[-1], trained.scores.images), "curve")


def is_flat(curve: Sequence[CurvePoint]) -> bool:
    """Whether the accuracy is the same, within one point, however many images were trained on."""
    means = [one.mean for one in curve]
    return max(means) - min(means) <= FLAT + 1e-9


def _judge(before: CurvePoint, last: CurvePoint, images: int) -> str:
    held_out = count(images, "held-out image")
    gain = last.mean - before.mean
    wrong = (1 - before.mean) + (1 - last.mean) + 2 / images
    noise = 1.96 * sqrt(wrong / images)
    seen = last.mean > max(before.accuracies)
    steps = f"from {count(before.per_class)} to {count(last.per_class)} a class, the accuracy"
    rose = f"rose by {points(gain)} points"
    if seen and gain > noise:
        return f"More photos would likely help: {steps} still {rose}."
    if last.mean == 1 and noise <= COARSE:
        return f"More photos have no gain to show: all {held_out} are right."
    if seen and last.mean < 1:
        doubt = f"which may be chance with {held_out}"
        return f"Whether more photos would help is open: {steps} {rose}, {doubt}."
    if noise > COARSE:
        return f"Whether more photos would help cannot be told from {held_out}."
    how = (
        f"{rose}, no more than one choice of photos differs from another"
        if gain > 0
        else "did not rise"
    )
    return f"More photos of the same kind promise little: {steps} {how}."
