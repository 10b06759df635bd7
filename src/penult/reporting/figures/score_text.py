"""Scores of networks as figures write them: all as shares in percent, on one scale."""

from __future__ import annotations

from math import isfinite, isnan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penult.records import RunScores

__all__ = ["has_spread", "score_name", "score_text"]

_NAMES = {
    "knn_accuracy": "k-NN accuracy",
    "macro_f1": "macro F1",
    "soft_f1": "soft F1",
    "calibration_error": "calibration error",
}


def score_name(score: str) -> str:
    """Return a score's name as text has it."""
    return _NAMES.get(score, score)


def score_text(scores: RunScores | None) -> str:
    """Write a mean in percent, with its standard deviation where there are several runs."""
    if scores is None or isnan(scores.mean):
        return "–"
    return f"{scores.percent.rstrip('%')} {scores.spread}".rstrip()


def has_spread(scores: RunScores) -> bool:
    """Say whether there are several runs to have a standard deviation."""
    return sum(map(isfinite, scores.runs)) > 1
