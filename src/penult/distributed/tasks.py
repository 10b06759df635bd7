"""A listing divided into tasks: consecutive positions, each the work of one worker."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Task", "divided", "task_size"]

_MOST_IMAGES = 512
"""Of a part of an unfinished file: what a killed worker loses, and how often progress is seen."""

_LEAST_IMAGES = 16
_MOST_TASKS = 100_000
_A_WORKER = 8  # tasks, so that the last ones do not leave the other workers waiting


@dataclass(frozen=True)
class Task:
    """Some images of what is to be done.

    Attributes
    ----------
    number : int
        Of the part that its outcomes are.
    first, count : int
        Which images: ``to_do[first : first + count]``.
    """

    number: int
    first: int
    count: int


def divided(images: int, size: int, *, number: int = 1) -> list[Task]:
    """Divide so many images into tasks of `size`, numbered from `number`."""
    return [
        Task(number + k, first, min(size, images - first))
        for k, first in enumerate(range(0, images, size))
    ]


def task_size(images: int, workers: int) -> int:
    """How many images a task has, where nothing else depends on it."""
    even = -(-images // (_A_WORKER * max(1, workers)))
    return max(_LEAST_IMAGES, min(_MOST_IMAGES, even), -(-images // _MOST_TASKS))
