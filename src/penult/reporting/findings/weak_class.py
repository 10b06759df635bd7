"""The class that is found least often, and what it is taken for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import floor

from penult.classify.metrics.scores import FEW, accuracy_interval
from penult.records import ClassScore, Scores
from penult.reporting.content import Report
from penult.reporting.findings.finding import Finding
from penult.wording import count, listed, shorten

__all__ = ["weak_class"]

LONGEST = 40  # characters of a name


def weak_class(report: Report) -> Finding | None:
    """Name the class with the lowest recall, and the class that its images are called most often.

    Some class is always the last one. It is said to be weak only where the upper end of its
    recall's interval is below the accuracy: Clopper and Pearson's, at a confidence of
    1 - 0.05 / K for K classes (Bonferroni), since it is picked as the lowest of K. Where it is not,
    the sentence says that chance may explain it.

    Returns
    -------
    Finding or None
        None without a classifier, or where nothing was scored.
    """
    trained = report.trained
    scored = [] if trained is None else [one for one in trained.scores.classes if one.support]
    if trained is None or not scored:
        return None
    if not trained.multilabel and trained.scores.accuracy == 1:
        return Finding(_all_right(report, trained.scores), "classes")
    weakest = min(scored, key=lambda one: (one.recall, -one.support))
    if weakest.recall == 1:  # of several labels, every one was found, and some were too many
        return None
    found = round(weakest.recall * weakest.support)
    if trained.multilabel:
        (name,) = shorten([weakest.label], LONGEST)
        of = f"on {found:,} of the {count(weakest.support, report.scored_image)} that have it"
        return Finding(
            f"{name} was found least often: {of}{_doubt(weakest, found, scored)}", "classes"
        )
    called = Counter(
        predicted
        for truth, predicted in zip(trained.held_out.truth, trained.held_out.predicted, strict=True)
        if truth == weakest.label != predicted
    )
    name, *others = shorten([weakest.label, *called], LONGEST)
    of = f"{found:,} of {count(weakest.support, report.scored_image)}"
    taken = _taken(dict(zip(others, called.values(), strict=True)))
    if _is_weak(weakest, found, trained.scores.accuracy, len(scored)):
        text = f"{name} is the weakest class: {of} were found{taken}."
    else:
        text = f"{name} was found least often: {of}{taken}{_doubt(weakest, found, scored)}"
    return Finding(text, "mistakes", f"class={trained.scores.classes.index(weakest)}")


def _all_right(report: Report, scores: Scores) -> str:
    images = f"{count(scores.images, report.scored_image)}{report.scored_which}"
    text = f"Every one of the {images} was put into its class"
    if scores.images >= FEW:
        return f"{text}."
    low, _ = accuracy_interval(scores.images, scores.images)
    return f"{text}; of so few, that shows no more than an accuracy above {floor(100 * low)}%."


def _taken(called: dict[str, int]) -> str:
    """Say what the missed images were called."""
    missed = sum(called.values())
    if not called:
        return ""
    other, most = max(called.items(), key=lambda one: one[1])
    if len(called) == 1:
        others = {1: "the other was", 2: "both others were"}
        return f"; {others.get(missed, f'all {missed:,} others were')} called {other}"
    if most == 1:
        return f"; the others were called {listed(called, 3)}"
    return f"; {most:,} of the {missed:,} missed were called {other}"


def _is_weak(score: ClassScore, found: int, accuracy: float, classes: int) -> bool:
    _, high = accuracy_interval(found, score.support, confidence=1 - 0.05 / classes)
    return high < accuracy


def _doubt(score: ClassScore, found: int, scored: Sequence[ClassScore]) -> str:
    """Say that the figure is rough, unless it is clearly below what is found of all classes."""
    mean = sum(one.recall * one.support for one in scored) / sum(one.support for one in scored)
    if _is_weak(score, found, mean, len(scored)):
        return "."
    return ". This is a rough figure, which chance may explain."
