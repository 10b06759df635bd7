"""What the diagnoses share: the rows they look at, and fits side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from penult.classify.evaluation.evaluate import load_rows_for
from penult.errors import UsageError
from penult.machine import cores
from penult.progress import Tell
from penult.records import Features, Progress

if TYPE_CHECKING:
    from penult.classify.classifier import Classifier

__all__ = ["load_labelled", "map_in_threads"]

Task = TypeVar("Task")
Result = TypeVar("Result")


def load_labelled(features: Features | str | Path, classifier: Classifier) -> tuple[Features, str]:
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
        features = load_rows_for(classifier, features)
    classifier.require_recipe(features.recipe, other_name=name)
    if features.targets is not None:
        raise UsageError(f"some images in {name} have several labels; this needs one an image")
    return features, name


def map_in_threads(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    tell: Tell = lambda _: None,
    *,
    stage: str = "",
) -> Iterator[Result]:
    """Yield the result of each task, in order; several run at a time, and share the cores.

    Threads are enough: the time is spent in BLAS, whose own threads help small products little and
    hinder each other on a busy machine.
    """
    from threadpoolctl import threadpool_limits

    workers = max(1, min(cores(), len(tasks)))
    with (
        threadpool_limits(max(1, cores() // workers), user_api="blas"),
        ThreadPoolExecutor(workers) as pool,
    ):
        tell(Progress(0, len(tasks), 0, stage=stage, unit="fits"))
        for done, result in enumerate(pool.map(function, tasks), 1):
            tell(Progress(done, len(tasks), 0, stage=stage, unit="fits"))
            yield result
