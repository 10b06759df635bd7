"""A classifier trained on the rows of a report, and what it says of their labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from penult.classify.classifier import Classifier
from penult.classify.diagnosis.label_errors import LabelIssue, find_label_issues
from penult.classify.diagnosis.layers import runs_of, train_best
from penult.classify.diagnosis.learning_curve import CurvePoint, learning_curve
from penult.classify.options import TrainOptions
from penult.features.read import load
from penult.progress import Tell
from penult.records import Features, HeldOut
from penult.reporting.classified import Classified
from penult.reporting.steps.course import Course
from penult.retrieve.duplicates.leak_warning import warn_of_leaks
from penult.retrieve.duplicates.leaks import find_leaks

__all__ = ["train_classifier"]


def train_classifier(
    path: Path,
    layers: Sequence[str],
    options: TrainOptions,
    course: Course,
    *,
    save_as: Path,
    called: Path,
    label_errors: bool,
    curve: bool,
) -> Classified:
    """Train on each layer, keep the best, and look for label errors and a learning curve.

    Parameters
    ----------
    path : of the feature file
    layers : names and globs
    options : of the training
    course : of the report
    save_as : where the classifier is written
    called : what a warning calls the feature file
    label_errors, curve : whether they are wanted
    """
    with course.timed("train"):
        features, trained, runs = _train(path, layers, options, course.tell)
        trained.save(save_as, overwrite=True)
        # As it was divided to train: what follows says nothing of other parts.
        split = options.split(options.joined(features))
    if options.near_duplicates is None:
        leaks = find_leaks(features, split.train, features, split.held_out)
        warn_of_leaks(leaks, str(called), drawn=split.drawn)
    issues: tuple[LabelIssue, ...] | None = None
    points: tuple[CurvePoint, ...] = ()
    if label_errors:
        with course.noted("labels", "label errors"):
            issues = tuple(find_label_issues(trained, features, progress=course.tell))
    if curve:
        with course.noted("curve", "learning curve"):
            points = tuple(learning_curve(trained, features, split=split, progress=course.tell))
    return Classified(
        features=features,
        classifier=trained,
        scores=trained.scores,
        held_out=trained.held_out,
        runs=runs,
        split=split,
        label_issues=issues,
        curve=points,
    )


def _train(
    path: Path, layers: Sequence[str], options: TrainOptions, tell: Tell
) -> tuple[Features, Classifier, Sequence[HeldOut]]:
    """Train on each layer; return the best one's rows, it, and the images held out in each run."""
    held_out: list[HeldOut] = []
    best = train_best(path, layers, progress=tell, on_run=held_out.append, **vars(options))
    return load(path, best.layer), best, runs_of(best, held_out)
