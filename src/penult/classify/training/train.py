"""Train a probe: divide the rows, choose the parameters inside the training part, fit, score."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from penult import wording
from penult.classify.classifier import Classifier
from penult.classify.edges import find_edges
from penult.classify.evaluation.evaluate import evaluate_pipeline
from penult.classify.evaluation.result import Evaluation
from penult.classify.evaluation.seen import content_keys, is_seen
from penult.classify.options import TrainOptions
from penult.classify.pipeline import explained_variance_ratio
from penult.classify.settings import GridResult, SeedRuns, TrainingSettings
from penult.classify.training.grid import expand_grids, require_weighable
from penult.classify.training.search import GridSearchResult
from penult.classify.training.training_set import TrainingSet
from penult.errors import UsageError
from penult.features.read import load
from penult.interface import option
from penult.likeness import Likeness
from penult.partition.empty_classes import without_empty_classes
from penult.partition.rows import read_blocks
from penult.partition.splits import Split
from penult.progress import ShowProgress, Tell, announce, following
from penult.recipe import require_equal
from penult.records import Features, HeldOut, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["train"]

_MANY_ROWS = 100_000  # of which the first fit takes long


def train(
    features: Features | str | Path,
    *,
    classifier: str | Sequence[str] = "logistic",
    grid: Mapping[str, Sequence[Any]] | None = None,
    scale: Literal["l2", "standard", "none"] = "l2",
    reduce: int | None = None,
    class_weight: Literal["balanced"] | None = None,
    test_size: float = 0.25,
    test_features: Features | str | Path | None = None,
    seed: int = 0,
    folds: int = 3,
    runs: int = 1,
    ignore_splits: bool = False,
    min_per_class: int = 0,
    near_duplicates: float | None = None,
    refit: bool = False,
    max_memory: int | None = None,
    progress: ShowProgress = None,
    on_run: Callable[[HeldOut], None] | None = None,
) -> Classifier:
    """Train a classifier on the labelled rows of one layer, and score it on rows held out.

    The parameters, and what is raised, are those of `penult.train`, which chooses the layer before
    and writes the outcome after; `max_memory` is in bytes, and `on_run`
    is called after each run with the images held out in it.

    Returns
    -------
    Classifier
        By default exactly the one that was scored.
    """
    options = TrainOptions.of(
        classifier=classifier,
        grid=grid,
        scale=scale,
        reduce=reduce,
        class_weight=class_weight,
        test_size=test_size,
        seed=seed,
        folds=folds,
        runs=runs,
        ignore_splits=ignore_splits,
        min_per_class=min_per_class,
        near_duplicates=near_duplicates,
        refit=refit,
        max_memory=max_memory,
    )
    candidates = expand_grids(options.kinds, grid)
    require_weighable(options.kinds, class_weight)
    features = without_empty_classes(_loaded(features))
    other = None if test_features is None else _loaded(test_features)
    if other is not None:
        require_equal(
            features.recipe,
            other.recipe,
            name="the training features",
            other_name="the test features",
        )
    memory = options.memory
    plain = features
    in_test_file = None if other is None else _shared(features, other)
    if near_duplicates is not None:
        with following(progress):
            features = options.joined(features)
    splits = [options.split(features, run=run, in_test_file=in_test_file) for run in range(runs)]
    if runs > 1 and not splits[0].drawn:
        elsewhere = f", or {option('ignore_splits', True)}" * (features.splits is not None)
        raise UsageError(
            f"{runs} runs would hold out the same images each time: the held-out part is "
            f"{splits[0].description}; give one run{elsewhere}"
        )
    with following(progress):
        training_set = TrainingSet.read(features, splits[0], memory, options=options)
    training_set.require_learnable(candidates)
    tries = sum(map(len, candidates.values()))
    results = []
    with following(progress) as tell:
        if len(splits[0].train) >= _MANY_ROWS:
            announce(f"fitting {wording.count(len(splits[0].train), 'row')}")
        likeness = training_set.likeness(splits[0].train, seed=seed)
        step = _Counter(tell, (tries * folds + 1) * runs + refit)
        for run, split in enumerate(splits):
            found = training_set.search(split.train, candidates, seed=seed + run, step=step)
            step.leave_out((tries - len(found.trials)) * folds)
            held_out = training_set.part(split.held_out) if other is None else other
            results.append((found, _score(found, training_set.names, held_out, split)))
            if run == 0 and likeness is not None:
                likeness = _tried(likeness, held_out, results[0][1].images.ids)
            if on_run is not None:
                on_run(results[-1][1].images)
        found, evaluation = results[0]
        pipeline = found.pipeline
        if refit:
            pipeline = training_set.fit(found.best, seed=seed)
            every = training_set.likeness(training_set.chosen, seed=seed)
            if every is not None and likeness is not None:
                every = replace(every, held_out_share=likeness.held_out_share)
            likeness = every
            step()
    fitted_on = training_set.chosen if refit else splits[0].train
    settings = TrainingSettings(
        classifier=found.best.classifier,
        params=dict(found.best.params),
        scale=scale,
        reduce=reduce,
        explained_variance_ratio=None if reduce is None else explained_variance_ratio(pipeline),
        class_weight=class_weight,
        seed=seed,
        folds=folds,
        grid=tuple(
            GridResult(trial.classifier, dict(trial.params), trial.mean, trial.std, trial.log_loss)
            for trial in found.trials
        ),
        edges=find_edges(candidates, found.best.classifier, found.best.params),
        refit=refit,
        train_images=len(fitted_on),
        augmented=training_set.views(fitted_on),
        held_out_images=evaluation.scores.images,
        left_out=_left_out(splits[0], evaluation),
        copies=splits[0].copies,
        trained_network=evaluation.trained,
        untrained_accuracy=None if evaluation.apart is None else evaluation.apart.accuracy,
        near_duplicates=near_duplicates,
        classes=training_set.images_per_class(splits[0].train),
        thresholds=found.thresholds,
        runs=SeedRuns.of(seed, [each.scores for _, each in results]) if runs > 1 else None,
        file_layers=plain.layers if len(plain.layers) > 1 else (),
        layer=plain.name if plain.name != plain.recipe.layer else "",
        not_tried=tuple(dict(params) for params in found.not_tried),
        options=options.recorded(),
        features=_file_name(plain),
        test_features="" if other is None else _file_name(other),
    )
    return Classifier(
        pipeline=pipeline,
        label_names=training_set.names,
        recipe=features.recipe,
        scores=evaluation.scores,
        held_out=evaluation.images,
        versions=_versions(),
        settings=settings,
        trained_on=content_keys(plain, fitted_on),
        likeness=likeness,
    )


def _score(
    found: GridSearchResult,
    label_names: Sequence[str],
    held_out: Features,
    split: Split,
) -> Evaluation:
    return evaluate_pipeline(
        found.pipeline,
        label_names,
        held_out,
        split=split.description,
        thresholds=found.thresholds,
    )


def _tried(likeness: Likeness, held_out: Features, scored: Sequence[str]) -> Likeness:
    known = set(scored)
    rows = np.flatnonzero([str(name) in known for name in held_out.ids])
    similarity = np.empty(len(rows), np.float32)
    for part, block in read_blocks(held_out, rows):
        similarity[part] = likeness.similarity(block)
    return likeness.tried_on(similarity)


def _left_out(split: Split, evaluation: Evaluation) -> dict[str, int]:
    left_out = dict(split.left_out)
    for label, count in evaluation.unseen_labels.items():
        left_out[f"test images of class {label}, which has no training image"] = count
    return left_out


def _shared(features: Features, other: Features) -> NDArray[np.bool_]:
    # Which images of the one are in the other as well.
    theirs = content_keys(other, np.arange(len(other)))
    seen = is_seen(features, np.arange(len(features)), theirs)
    return np.zeros(len(features), bool) if seen is None else seen


def _loaded(features: Features | str | Path) -> Features:
    if not isinstance(features, Features):
        features = load(features)
    return features


def _file_name(features: Features) -> str:
    return str(getattr(features.features, "file_name", ""))


class _Counter:
    """Counts fits; called after each."""

    def __init__(self, tell: Tell, total: int) -> None:
        self._tell, self._now = tell, Progress(0, total, 0, stage="train", unit="fits")
        tell(self._now)

    def __call__(self) -> None:
        self._now = replace(self._now, done=self._now.done + 1)
        self._tell(self._now)

    def leave_out(self, fits: int) -> None:
        """Some that were to be done are not."""
        if fits:
            self._now = replace(self._now, total=(self._now.total or 0) - fits)
            self._tell(self._now)


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("penult", "numpy", "scikit-learn", "skops")}
