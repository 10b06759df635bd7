"""What training came to, in rows and lines that a terminal and a notebook show alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from penult.wording import interval, percent

if TYPE_CHECKING:
    from penult.classify.settings import GridResult, TrainingSettings

__all__ = ["layers_rows", "params_in_words", "runs_line", "trials_rows"]

Rows = list[tuple[str, ...]]


def trials_rows(settings: TrainingSettings) -> Rows:
    """Compare the best candidate of each kind of classifier, best first; the first is the header.

    Nothing where there was one kind.
    """
    best: dict[str, GridResult] = {}
    for result in sorted(settings.grid, key=lambda result: -result.mean):
        best.setdefault(result.classifier, result)
    best[settings.classifier] = settings.chosen
    if len(best) < 2:
        return []
    score = "accuracy" if settings.thresholds is None else "mean average precision"
    rows = [
        (kind, params_in_words(one.params), percent(one.mean), f"{100 * one.std:.1f}")
        for kind, one in sorted(best.items(), key=lambda item: -item[1].mean)
    ]
    return [("classifier", "best", score, "±"), *rows]


def layers_rows(settings: TrainingSettings, chosen: str) -> Rows:
    """Compare the layers, and mark the chosen one; nothing where there was one."""
    if len(settings.layers) < 2:
        return []
    rows = [
        (
            row.layer + (" ◀" if row.layer == chosen else ""),
            f"{row.width:,}",
            percent(row.cross_validated),
            percent(row.accuracy),
            interval(row.interval) if row.interval else "",
        )
        for row in settings.layers
    ]
    return [("layer", "numbers", "cross-validated", "held out", "95% interval"), *rows]


def runs_line(settings: TrainingSettings) -> str | None:
    """Return mean and spread over the seeds, where there were several runs."""
    runs = settings.runs
    if runs is None:
        return None
    return (
        f"{len(runs.seeds)} runs, seeds {runs.seeds[0]} to {runs.seeds[-1]}: accuracy "
        f"{percent(runs.mean)} ± {100 * runs.std:.1f} (standard deviation between the runs)"
    )


def params_in_words(params: Mapping[str, Any]) -> str:
    """Write parameters as a sentence has them: ``C=10, weights=uniform``."""
    return ", ".join(
        f"{name}={value:g}" if isinstance(value, int | float) else f"{name}={value}"
        for name, value in params.items()
    )
