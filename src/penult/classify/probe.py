"""Train a probe: divide the rows, choose the parameters inside the training part, fit, score."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.classifiers import combinations
from penult.classify.model import Classifier, class_probabilities
from penult.classify.rows import read_rows
from penult.classify.scores import score
from penult.classify.search import fit_one, search
from penult.classify.splits import cross_validation, hold_out
from penult.errors import TrainingError
from penult.features.read import load
from penult.records import Features, HeldOut, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["train"]


def train(
    features: Features | str | Path,
    *,
    classifier: str = "logistic",
    grid: Mapping[str, Sequence[Any]] | None = None,
    scale: str = "l2",
    test_size: float = 0.25,
    seed: int = 0,
    folds: int = 3,
    stored: bool = True,
    min_per_class: int = 0,
    refit: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> Classifier:
    """Train a classifier on a feature file's labelled rows and score it on rows held out.

    The parameters are those of the grid with the highest mean accuracy over the folds of the
    training part (the first such combination, so the smallest C). Everything that learns, scaling
    included, is fitted on training rows only.

    Parameters
    ----------
    features : (N, D) rows with labels, or the feature file; rows of more axes are flattened
    classifier : a name in `penult.classify.classifiers.CLASSIFIERS`
    grid : parameter name to values; replaces the default grid, parameter by parameter
    scale : ``"l2"``, ``"standard"`` or ``"none"``
    test_size : the part held out where the file has no splits of its own, in (0, 1)
    seed : of the split, the folds and the classifier
    folds : number of cross-validation folds
    stored : whether the splits stored in the file count
    min_per_class : classes with fewer rows are left out and have no place in the classifier
    refit : fit the returned pipeline once more, on all labelled rows, after it was scored. The
        scores stay those of the pipeline that saw the training part only.
    on_progress : called after each fit; counts fits

    Returns
    -------
    Classifier
        By default exactly the one that was scored.

    Raises
    ------
    TrainingError, UsageError, UnknownNameError
        See `hold_out`, `read_rows` and `combinations`.
    """
    if not isinstance(features, Features):
        features = load(features)
    if features.targets is not None:
        raise TrainingError(
            "some image has several labels, and a classifier for those cannot be trained yet; "
            "extract with one label an image"
        )
    tries = combinations(classifier, grid)
    split = hold_out(
        features,
        test_size=test_size,
        seed=seed,
        folds=folds,
        stored=stored,
        min_per_class=min_per_class,
    )
    names, labels = _without(features, split.dropped)
    truth, held_truth = labels[split.train], labels[split.held_out]
    groups = None if features.groups is None else np.asarray(features.groups)[split.train]
    divided = cross_validation(truth, groups, folds=folds, seed=seed)

    chosen = np.sort(np.concatenate([split.train, split.held_out]))
    everything = read_rows(features, chosen)
    rows = everything[np.searchsorted(chosen, split.train)]
    held_rows = everything[np.searchsorted(chosen, split.held_out)]

    step = _counter(on_progress, len(tries) * folds + 1 + refit)
    trials, best, pipeline = search(
        rows, truth, divided, {classifier: tries}, scale=scale, seed=seed, step=step
    )
    probabilities = class_probabilities(pipeline, held_rows, len(names))
    predicted = probabilities.argmax(axis=1)
    scores = score(
        held_truth, predicted, names, split=split.description, probabilities=probabilities
    )
    if refit:
        pipeline = fit_one(
            everything, labels[chosen], best.classifier, best.params, scale=scale, seed=seed
        )
        step()
    return Classifier(
        pipeline=pipeline,
        label_names=names,
        recipe=features.recipe,
        scores=scores,
        held_out=HeldOut(
            ids=tuple(str(features.ids[i]) for i in split.held_out),
            truth=tuple(names[k] for k in held_truth),
            predicted=tuple(names[k] for k in predicted),
            probability=tuple(probabilities.max(axis=1).tolist()),
        ),
        versions=_versions(),
        settings={
            "classifier": best.classifier,
            "params": dict(best.params),
            "scale": scale,
            "seed": seed,
            "folds": folds,
            "grid": [trial.to_dict() for trial in trials],
            "refit": refit,
            "train_images": len(chosen) if refit else len(truth),
            "held_out_images": len(held_truth),
            "left_out": dict(split.left_out),
            "classes": {name: int((truth == k).sum()) for k, name in enumerate(names)},
        },
    )


def _without(
    features: Features, dropped: Sequence[int]
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    # The classes that stay are numbered anew; a row of a dropped one counts as unlabelled.
    kept = [k for k in range(len(features.label_names)) if k not in dropped]
    place = np.full(len(features.label_names) + 1, -1)
    place[kept] = np.arange(len(kept))
    return tuple(str(features.label_names[k]) for k in kept), place[np.asarray(features.labels)]


def _counter(on_progress: Callable[[Progress], None] | None, total: int) -> Callable[[], None]:
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if on_progress is not None:
            on_progress(Progress(done, total, 0))

    return step


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("penult", "numpy", "scikit-learn", "skops")}
