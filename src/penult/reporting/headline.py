"""The number at the top of a report."""

from __future__ import annotations

from dataclasses import dataclass

from penult.classify.metrics.scores import FEW
from penult.reporting.content import Report
from penult.wording import percent

__all__ = ["Headline", "headline"]


@dataclass(frozen=True, kw_only=True)
class Headline:
    """The number at the top of a report, and what to hold it against.

    Attributes
    ----------
    value : float
        In [0, 1].
    name : str
        What it is: "accuracy", or "mean average precision" where images may have several labels.
    images : int
        Held-out images that it was measured on.
    interval : (float, float) or None
        Its 95% interval.
    baseline : float or None
        The accuracy of always answering the class that is most common among those images.
    rough : bool
        Whether the images are few.
    spread : str
        Mean and standard deviation over several runs; "" where there was one.
    runs : int
        How many there were.
    """

    value: float
    name: str
    images: int
    interval: tuple[float, float] | None
    baseline: float | None
    rough: bool
    spread: str = ""
    runs: int = 1


def headline(report: Report) -> Headline | None:
    """Take the number from a report.

    Returns
    -------
    Headline or None
        None where no classifier was trained.
    """
    trained = report.trained
    if trained is None:
        return None
    scores, runs = trained.scores, trained.runs
    average = scores.mean_average_precision
    low, high = scores.interval or (0, 0)
    sound = average is None and 0 <= low < high <= 1  # a file may hold anything
    most = max((one.support for one in scores.classes), default=0)
    return Headline(
        value=scores.accuracy if average is None else average,
        name="accuracy" if average is None else "mean average precision",
        images=scores.images,
        interval=(low, high) if sound else None,
        baseline=most / max(scores.images, 1) if average is None else None,
        rough=scores.images < FEW,
        spread="" if runs is None else f"{percent(runs.mean)} ± {100 * runs.std:.1f}",
        runs=1 if runs is None else len(runs.seeds),
    )
