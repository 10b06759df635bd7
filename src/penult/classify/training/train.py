"""Train a probe: divide the rows, choose the parameters inside the training part, fit, score."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.classifier import Classifier
from penult.classify.evaluation.evaluate import Evaluation, judge
from penult.classify.evaluation.seen import content_keys, is_seen
from penult.classify.training.kinds import combinations, make_scaler
from penult.classify.training.out_of_core import require_streamable
from penult.classify.training.training_set import Found, Table
from penult.errors import TrainingError, UsageError
from penult.features.read import load
from penult.machine import free_memory
from penult.partition.near_duplicates import join_near_duplicates
from penult.partition.rows import row_length
from penult.partition.splits import Split, cross_validation, hold_out
from penult.partition.stratification import class_counts
from penult.recipe import require_equal
from penult.records import Features, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["find_edges", "train"]


def train(
    features: Features | str | Path,
    *,
    classifier: str | Sequence[str] = "logistic",
    grid: Mapping[str, Sequence[Any]] | None = None,
    scale: str = "l2",
    test_size: float = 0.25,
    test_features: Features | str | Path | None = None,
    seed: int = 0,
    folds: int = 3,
    runs: int = 1,
    stored: bool = True,
    min_per_class: int = 0,
    near_duplicates: float | None = None,
    refit: bool = False,
    max_memory: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Classifier:
    """Train a classifier on a feature file's labelled rows and score it on rows held out.

    The classifier and its parameters are those of the grid with the highest mean accuracy over the
    folds of the training part; of values of C that are as good as that, the one with the least
    log-loss (`penult.classify.training.search.choose`). Everything that learns, scaling included,
    is fitted on training rows only.

    Parameters
    ----------
    features : (N, D) rows with labels, or the feature file; rows of more axes are flattened
    classifier : a name in `penult.classify.training.kinds.CLASSIFIERS`, or several to choose from
    grid : parameter name to values; replaces the default grids, parameter by parameter
    scale : ``"l2"``, ``"standard"`` or ``"none"``
    test_size : the part held out where the file has no splits of its own, in (0, 1)
    test_features : held-out rows of another file, or that file; all rows of `features` then train,
        but for images that are in both
    seed : of the split, the folds and the classifier
    folds : number of cross-validation folds
    runs : how often to repeat it all, with seeds one apart; the first run's classifier is returned,
        with the accuracies of all in ``settings["runs"]``
    stored : whether the splits stored in the file count
    min_per_class : classes with fewer rows are left out and have no place in the classifier
    near_duplicates : images whose rows have at least this cosine (0.95, say) are kept in one part,
        as identical ones always are; all rows are compared with all
    refit : fit the returned pipeline once more, on all labelled rows, after it was scored. The
        scores stay those of the pipeline that saw the training part only.
    max_memory : bytes that the rows and their copies may take; by default half of what the machine
        has free. Rows that need more stay on disk and are read again and again: logistic, svm,
        ridge and centroid find the same optimum so, slower; the others need all rows at once.
    on_progress : called after each fit; counts fits

    Returns
    -------
    Classifier
        By default exactly the one that was scored.

    Raises
    ------
    TrainingError, UsageError, UnknownNameError
        See `hold_out`, `read_rows` and `combinations`.
    RecipeMismatchError
        If the rows of `test_features` were made otherwise.
    """
    features = _loaded(features)
    names = [classifier] if isinstance(classifier, str) else list(classifier)
    if not names or runs < 1:
        raise UsageError(f"{len(names)} classifiers in {runs} runs; give at least one of each")
    if max_memory is not None and max_memory < 1:
        raise UsageError(f"{max_memory} bytes of memory hold no row; give 1 or more")
    tries = combinations(names, grid)
    make_scaler(scale)  # an unknown name is said before anything is read
    other = None if test_features is None else _loaded(test_features)
    if other is not None:
        require_equal(
            features.recipe,
            other.recipe,
            name="the training features",
            other_name="the test features",
        )
    memory = free_memory() // 2 if max_memory is None else max_memory
    plain, elsewhere = features, None if other is None else _shared(features, other)
    if near_duplicates is not None:
        features = join_near_duplicates(features, near_duplicates, memory)
    splits = [
        hold_out(
            features,
            test_size=test_size,
            seed=seed + run,
            folds=folds,
            stored=stored,
            min_per_class=min_per_class,
            elsewhere=elsewhere,
        )
        for run in range(runs)
    ]
    if runs > 1 and not splits[0].drawn:
        raise UsageError(
            f"{runs} runs would hold out the same images each time: the held-out part is "
            f"{splits[0].description}; give one run, or --ignore-splits (in Python stored=False)"
        )
    table = Table.read(features, splits[0], memory)
    if table.rows is None:
        if features.targets is not None:
            raise TrainingError(
                f"the rows do not fit into {memory / 1e9:,.3g} GB, and where images have several "
                "labels all are needed at once; give more with --max-memory (in Python "
                "max_memory), or extract shorter rows"
            )
        require_streamable(tries, row_length(features), folds, memory)
    fits = sum(map(len, tries.values())) * folds + 1
    step = _counter(on_progress, fits * len(splits) + refit)
    results = [
        _run(table, split, tries, scale=scale, seed=seed + run, folds=folds, step=step, other=other)
        for run, split in enumerate(splits)
    ]
    found, evaluation = results[0]
    best, pipeline = found.best, found.pipeline
    if refit:
        again = cross_validation(table.labels, table.groups, folds=folds, seed=seed)
        pipeline = table.fit(best, again, scale=scale, seed=seed)
        step()
    left_out = dict(splits[0].left_out)
    for label, count in evaluation.unseen_labels.items():
        left_out[f"test images of class {label}, which has no training image"] = count
    trained = table.labels[table.places(splits[0].train)]
    trained_on = content_keys(plain, table.chosen if refit else splits[0].train)
    settings = {
        "classifier": best.classifier,
        "params": dict(best.params),
        "scale": scale,
        "seed": seed,
        "folds": folds,
        "grid": [trial.to_dict() for trial in found.trials],
        "edges": find_edges(tries[best.classifier], best.params),
        "refit": refit,
        "train_images": len(table.labels) if refit else len(trained),
        "held_out_images": evaluation.scores.images,
        "left_out": left_out,
        "copies": splits[0].copies,
        "near_duplicates": near_duplicates,
        "classes": dict(
            zip(table.names, class_counts(trained, len(table.names)).tolist(), strict=True)
        ),
    }
    if found.thresholds is not None:
        settings["thresholds"] = found.thresholds
    if runs > 1:
        accuracies = [judged.scores.accuracy for _, judged in results]
        settings["runs"] = {
            "seeds": [seed + run for run in range(runs)],
            "accuracies": accuracies,
            "mean": float(np.mean(accuracies)),
            "std": float(np.std(accuracies, ddof=1)),
        }
    return Classifier(
        pipeline=pipeline,
        label_names=table.names,
        recipe=features.recipe,
        scores=evaluation.scores,
        held_out=evaluation.images,
        versions=_versions(),
        settings=settings,
        trained_on=trained_on,
    )


def _shared(features: Features, other: Features) -> NDArray[np.bool_]:
    # Which images of the one are in the other as well.
    theirs = content_keys(other, np.arange(len(other)))
    seen = is_seen(features, np.arange(len(features)), theirs)
    return np.zeros(len(features), bool) if seen is None else seen


def _loaded(features: Features | str | Path) -> Features:
    if not isinstance(features, Features):
        features = load(features)
    return features


def find_edges(tried: Sequence[Mapping[str, Any]], chosen: Mapping[str, Any]) -> dict[str, str]:
    """Say which chosen values are the "largest" or "smallest" tried: a wider grid may do better.

    Of C and alpha only: nothing is beyond one neighbour, or all features.
    """
    found = {}
    for name in {"C", "alpha"} & chosen.keys():
        values = {params[name] for params in tried}
        for edge, value in (("largest", max(values)), ("smallest", min(values))):
            if len(values) > 1 and chosen[name] == value:
                found[name] = edge
    return found


def _run(
    table: Table,
    split: Split,
    tries: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    scale: str,
    seed: int,
    folds: int,
    step: Callable[[], None],
    other: Features | None,
) -> tuple[Found, Evaluation]:
    places = table.places(split.train)
    groups = None if table.groups is None else table.groups[places]
    divided = cross_validation(table.labels[places], groups, folds=folds, seed=seed)
    found = table.search(split.train, divided, tries, scale=scale, seed=seed, step=step)
    held_out = table.part(split.held_out) if other is None else other
    return found, judge(
        found.pipeline,
        table.names,
        held_out,
        split=split.description,
        thresholds=found.thresholds,
    )


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
