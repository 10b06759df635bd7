"""Whether fine-tuning was worth it, in a sentence or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penult.comparison.few_images import are_few, what_would_tell
from penult.wording import count, p_value, points

if TYPE_CHECKING:
    from penult.records import ModelDifference

__all__ = ["UNTRAINED", "verdict"]

UNTRAINED = (
    "The network is as it was: no epoch was better on the validation images than what training "
    "began with."
)

_PROBE = "the probe, a classifier on the rows of the network as it was,"


def verdict(
    difference: ModelDifference | None,
    *,
    seconds: float,
    probe_seconds: float,
    images: int | None = None,
    trained: bool = True,
) -> str:
    """Say whether the fine-tuned network beats the frozen one beyond noise.

    Parameters
    ----------
    difference : ModelDifference or None
        Of the fine-tuned network's score less the probe's, on the same images; None where there is
        no test part.
    seconds, probe_seconds : float
        What either took, from the first photo to the last score; the first includes the second.
    images : int, optional
        How many test images the scores are of: in the difference, those that belong together, as
        copies do, count once, and where they are fewer the sentence says so.
    trained : bool, default=True
        Whether an epoch of the training was kept, and not what it began with.

    Returns
    -------
    str
        Whether it beats the probe comes first, after a sentence where no epoch was kept.
    """
    cost = (
        f"Fine-tuning took {_time(seconds)}, {_time(probe_seconds)} of it for the probe, without "
        "starting, opening the network and writing the result."
    )
    said = _compared(difference, images)
    return " ".join([*([] if trained else [UNTRAINED]), said, cost])


def _compared(difference: ModelDifference | None, images: int | None) -> str:
    if difference is None:
        return "No photo was held out: there is no test score, and no comparison with the probe."
    by, low, high = difference.difference, difference.low, difference.high
    units = difference.images
    on = f"on the same {count(max(images or 0, units), 'test image')}"
    if images is not None and images > units:
        on += f", counted as {units:,} since those that belong together, as copies do, count once"
    chance = p_value(difference.p)
    interval = f"95% interval {points(low)} to {points(high)}, {chance}"
    if difference.separable and by > 0:
        return (
            f"Fine-tuning is {points(by)} points better than {_PROBE} {on} ({interval}), more than "
            f"noise."
        )
    if difference.separable:
        how = f"is {points(-by)} points worse {on} ({interval}), more than noise."
    elif are_few(difference.images):
        how = (
            f"costs more, and cannot be told from it {on}. The difference is {points(by)} points "
            f"({chance}); on so few, {what_would_tell(difference.images)}."
        )
    else:
        how = (
            f"costs more, and does not beat it beyond noise {on}. The difference is {points(by)} "
            f"points ({interval})."
        )
    return f"{_PROBE.capitalize()} or one like it is the better choice: fine-tuning {how}"


def _time(seconds: float) -> str:
    if seconds < 99.5:
        return f"{seconds:.0f} s" if seconds >= 9.5 else f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5970 else f"{seconds / 3600:.1f} h"
