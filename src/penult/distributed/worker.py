"""A worker: it opens the network once, and makes a part of each task."""

from __future__ import annotations

import logging
import os
import socket
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from errno import EDQUOT, EFBIG, ENOSPC, EROFS
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from penult.backbones.registry import register, registered, unregister
from penult.distributed.destination import Destination
from penult.distributed.known import KnownContent
from penult.distributed.result import Note, Result
from penult.distributed.tasks import Task
from penult.engines.registry import ENGINES, EngineEntry
from penult.errors import ClusterError, ImageError, OutputError, PenultError
from penult.features.resume.chunk import Outcomes
from penult.interface import at_command_line, serving_command_line
from penult.machine import share_cores
from penult.messages import first_line
from penult.progress import following
from penult.recipe import require_equal
from penult.records import AugmentedRecord, Failure, ImageRecord
from penult.runs import new_outcomes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.backbones.source import BackboneSource
    from penult.extractor import Extractor, ExtractorSpec
    from penult.images.record_list import RecordList
    from penult.images.records_with_views import RecordsWithViews
    from penult.recipe import AugmentedRecipe, Recipe
    from penult.runs import Job

__all__ = ["PartWorker", "WorkerJob"]

_TRIES = 6
_PAUSE = 0.1  # seconds before the second try, doubled each time
_FOR_GOOD = (ENOSPC, EDQUOT, EFBIG, EROFS)
_MOST_NOTES = 100  # of a task


@dataclass(frozen=True, kw_only=True)
class WorkerJob:
    """What every worker of a run has to know, besides the listing: small and picklable.

    Attributes
    ----------
    spec : ExtractorSpec
        What a worker opens.
    recipes : tuple of Recipe
        What it has to come to.
    destination : Destination
    dtype : {"float32", "float16"}
        Of the rows.
    readers : int or None
        Decoding threads that suit the images' source.
    augmented : AugmentedRecipe or None
        How augmented views are made, where there are such.
    cores : int
        How many each worker has.
    folder : str
        From which relative paths are meant.
    sources : tuple of BackboneSource
        Those that were registered in the driver's process.
    engines : tuple of EngineEntry
        Those that were registered in the driver's process, with their classes.
    at_command_line : bool
        Whether messages name options as the command line has them.
    """

    spec: ExtractorSpec
    recipes: tuple[Recipe, ...]
    destination: Destination
    dtype: Literal["float32", "float16"]
    readers: int | None
    augmented: AugmentedRecipe | None
    cores: int
    folder: str
    sources: tuple[BackboneSource, ...]
    engines: tuple[EngineEntry, ...]
    at_command_line: bool

    @classmethod
    def of(
        cls, job: Job, spec: ExtractorSpec, destination: Destination, *, cores: int
    ) -> WorkerJob:
        """Make one of a run's job, for processes that are to be like this one."""
        return cls(
            spec=spec,
            recipes=job.extractor.recipes,
            destination=destination,
            dtype=job.dtype,
            readers=job.listing.readers,
            augmented=job.augmented[0] if job.augmented else None,
            cores=cores,
            folder=os.getcwd(),  # noqa: PTH109 - as text: it may be another machine's
            sources=registered(),
            engines=tuple(x for x in ENGINES.values() if not isinstance(x.engine, str)),
            at_command_line=at_command_line(),
        )

    def set_up(self) -> None:
        """Make this process one like the driver's."""
        with suppress(OSError):  # then its paths are absolute, or are missed
            os.chdir(self.folder)
        share_cores(self.cores)
        known = {source.prefix for source in registered()}
        for source in self.sources:
            if source.prefix in known:
                unregister(source.prefix)
            register(source)
        for entry in self.engines:
            assert not isinstance(entry.engine, str)
            ENGINES[entry.engine.name] = entry


