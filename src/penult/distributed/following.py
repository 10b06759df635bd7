"""What a driver does with the results that come: it says them, enters them, and adds up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from penult.errors import ClusterError, ImageError, SourceError
from penult.wording import count

if TYPE_CHECKING:
    from penult.distributed.result import Note, Result
    from penult.distributed.tasks import Task
    from penult.runs import Job

__all__ = ["Tally", "follow"]

_SHOWN = 3


@dataclass
class Tally:
    """How far a run is.

    Attributes
    ----------
    done, failed, kept : int
        Images that have a row or a reason; photos that have none; images that were done before.
    """

    done: int
    failed: int
    kept: int


def follow(
    stream: Generator[Result | None, None, None],
    tasks: Sequence[Task],
    job: Job,
    tally: Tally,
    *,
    enter: Callable[[Result], None],
    beat: Callable[[], None],
) -> None:
    """Take all results; the run is over when this returns.

    Parameters
    ----------
    stream : generator of Result or None
        Of an executor; None where it has none at the moment.
    tasks : sequence of Task
    job : Job
    tally : Tally
        Is brought up to date.
    enter : callable
        Called with each part that is done, once.
    beat : callable
        Called now and then.

    Raises
    ------
    ImageError
        The first in the order of the tasks, where the run is to stop at one.
    PenultError
        What is wrong on a worker, or if it does not add up.
    """
    left = {task.number for task in tasks}
    errors = dict[int, Exception]()
    said = set["Note"]()
    job.report(tally.done, tally.failed, tally.kept)
    with closing(stream):
        for result in stream:
            beat()
            if result is None:
                job.report(tally.done, tally.failed, tally.kept)
                continue
            for note in result.notes:
                if note not in said:  # however many workers say it
                    said.add(note)
                    logging.getLogger(note.logger).log(note.level, "%s", note.message)
            number = result.task.number
            if number not in left:
                continue  # Ray may give one twice
            if result.error is not None:
                if not isinstance(result.error, ImageError):
                    raise result.error
                errors[number] = result.error
            else:
                _require_images(job, result)
                enter(result)
                tally.done += result.task.count
                tally.failed += result.failed
                tally.kept += len(result.digests)
            left.discard(number)
            if errors and not any(one < min(errors) for one in left):
                raise errors[min(errors)]  # whichever was found first
            job.report(tally.done, tally.failed, tally.kept)
    if left:
        missing = ", ".join(f"{number:,}" for number in sorted(left)[:_SHOWN])
        more = ", …" if len(left) > _SHOWN else ""
        raise ClusterError(
            f"all is said to be done, and {count(len(left), 'part')} of {len(tasks):,} did not "
            f"come: {missing}{more}"
        )


def _require_images(job: Job, result: Result) -> None:
    """Refuse a part whose images could not be opened where it was made, and can be opened here."""
    if result.unopened < 0:
        return
    record = job.records[result.unopened]
    try:
        with record.open() as file:
            file.read(1)
    except (OSError, ImageError):
        return  # it is as bad here
    raise SourceError(
        f"the machine {result.node} cannot open {record.path or record.id}, which can be opened "
        "here; the images have to be where all machines of the cluster reach them, under the same "
        "name"
    )
