"""Whether fine-tuning was worth it, in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penult.wording import count, points

if TYPE_CHECKING:
    from penult.records import ModelDifference

__all__ = ["verdict"]


def verdict(
    difference: ModelDifference | None,
    *,
    seconds: float,
    probe_seconds: float,
    tested: bool = True,
) -> str:
    """Say whether the fine-tuned network beats the frozen one beyond noise.

    Parameters
    ----------
    difference : ModelDifference or None
        Of the fine-tuned network's score less the probe's, on the same images; None where there is
        none to compare.
    seconds, probe_seconds : float
        What either took.
    tested : bool, default=True
        Whether there is a test part.

    Returns
    -------
    str
        One sentence, with a full stop.
    """
    cost = f"fine-tuning took {_time(seconds)}, the probe {_time(probe_seconds)}"
    if not tested:
        return (
            "No photo was held out: there is no test score, and no comparison with the frozen "
            f"network's probe ({cost})."
        )
    if difference is None:
        return f"Nothing was left to compare with the frozen network's probe ({cost})."
    by, low, high = difference.difference, difference.low, difference.high
    on = f"on the same {count(difference.images, 'test image')}"
    interval = f"95% interval {points(low)} to {points(high)}"
    if difference.separable and by > 0:
        return (
            f"Fine-tuning is {points(by)} points better than the frozen network's probe {on} "
            f"({interval}), more than noise; {cost}."
        )
    if difference.separable:
        return (
            f"Fine-tuning is {points(-by)} points worse than the frozen network's probe {on} "
            f"({interval}), more than noise, so the probe is the better choice; {cost}."
        )
    return (
        f"Fine-tuning does not beat the frozen network's probe beyond noise {on}: the difference "
        f"is {points(by)} points ({interval}), so the probe is the better choice; {cost}."
    )


def _time(seconds: float) -> str:
    if seconds < 99.5:
        return f"{seconds:.0f} s" if seconds >= 9.5 else f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5970 else f"{seconds / 3600:.1f} h"
