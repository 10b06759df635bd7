"""The driver of a run into one feature file on a cluster: hands out what is left to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.distributed.cluster import results
from penult.distributed.connection import connected
from penult.distributed.destination import SharedFolder
from penult.distributed.following import Tally, follow
from penult.distributed.known import KnownContent
from penult.distributed.options import RayOptions
from penult.distributed.tasks import divided, task_size
from penult.distributed.worker import WorkerJob
from penult.errors import ClusterError, ImageError
from penult.features.resume.chunk import Part
from penult.features.resume.lock import owner_of

if TYPE_CHECKING:
    from penult.distributed.result import Result
    from penult.features.disk_space import Room
    from penult.features.resume.known import KnownRows
    from penult.features.resume.ledger import Ledger
    from penult.features.resume.store import PartStore
    from penult.runs import Job

__all__ = ["OnCluster", "listing_bytes"]


@dataclass(frozen=True)
class OnCluster:
    """Computes the parts of an unfinished feature file on a cluster; see `penult.runs.Compute`.

    Attributes
    ----------
    options : RayOptions
    """

    options: RayOptions

    def __call__(self, job: Job, store: PartStore, ledger: Ledger, known: KnownRows) -> Room | None:
        """See `penult.runs.Compute`."""
        to_do = np.asarray(job.records.in_reading_order(ledger.to_do), np.int64)
        room = job.room(store, ledger.read(ledger.with_row[:1]).rows) if ledger.row_count else None
        if room is not None:
            room.require(len(to_do) - known.left)
        if job.extractor.spec.reading.on_error == "fail" and ledger.failures:
            raise ImageError(ledger.failures[0].line)
        tally = Tally(ledger.done, len(ledger.failures), ledger.done)
        if not len(to_do):
            job.report(tally.done, tally.failed, tally.kept)
            return room

        def enter(result: Result) -> None:
            nonlocal room
            task = result.task
            _enter(result, to_do[task.first : task.first + task.count], store, ledger, known)
            if room is None and ledger.row_count:
                room = job.room(store, ledger.read(ledger.with_row[:1]).rows)
            if room is not None:
                room.require(len(to_do) - (tally.done - tally.kept) - known.left)

        with connected(self.options, shared_bytes=listing_bytes(job)) as connection:
            size = task_size(len(to_do), connection.workers[0])
            tasks = divided(len(to_do), size, number=store.next_number)
            work = WorkerJob.of(
                job,
                self.options.on_worker(job.extractor.spec),
                SharedFolder(store.folder.absolute(), owner_of(store.folder)),
                cores=self.options.cpus,
            )
            content = KnownContent.of(known.digests)
            stream = results(connection, self.options, work, tasks, job.records, to_do, content)
            follow(stream, tasks, job, tally, enter=enter, beat=_nothing)
        return room


def _enter(
    result: Result, positions: Any, store: PartStore, ledger: Ledger, known: KnownRows
) -> None:
    """Believe what lies in the store, and not what was answered."""
    part, again = result.entry, result.again
    if again is not None and len(again):
        known.settle(again, result.digests)
    if isinstance(part, Part):
        store.take(part, ledger)
    if not ledger.knows_all(positions):
        raise ClusterError(
            f"part {result.task.number:,}, of {result.node}, lacks some of its images"
        )


def listing_bytes(job: Job) -> int:
    """About how many bytes the listing takes; too much is only room that stays empty."""
    return 256 * len(job.records)


def _nothing() -> None:
    pass
