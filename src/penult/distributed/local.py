"""The executor in this process: one worker, one task after the other."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING

from penult.distributed.worker import PartWorker

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.distributed.known import KnownContent
    from penult.distributed.result import Result
    from penult.distributed.tasks import Task
    from penult.distributed.worker import WorkerJob
    from penult.extractor import Extractor
    from penult.images.record_list import RecordList
    from penult.images.records_with_views import RecordsWithViews

__all__ = ["results"]


def results(
    job: WorkerJob,
    tasks: Sequence[Task],
    records: RecordList | RecordsWithViews,
    to_do: NDArray[np.int64],
    known: KnownContent,
    *,
    extractor: Extractor,
    tell: Callable[[int, int], None],
) -> Generator[Result | None, None, None]:
    """Do tasks here; give their results, as `penult.distributed.cluster.results` does.

    What is wrong is raised as it is, for there is no other machine to be named.

    Parameters
    ----------
    job, tasks, records, to_do, known
        As there.
    extractor : Extractor
        Which is open.
    tell : callable
        Called with how many images of the task in hand are done, and how many photos have failed.

    Raises
    ------
    PenultError
    """
    worker = PartWorker(job, records, to_do, known, extractor=extractor)
    for task in tasks:
        yield worker.done(task, tell=tell)
