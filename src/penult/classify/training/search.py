"""Cross-validated choice of a classifier and its parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from penult.classify.kinds.base import (
    ClassifierKind,
    Params,
    TrainingData,
    Trial,
    accuracy_margin,
)
from penult.classify.kinds.registry import find_kind
from penult.classify.training.grid import Candidates
from penult.errors import UsageError
from penult.wording import count

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from penult.partition.splits import Fold

__all__ = ["GridSearchResult", "choose", "possible", "search"]


@dataclass(frozen=True)
class GridSearchResult:
    """What a grid search found.

    Attributes
    ----------
    trials : in the order of the candidates, without those that ask for more neighbours than rows
        and those not tried
    best : of `choose`
    pipeline : the best one, fitted on all rows
    thresholds : (K,) from which probability each label is predicted; None where an image has one
    not_tried : of all kinds, candidates left out because the trials had clearly passed their best
    """

    trials: list[Trial]
    best: Trial
    pipeline: Pipeline
    thresholds: tuple[float, ...] | None = None
    not_tried: tuple[Params, ...] = ()


def search(
    data: TrainingData, candidates: Candidates, step: Callable[[], None] = lambda: None
) -> GridSearchResult:
    """Score every candidate on every fold and fit the best one on all rows.

    Parameters
    ----------
    data : one label an image, with folds
    candidates : of each kind
    step : called after each fit: once for each candidate and fold at most, and once at the end
    """
    trials: list[Trial] = []
    not_tried: list[Params] = []
    fits = {}
    for name, params in candidates.items():
        kind = find_kind(name)
        validated = kind.cross_validate(data, possible(kind, params, data.folds), step)
        trials += validated.trials
        not_tried += validated.not_tried
        fits[name] = validated.fit
    best = choose(trials, data.photos)
    pipeline = fits[best.classifier](best.params)
    step()
    return GridSearchResult(trials, best, pipeline, not_tried=tuple(not_tried))


def choose(trials: Sequence[Trial], images: int) -> Trial:
    """Choose the most accurate trial, and of those as good as that, the one with least log-loss.

    Those are as good whose accuracy is less by no more than `accuracy_margin`. The smallest C that
    separates a few images leaves every probability near 1/K.

    Parameters
    ----------
    trials : one or more
    images : in all folds
    """
    best = max(trials, key=lambda trial: trial.mean)
    if best.log_loss is None:
        return best
    margin = accuracy_margin(best.mean, images)
    equals = [
        trial
        for trial in trials
        if trial.classifier == best.classifier and trial.mean >= best.mean - margin
    ]
    return min(equals, key=lambda trial: trial.log_loss or 0.0)


def possible(
    kind: ClassifierKind, candidates: Sequence[Params], folds: Sequence[Fold]
) -> list[Params]:
    """Leave out the candidates that ask for more neighbours than a fold has rows to train with.

    Raises
    ------
    UsageError
        If none is left.
    """
    fewest = min(len(train) for train, _ in folds)
    kept = [params for params in candidates if kind.limit(params, fewest) == params]
    if not kept:
        raise UsageError(
            f"the folds have {count(fewest, 'row')} to train with; give fewer "
            f"{', '.join(kind.grid)}"
        )
    return kept
