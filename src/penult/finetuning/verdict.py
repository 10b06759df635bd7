"""Whether fine-tuning was worth it, in one sentence."""

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

_PROBE = "a classifier on the rows of the network as it was (the probe)"


def verdict(
    difference: ModelDifference | None,
    *,
    seconds: float,
    probe_seconds: float,
    tested: bool = True,
    trained: bool = True,
) -> str:
    """Say whether the fine-tuned network beats the frozen one beyond noise.

    Parameters
    ----------
    difference : ModelDifference or None
        Of the fine-tuned network's score less the probe's, on the same images; None where there is
        none to compare.
    seconds, probe_seconds : float
        What either took; the first includes the second.
    tested : bool, default=True
        Whether there is a test part.
    trained : bool, default=True
        Whether an epoch of the training was kept, and not what it began with.

    Returns
    -------
    str
        One sentence, with a full stop; one before it where no epoch was kept.
    """
    cost = f"fine-tuning took {_time(seconds)}, {_time(probe_seconds)} of it for the probe"
    return ("" if trained else f"{UNTRAINED} ") + _compared(difference, cost, tested=tested)


def _compared(difference: ModelDifference | None, cost: str, *, tested: bool) -> str:
    if not tested:
        return (
            f"No photo was held out: there is no test score, and no comparison with {_PROBE} "
            f"({cost})."
        )
    if difference is None:
        return f"Nothing was left to compare with {_PROBE} ({cost})."
    by, low, high = difference.difference, difference.low, difference.high
    on = f"on the same {count(difference.images, 'test image')}"
    chance = p_value(difference.p)
    interval = f"95% interval {points(low)} to {points(high)}, {chance}"
    if difference.separable and by > 0:
        return (
            f"Fine-tuning is {points(by)} points better than {_PROBE} {on} ({interval}), more than "
            f"noise; {cost}."
        )
    if difference.separable:
        return (
            f"Fine-tuning is {points(-by)} points worse than {_PROBE} {on} ({interval}), more than "
            f"noise, so the probe is the better choice; {cost}."
        )
    if are_few(difference.images):
        return (
            f"Fine-tuning cannot be told from {_PROBE} {on}: the difference is {points(by)} points "
            f"({chance}), and on so few, {what_would_tell(difference.images)}; the probe costs "
            f"less, so it is the better choice; {cost}."
        )
    return (
        f"Fine-tuning does not beat {_PROBE} beyond noise {on}: the difference is {points(by)} "
        f"points ({interval}); the probe costs less, so it is the better choice; {cost}."
    )


def _time(seconds: float) -> str:
    if seconds < 99.5:
        return f"{seconds:.0f} s" if seconds >= 9.5 else f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5970 else f"{seconds / 3600:.1f} h"
