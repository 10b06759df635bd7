"""How a network was fine-tuned, and what came of it beside the frozen network's probe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from penult.comparison.few_images import are_few, what_would_tell
from penult.reporting.content import Report
from penult.reporting.figures.export import to_svg
from penult.reporting.figures.training_curves import accuracy_chart, losses_chart
from penult.reporting.finetuning import Finetuning, PairedDifference
from penult.reporting.formatting import duration
from penult.reporting.sections.base import Section
from penult.web.thumbnails import Thumbnails
from penult.wording import count, interval, listed, p_value, percent, points

__all__ = ["SECTION"]

MOST_BLOCKS = 4  # that are named


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    found, trained = report.finetuning, report.trained
    if found is None or trained is None:
        return None
    curves = found.curves
    return {
        "rows": [
            *_scores(
                found, trained.scores.images, trained.scores.interval, several=report.multilabel
            ),
            *_learning(found),
            *_photos(found, trained.scores.images),
        ],
        "charts": [
            to_svg(losses_chart(curves), "losses"),
            to_svg(accuracy_chart(curves), "accuracies"),
        ]
        if found.epochs
        else [],
        "staged": bool(curves.unfrozen_after),
        "epochs": [
            (one, number == curves.kept)
            for number, one in enumerate((found.start, *found.epochs))
            if one is not None
        ],
        "stopped": found.stopped,
    }


Row = tuple[str, str, str]
"""What it is, its value, and what that means."""


def _scores(
    found: Finetuning, images: int, ends: tuple[float, float] | None, *, several: bool
) -> Iterator[Row]:
    said = f"on {count(images, 'test image')}, which neither trained it nor chose anything"
    if ends is not None:
        said += f"; 95% interval {interval(ends)}"
    name = "Every label right" if several else "Accuracy"
    yield name, percent(found.test.accuracy), said
    yield (
        "Of the probe",
        percent(found.probe.accuracy),
        "a logistic regression on rows of the network as it was, on the same test images",
    )
    if (by := found.difference) is not None:
        value = found.test.accuracy - found.probe.accuracy
        yield (
            "Difference",
            f"{'+' if value > 0 else ''}{points(value if by.difference is None else by.difference)}"
            " points",
            _certainty(by),
        )
    yield (
        "On validation images",
        percent(found.validation.accuracy),
        f"{count(found.validation_images, 'image')} by which the epoch and the temperature were "
        "chosen: this flatters",
    )
    if found.temperature is not None:
        yield (
            "Temperature",
            f"{found.temperature:.3g}",
            "what logits are divided by, so that probabilities are right as often as they say",
        )
    after, before = found.test.calibration_error, found.test.calibration_error_before
    if after is not None and before is not None:
        yield (
            "Calibration error",
            f"{after:.3f}",
            f"on the test images, with that temperature; {before:.3f} without it",
        )


def _certainty(by: PairedDifference) -> str:
    if by.images and are_few(by.images) and not by.separable:
        # The interval of so few looks more certain than it is, down to 0 to 0.
        return f"no more than noise; on so few images, {what_would_tell(by.images)}"
    noise = "more than noise" if by.separable else "no more than noise"
    chance = "" if by.p is None else f", {p_value(by.p)}"
    return f"paired 95% interval {points(by.low)} to {points(by.high)}{chance}: {noise}"


def _learning(found: Finetuning) -> Iterator[Row]:
    if found.parameters is not None:
        learnt = "the head alone"
        if found.unfrozen:
            learnt = f"{listed(found.unfrozen, MOST_BLOCKS)} and the head"
        yield "Learnt", count(found.parameters, "parameter"), learnt
    if found.frozen_parameters:
        blocks = ", the whole network"
        if found.unfrozen:
            total = len(found.frozen) + len(found.unfrozen)
            blocks = f", in {len(found.frozen):,} of {count(total, 'block')}"
        yield "Frozen", count(found.frozen_parameters, "parameter"), f"as they came{blocks}"
    if found.best_epoch is not None and found.epochs:
        last = found.epochs[-1].epoch or len(found.epochs)
        why = "by the least loss on the validation images"
        if found.best_epoch == 0:
            why = "what it started from: every epoch after it had a greater validation loss"
        yield "Epoch kept", f"{found.best_epoch:,} of {last:,}", why
    if found.wise_ft is not None and found.best_epoch != 0:  # else both are the start
        yield (
            "WiSE-FT",
            percent(found.wise_ft, 0),
            "share of the trained weights in their average with those at the start, chosen on the "
            "validation images",
        )
    if "finetune" in found.seconds:
        probe = found.seconds.get("probe")
        of_probe = (
            "" if probe is None else f"of which the probe and its rows took {duration(probe)}"
        )
        yield "Time", duration(found.seconds["finetune"]), of_probe


def _photos(found: Finetuning, tested: int) -> Iterator[Row]:
    yield (
        "Trained on",
        count(found.train_images, "image"),
        f"{found.validation_images:,} more validated, and {tested:,} tested",
    )
    for reason, images in found.left_out.items():
        yield "Left out", count(images, "image"), reason
    if found.failed:
        yield "Could not be read", count(found.failed, "image"), "before or during the training"


SECTION = Section(name="finetuning", title="Fine-tuning", content=_content)
