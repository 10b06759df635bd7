"""Parts of a training set, for what need not see all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from penult.errors import UsageError
from penult.features.read import load
from penult.machine import cores
from penult.records import Features, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.classify.classifier import Classifier

__all__ = ["affordable", "in_threads", "labelled", "rank_in_class", "spread"]

Task = TypeVar("Task")
Result = TypeVar("Result")

MOST_ROWS = 10_000
MOST_BYTES = 512 << 20


def labelled(features: Features | str | Path, classifier: Classifier) -> tuple[Features, str]:
    """Return features made with a classifier's recipe, one label an image, and their name.

    Raises
    ------
    RecipeMismatchError
        If they were made otherwise.
    UsageError
        If some image has several labels.
    """
    name = "these features" if isinstance(features, Features) else str(features)
    if not isinstance(features, Features):
        features = load(features)
    classifier.require_recipe(features.recipe, other_is=name)
    if features.targets is not None:
        raise UsageError(f"some images in {name} have several labels; this needs one an image")
    return features, name


def affordable(features: Features) -> int:
    """Rows to train on where all would take hours: 10,000, or what 512 MB of float32 hold."""
    width = int(np.prod(features.features.shape[1:]))
    return min(MOST_ROWS, MOST_BYTES // (4 * max(1, width)))


def spread(labels: NDArray[np.int64], most: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Choose a random part in which each class has the share that it has in all.

    Of every class at least two rows are in it, even where that makes more than `most`.

    Parameters
    ----------
    labels : (n,) int64

    Returns
    -------
    int64 array, shape (m,)
        Places in `labels`, ascending; all of them where n <= `most`.
    """
    if len(labels) <= most:
        return np.arange(len(labels))
    order = np.random.default_rng(seed).permutation(len(labels))
    rank = rank_in_class(labels[order])
    # The k-th of a class's n rows comes at k/n of the way; two of each come before all others.
    way = np.where(rank < 2, -1, rank / np.bincount(labels)[labels[order]])
    count = max(most, int((rank < 2).sum()))
    return np.sort(order[np.argsort(way, kind="stable")[:count]])


def rank_in_class(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many rows of the same class come before each row, (n,) int64."""
    order = np.argsort(labels, kind="stable")
    counts = np.bincount(labels)
    starts = np.cumsum(counts) - counts
    rank = np.empty(len(labels), np.int64)
    rank[order] = np.arange(len(labels)) - np.repeat(starts, counts)
    return rank


def in_threads(
    work: Callable[[Task], Result],
    tasks: Sequence[Task],
    on_progress: Callable[[Progress], None] | None = None,
) -> Iterator[Result]:
    """Yield the result of each task, in order; several are at work, and the cores are shared out.

    Threads are enough: the time is spent in BLAS, whose own threads help small products little and
    hinder each other on a busy machine.
    """
    from threadpoolctl import threadpool_limits

    workers = max(1, min(cores(), len(tasks)))
    with (
        threadpool_limits(max(1, cores() // workers), user_api="blas"),
        ThreadPoolExecutor(workers) as pool,
    ):
        for done, result in enumerate(pool.map(work, tasks), 1):
            if on_progress is not None:
                on_progress(Progress(done, len(tasks), 0))
            yield result