class PartWorker:
    """Makes a part of each task that it is given, with the one network that it holds.

    It never raises: what is wrong is the error of its result, so that it reaches the driver as it
    is, and neither Ray nor anybody else tries again what will not come out otherwise.

    Parameters
    ----------
    job : WorkerJob
    records : RecordList or RecordsWithViews
        The listing.
    to_do : int64 array, shape (n,)
        Positions of the images that are to be done.
    known : KnownContent
        Of the images whose rows are known already.
    extractor : Extractor, optional
        The network, where it is open already, in the driver's own process.
    """

    def __init__(
        self,
        job: WorkerJob,
        records: RecordList | RecordsWithViews,
        to_do: NDArray[np.int64],
        known: KnownContent,
        *,
        extractor: Extractor | None = None,
    ) -> None:
        self._job, self._records, self._to_do, self._known = job, records, to_do, known
        self._extractor = extractor
        self._node = socket.gethostname()

    def __call__(self, task: Task) -> Result:
        """Do a task, or find that it was done."""
        notes: list[Note] = []
        try:
            with ExitStack() as stack:
                if self._job.at_command_line:
                    stack.enter_context(serving_command_line())
                stack.enter_context(following(_silent))
                stack.enter_context(_noted(notes))
                result = self.done(task)
        except ImageError as error:  # only where the run is to stop at the first bad image
            result = Result(task, self._node, error=error)
        except PenultError as error:
            error.args = (f"on {self._node}: {error}",)
            result = Result(task, self._node, error=error)
        except MemoryError:
            told = f"on {self._node}: part {task.number:,}: out of memory"
            result = Result(task, self._node, error=ClusterError(told))
        except Exception as error:  # a fault of penult's, or of what extends it
            told = f"on {self._node}: part {task.number:,}: {type(error).__name__}: "
            failed = ClusterError(told + first_line(error))
            failed.__cause__ = error
            result = Result(task, self._node, error=failed)
        return replace(result, notes=tuple(notes[:_MOST_NOTES]))

    def done(self, task: Task, *, tell: Callable[[int, int], None] | None = None) -> Result:
        """Do a task, and raise what is wrong.

        Parameters
        ----------
        task : Task
        tell : callable, optional
            Called with how many of its images are done, and how many photos of these have failed.

        Raises
        ------
        PenultError
        """
        job = self._job
        if self._extractor is None:
            job.set_up()
        destination = job.destination
        destination.require()
        listed = np.asarray(self._to_do[task.first : task.first + task.count])
        positions = np.asarray(self._records.in_reading_order(listed))
        records = [self._records[int(k)] for k in positions]
        entry = _patiently(
            lambda: destination.find(task.number, [record.id for record in records]), task
        )
        if entry is not None:  # by a worker that died before it could say so
            return Result(task, self._node, entry)
        outcomes, again, unopened = self._outcomes(records, positions, tell or _untold)
        failed = [
            Failure(record.id, reason)
            for record, reason in _failed(records, positions, outcomes)
            if not isinstance(record, AugmentedRecord)
        ]
        outcomes = destination.completed(outcomes, again, self._known)
        if outcomes.ids:
            there = dict(zip(positions.tolist(), records, strict=True))
            own = [there[position] for position in np.sort(outcomes.positions).tolist()]
            entry = _patiently(lambda: destination.put(task.number, own, outcomes), task)
        return Result(
            task,
            self._node,
            entry,
            failed=len(failed),
            failures=failed[:1],
            again=np.array([position for position, _, _ in again], np.int64),
            digests=[digest for _, _, digest in again],
            unopened=unopened,
        )

    def _outcomes(
        self,
        records: list[ImageRecord],
        positions: NDArray[np.int64],
        tell: Callable[[int, int], None],
    ) -> tuple[Outcomes, list[tuple[int, ImageRecord, str]], int]:
        """Make the rows; and say which were known before, and of which the bytes cannot be had."""
        job, at, failed, unopened = self._job, 0, 0, -1
        made: list[Outcomes] = []
        again: list[tuple[int, ImageRecord, str]] = []
        blocks = self._opened().blocks(
            records,
            readers=job.readers,
            dtype=job.dtype,
            known=self._is_known if len(self._known) else None,
            augmented=job.augmented,
        )
        with closing(blocks):
            for block in blocks:
                where = positions[at : at + len(block.outcomes)]
                for k, outcome in enumerate(block.outcomes):
                    if outcome.known:
                        again.append((int(where[k]), outcome.record, outcome.digest))
                    elif outcome.failure is not None:
                        failed += not isinstance(outcome.record, AugmentedRecord)
                        if unopened < 0 and _is_missing(outcome.record):
                            unopened = int(where[k])
                at += len(block.outcomes)
                made.append(new_outcomes(block, where))
                tell(at, failed)
        outcomes = Outcomes.joined(made)
        if unopened < 0 and outcomes.ids and not outcomes.rows:
            unopened = _unopened(records, positions)
        return outcomes, again, unopened

    def _opened(self) -> Extractor:
        if self._extractor is None:
            extractor = self._job.spec.open()
            for ours, asked in zip(extractor.recipes, self._job.recipes, strict=True):
                require_equal(ours, asked, name="the network there", other_name="the driver's")
            _ = extractor.engine
            self._extractor = extractor
        return self._extractor

    def _is_known(self, content: str) -> bool:
        return self._known.row(content) >= 0


