"""What training came to, in rows and lines that a terminal and a notebook show alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penult.representation import short_text
from penult.wording import interval, params_in_words, percent

if TYPE_CHECKING:
    from penult.classify.settings import GridResult, LayerResult, SeedRuns, TrainingSettings

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
    several = any(row.runs for row in settings.layers)
    rows = [
        (
            row.layer + (" ◀" if row.layer == chosen else ""),
            f"{row.width:,}",
            percent(row.cross_validated),
            percent(row.accuracy),
            interval(row.interval) if row.interval else "",
            *[_runs(row)] * several,
        )
        for row in settings.layers
    ]
    header = ("layer", "numbers", "cross-validated", "held out", "95% interval")
    return [(*header, *["mean of the runs"] * several), *rows]


def _runs(layer: LayerResult) -> str:
    return f"{percent(layer.runs.mean)} ± {100 * layer.runs.std:.1f}" if layer.runs else ""


def runs_line(settings: TrainingSettings) -> str | None:
    """Return mean and spread over the seeds, where there were several runs."""
    runs = settings.runs
    if runs is None:
        return None
    return (
        f"{len(runs.seeds)} runs, seeds {runs.seeds[0]} to {runs.seeds[-1]}: accuracy "
        f"{percent(runs.mean)} ± {100 * runs.std:.1f} (standard deviation between the runs)"
        f"{_of_classes(runs)}"
    )


def _of_classes(runs: SeedRuns) -> str:
    """The means over the runs that say how the small classes do."""
    if runs.balanced_accuracy is None:
        return ""
    lowest = sorted(runs.recalls.items(), key=lambda one: one[1])[:3]
    told = ", ".join(f"{short_text(label)} {percent(recall)}" for label, recall in lowest)
    return f"; balanced accuracy {percent(runs.balanced_accuracy)}, lowest recalls: {told}"
