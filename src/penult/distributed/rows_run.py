"""The driver of a run into a folder of rows, on a cluster or in this process."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.distributed import cluster, local
from penult.distributed.connection import connected
from penult.distributed.following import Tally, follow
from penult.distributed.known import KnownContent
from penult.distributed.options import RayOptions
from penult.distributed.rows_folder import RUN, RowsFolder
from penult.distributed.rows_start import RowsStart, first_places, read_manifest
from penult.distributed.run import listing_bytes
from penult.distributed.tasks import Task
from penult.distributed.turn import taken
from penult.distributed.worker import WorkerJob
from penult.errors import (
    ClusterError,
    ImageError,
    OutputError,
    PenultError,
)
from penult.features.parts.entry import (
    PartEntry,
    PartFormat,
    is_of_parts,
    remove_others,
)
from penult.features.parts.header import PART_IMAGES, PartsHeader, require_part_images
from penult.features.parts.manifest import MANIFEST, PartsManifest
from penult.features.parts.store import PartsStore
from penult.features.resume.finished import FinishedRows
from penult.interface import call_or_command, option
from penult.machine import cores
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.distributed.result import Result
    from penult.records import Failure
    from penult.runs import Job

__all__ = ["RowsRun"]


@dataclass(frozen=True, kw_only=True)
class RowsRun:
    """How a folder of rows is to be made.

    Attributes
    ----------
    part_images : int or None
        Images a part; those of the folder that is brought up to date by default, or else
        `PART_IMAGES`.
    part_format : {"h5", "parquet"} or None
        Likewise, or else ``"h5"``.
    cluster : RayOptions or None
        None computes in this process.
    """

    part_images: int | None
    part_format: PartFormat | None
    cluster: RayOptions | None = None

    def __post_init__(self) -> None:
        if self.part_images is not None:
            require_part_images(self.part_images)

    def parts(self, old: PartsManifest | None) -> tuple[int, PartFormat]:
        """Images a part, and the format of parts.

        Parameters
        ----------
        old : PartsManifest or None
            Of the folder that is brought up to date.
        """
        images = PART_IMAGES if old is None else old.part_images
        format: PartFormat = "h5" if old is None else old.part_format
        return (
            images if self.part_images is None else self.part_images,
            self.part_format or format,
        )

    def to_folder(
        self, job: Job, store: PartsStore, *, overwrite: bool, restart: bool, update: bool
    ) -> None:
        """Run the job, or go on with it where it was interrupted, until the folder is whole.

        Raises
        ------
        ImageError, SourceError, OutputError, RecipeMismatchError, ResumeError, ClusterError
            What is finished stays.
        """
        store.create()
        with taken(store) as beat:
            run = _Run(self, job, store)
            try:
                run.make(beat, overwrite=overwrite, restart=restart, update=update)
            except (ClusterError, ImageError, OutputError) as error:
                beat()  # if the folder is gone, that is why
                raise run.with_what_stays(error) from error
            finally:
                _leave_no_trace(store)


class _Run:
    def __init__(self, how: RowsRun, job: Job, store: PartsStore) -> None:
        self._how, self._job, self._store = how, job, store
        self._entries: dict[int, PartEntry] = {}
        self._failures: list[Failure] = []

    def make(self, beat: Any, *, overwrite: bool, restart: bool, update: bool) -> None:
        job, store = self._job, self._store
        old = read_manifest(store)
        part_images, part_format = self._how.parts(old if update else None)
        starts = first_places(len(job.listing.records), job.views, part_images)
        options = {
            **job.options,
            "part_images": part_images,
            "part_format": part_format,
        }
        start = RowsStart.of(
            store,
            job.recipes,
            options,
            job.records,
            old=old,
            overwrite=overwrite,
            restart=restart,
            update=update,
            tidy=self._tidy,
        )
        if start is None:
            return
        record = start.record
        header = PartsHeader(
            run=record.run,
            created=record.created,
            recipes=job.recipes,
            columns=job.columns,
            dtype=job.dtype,
            origin=dict(job.origin),
            part_images=part_images,
            format=part_format,
            augmented=job.augmented,
            trained_on=job.trained_on,
        )
        if start.there is None:
            remove_others(store, () if old is None else (part.name for part in old.parts))
        record.write(store)
        tasks = [
            Task(number, int(first), int(end - first))
            for number, (first, end) in enumerate(pairwise(starts), 1)
        ]
        known = KnownContent.none()
        if update and old is not None:
            known = KnownContent.of(
                FinishedRows(Path(store.address), job.recipes, job.options).content
            )
        target = RowsFolder(
            _absolute(store), header, record.token, store.address if len(known) else None
        )
        self._entries = record.entries(store)
        self._compute(tasks, target, known, beat)
        entries = record.entries(store)
        self._add_up(tasks, entries)
        if not sum(entry.rows for entry in entries.values()):
            remove_others(store, () if old is None else (part.name for part in old.parts))
            store.remove(RUN)
            raise job.nothing_readable(self._failures)
        beat()
        parts = [entries[task.number] for task in tasks]
        self._tidy(PartsManifest.of(header, options, parts, job.listing.failures))

    def _compute(
        self, tasks: Sequence[Task], target: RowsFolder, known: KnownContent, beat: Any
    ) -> None:
        job = self._job
        to_do = [task for task in tasks if task.number not in self._entries]
        done = sum(task.count for task in tasks) - sum(task.count for task in to_do)
        failed = sum(entry.failures for entry in self._entries.values())
        tally = Tally(done, failed, done)
        if not to_do:
            job.report(tally.done, tally.failed, tally.kept)
            return
        positions = np.arange(len(job.records), dtype=np.int64)
        with ExitStack() as stack:
            stream = self._stream(stack, to_do, target, known, positions, tally, beat)
            follow(stream, to_do, job, tally, enter=self._enter, beat=beat)

    def _stream(
        self,
        stack: ExitStack,
        tasks: Sequence[Task],
        target: RowsFolder,
        known: KnownContent,
        positions: NDArray[np.int64],
        tally: Tally,
        beat: Any,
    ) -> Generator[Result | None, None, None]:
        job, options = self._job, self._how.cluster
        if options is None:

            def tell(done: int, failed: int) -> None:
                beat()
                job.report(tally.done + done, tally.failed + failed, tally.kept)

            work = WorkerJob.of(job, job.extractor.spec, target, cores=cores())
            return local.results(
                work, tasks, job.records, positions, known, extractor=job.extractor, tell=tell
            )
        connection = stack.enter_context(connected(options, shared_bytes=listing_bytes(job)))
        spec = options.on_worker(job.extractor.spec)
        work = WorkerJob.of(job, spec, target, cores=options.cpus)
        return cluster.results(connection, options, work, tasks, job.records, positions, known)

    def _enter(self, result: Result) -> None:
        entry = result.entry
        if not isinstance(entry, PartEntry) or entry.number != result.task.number:
            raise ClusterError(f"part {result.task.number:,}, of {result.node}, is another one")
        self._entries[entry.number] = entry
        self._failures += result.failures

    def _add_up(self, tasks: Sequence[Task], entries: dict[int, PartEntry]) -> None:
        """Fail if what is in the store is not what is expected, and what was answered.

        Raises
        ------
        OutputError
        """
        wrong = [t.number for t in tasks if entries.get(t.number) != self._entries.get(t.number)]
        if wrong:
            named = ", ".join(f"{number:,}" for number in wrong[:3])
            raise OutputError(
                f"{self._store.address} does not hold what was put there: "
                f"{count(len(wrong), 'part')} of {len(tasks):,}, the first {named}; the same "
                f"{call_or_command()} makes them again"
            )

    def _tidy(self, manifest: PartsManifest) -> None:
        manifest.write(self._store)
        self._store.remove(RUN)

    def with_what_stays(self, error: PenultError) -> PenultError:
        """The error, with what is finished and how it is gone on with."""
        images = sum(entry.images for entry in self._entries.values())
        if not images:
            return error
        are = "is" if images == 1 else "are"
        again = f"the same {call_or_command()} goes on from there"
        if isinstance(error, ImageError):
            again = f"with that image mended or removed, {option('restart', True)} begins anew"
        return type(error)(
            f"{error}; {images:,} of {count(len(self._job.listing.records), 'image')} {are} safe "
            f"in {self._store.address}: {again}"
        )


def _leave_no_trace(store: PartsStore) -> None:
    """Of a run that has not come to its first part, leave nothing behind."""
    with suppress(PenultError):
        names = store.names()
        if RUN in names and MANIFEST not in names and not any(map(is_of_parts, names)):
            store.remove(RUN)


def _absolute(store: PartsStore) -> PartsStore:
    folder = store.folder
    return store if folder is None else replace(store, address=str(folder.absolute()))