def _failed(
    records: Sequence[ImageRecord], positions: NDArray[np.int64], outcomes: Outcomes
) -> Iterator[tuple[ImageRecord, str]]:
    """The images without a row, in the order of the listing, each with the reason."""
    bad = {int(p): r for p, r in zip(outcomes.positions, outcomes.reasons, strict=True) if r}
    if bad:
        for position, record in sorted(
            zip(positions.tolist(), records, strict=True), key=lambda pair: pair[0]
        ):
            if position in bad:
                yield record, bad[position]


def _is_missing(record: ImageRecord) -> bool:
    """Whether the file of an image is not to be seen from here."""
    photo = record.photo if isinstance(record, AugmentedRecord) else record
    return photo.path is not None and not os.path.lexists(photo.path)


def _unopened(records: Sequence[ImageRecord], positions: NDArray[np.int64]) -> int:
    """The first image if its bytes cannot be had at all; else -1."""
    try:
        with records[0].open() as file:
            file.read(1)
    except (OSError, ImageError):
        return int(positions[0])
    return -1


def _patiently(call: Callable[[], Any], task: Task) -> Any:
    """Call what writes or reads a part, and try again where that may come out otherwise.

    Raises
    ------
    OutputError
        Names the part.
    """
    tries = 1
    while True:
        try:
            return call()
        except OSError as error:  # an OutputError is one
            number = error.errno or getattr(error.__cause__, "errno", None)
            if tries < _TRIES and number not in _FOR_GOOD:
                time.sleep(_PAUSE * 2 ** (tries - 1))
                tries += 1
                continue
            tried = f", tried {tries} times" if tries > 1 else ""
            told = error.strerror or first_line(error)
            raise OutputError(f"part {task.number:,} cannot be written{tried}: {told}") from error


@contextmanager
def _noted(notes: list[Note]) -> Iterator[None]:
    """Take down what is logged and warned of, for the driver to say it once."""
    handler = _Notes(notes)
    loggers = [logging.getLogger("penult"), logging.getLogger("py.warnings")]
    before = warnings.showwarning
    logging.captureWarnings(True)
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
        logging.captureWarnings(False)
        warnings.showwarning = before


class _Notes(logging.Handler):
    def __init__(self, notes: list[Note]) -> None:
        super().__init__(logging.WARNING)
        self._notes = notes

    def emit(self, record: logging.LogRecord) -> None:
        note = Note(record.name, record.levelno, record.getMessage())
        if note not in self._notes:
            self._notes.append(note)


def _silent(_progress: object) -> None:
    pass


def _untold(_done: int, _failed: int) -> None:
    pass
