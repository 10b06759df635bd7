"""One run over a listing: compute what is missing, keep it safe, put the file together."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from penult.engines.finite import reasons
from penult.errors import ClusterError, ImageError, OutputError, PenultError, SourceError
from penult.features.check import require_readable
from penult.features.disk_space import Room
from penult.features.estimate import estimate_bytes
from penult.features.resume.chunk import Outcomes
from penult.features.resume.finished import FinishedRows
from penult.features.resume.known import KnownRows
from penult.features.resume.ledger import Ledger, RowSource, failures_of
from penult.features.resume.store import PartStore, is_leftover
from penult.features.write import Columns, FeatureWriter
from penult.images.record_list import RecordList
from penult.images.records_with_views import RecordsWithViews
from penult.interface import call_or_command, command, option
from penult.output import atomic_output, check_output, explain
from penult.progress import Tell
from penult.records import AugmentedRecord, Failure, ImageRecord, Progress
from penult.representation import short_text
from penult.wording import count

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

    from penult.engines.pipeline import Block
    from penult.extractor import Extractor
    from penult.images.listing import Listing
    from penult.recipe import AugmentedRecipe, Recipe

__all__ = ["Compute", "Job", "new_outcomes", "no_row", "to_file", "to_memory"]


@dataclass(frozen=True, kw_only=True)
class Job:
    """All that is decided before the first image is read.

    Attributes
    ----------
    listing : its records in the order of the rows
    extractor : its names and recipes are those of the file
    augmented : how rows of augmented views are made, one a recipe, where there are such
    views : how many augmented views each image of the listing gets; None where there are none
    dtype : of the rows in the file
    origin : what the file says of where its images came from; has `options` in it
    options : besides the recipes, what changes rows or their order
    tell : called with each `Progress`
    trained_on : keys of the images that trained the networks, as `Extractor.trained_on` has them
    halves : whether float16, which takes half the room, can be asked for instead
    """

    listing: Listing
    extractor: Extractor
    dtype: Literal["float32", "float16"]
    origin: Mapping[str, Any]
    options: Mapping[str, Any]
    tell: Tell
    augmented: tuple[AugmentedRecipe, ...] = ()
    views: NDArray[np.int64] | None = None
    trained_on: tuple[NDArray[np.uint64] | None, ...] = ()
    halves: bool = False

    @cached_property
    def records(self) -> RecordList | RecordsWithViews:
        """What gets rows, in their order: the listing's images, each with its views behind it."""
        photos = self.listing.records
        return photos if self.views is None else RecordsWithViews(photos, self.views)

    @cached_property
    def recipes(self) -> dict[str, Recipe]:
        """The file's, by the names of their rows."""
        return dict(zip(self.extractor.names, self.extractor.recipes, strict=True))

    @property
    def total(self) -> int:
        """Images with a record, their views, and images that the listing knows to be missing."""
        return len(self.records) + len(self.listing.failures)

    @property
    def counted(self) -> str:
        """The same in words."""
        return count(self.total, "image") + " and augmented views" * bool(self.columns.augmented)

    @cached_property
    def columns(self) -> Columns:
        """Those that the listing needs."""
        photos = self.listing.records
        if not isinstance(photos, RecordList):
            return Columns.of(self.records)
        # No record is made for it, of a million images.
        found = [*photos.annotations()]
        return Columns(
            tuple(sorted({label for one in found for label in one.labels})),
            several=any(len(one.labels) > 1 for one in found),
            splits=any(one.split is not None for one in found),
            groups=photos.has_groups,
            augmented=len(self.records) - len(photos),
        )

    def blocks(
        self,
        records: Iterable[ImageRecord],
        known: Callable[[str], bool] | None = None,
        total: int | None = None,
    ) -> Generator[Block, None, None]:
        """Make the rows of some of the records; see `Extractor.blocks`."""
        return self.extractor.blocks(
            records,
            readers=self.listing.readers,
            total=total,
            dtype=self.dtype,
            known=known,
            augmented=self.augmented[0] if self.augmented else None,
        )

    def writer(self, target: Path | None) -> FeatureWriter:
        """Begin the feature file."""
        return FeatureWriter(
            target,
            self.extractor.recipes,
            self.columns,
            self.extractor.names,
            augmented=self.augmented,
            dtype=self.dtype,
            origin=self.origin,
            trained_on=self.trained_on,
        )

    def room(self, store: PartStore, rows: Sequence[NDArray[Any]]) -> Room:
        """What the disk has to have room for, by some rows of each layer."""
        shapes = [block.shape[1:] for block in rows]
        size = estimate_bytes(
            self.records,
            self.extractor.recipes,
            shapes,
            self.columns,
            self.extractor.names,
            dtype=self.dtype,
            failures=self.listing.failures,
            origin=self.origin,
        )
        row_bytes = sum(block[0].nbytes for block in rows)
        return Room(store.output, store.folder, size, row_bytes, halves=self.halves)

    def report(self, done: int, failed: int, kept: int = 0) -> None:
        """Say how far the run is; the listing's failures are counted here.

        What only a table of labels names is no image that is to be done.
        """
        unread = self._unread
        total = len(self.records) + unread
        self.tell(Progress(done + unread, total, failed + unread, kept, stage="extract"))

    @cached_property
    def _unread(self) -> int:
        return sum(not failure.is_missing for failure in self.listing.failures)

    def all_failures(self, failures: Sequence[Failure]) -> list[Failure]:
        """Join them with the listing's, by id."""
        return sorted([*self.listing.failures, *failures], key=lambda failure: failure.id)

    def nothing_readable(self, failures: Sequence[Failure]) -> SourceError:
        """Say that there is no row at all."""
        first, photos = self.all_failures(failures)[0], self.total - self.columns.augmented
        elsewhere = ""
        record = next((one for one in self.listing.records if one.id == first.id), None)
        if record and record.named_in and record.path and not os.path.lexists(record.path):
            type_this = command("extract", "FOLDER", labels=record.named_in)
            elsewhere = f"; if the photos are in another folder, type: {type_this}"
        path = None if record is None else record.path
        gone = record is None or (path and not os.path.isabs(path) and not os.path.lexists(path))  # noqa: PTH117 - may be text
        if gone and "-" in self.origin.get("sources", ()):
            elsewhere = f"; paths are relative to the current folder, {Path.cwd()}"
        if photos == 1:
            return no_row(first, elsewhere)
        return SourceError(
            f"none of {count(photos, 'image')} gave a row; the first, {first.line}{elsewhere}"
        )


def no_row(failure: Failure, elsewhere: str = "") -> SourceError:
    """Say why the only image gave no row, and what to do: `elsewhere`, or give another."""
    return SourceError(
        f"{short_text(failure.id, 200)} gave no row: it {short_text(failure.reason, 600)}"
        f"{elsewhere or '; give another image, or a folder of them'}"
    )


def to_memory(job: Job) -> h5py.File:
    """Run the job, and return a feature file that is in memory only.

    Raises
    ------
    ImageError, SourceError
    """
    writer, failed = job.writer(None), list[tuple[ImageRecord, str]]()
    done = missing = 0
    job.report(0, 0)
    for block in job.blocks(job.records):
        good = block.good
        writer.append([o.record for o in good], [o.digest for o in good], block.rows)
        failed += [(o.record, o.failure.reason) for o in block.outcomes if o.failure is not None]
        done, missing = done + len(block.outcomes), missing + _photos_failed(block)
        job.report(done, missing)
    failures = failures_of(failed)
    if writer.count == 0:
        raise job.nothing_readable(failures)
    writer.finish(job.all_failures(failures))
    return writer.in_memory()


class Compute(Protocol):
    """What gives every image of a job a row or a reason, in this process or elsewhere."""

    def __call__(self, job: Job, store: PartStore, ledger: Ledger, known: KnownRows) -> Room | None:
        """Have the ledger know of every image, and its parts lie in the store.

        Returns
        -------
        Room or None
            What the disk needs; None where there is no row to tell.
        """


def to_file(
    job: Job,
    output: Path,
    *,
    overwrite: bool,
    restart: bool,
    update: bool,
    compute: Compute | None = None,
) -> None:
    """Run the job, or go on with it where it was interrupted, until the file is there.

    Parameters
    ----------
    overwrite : replace the file if it is there
    restart : do not go on with an interrupted run, but begin anew
    update : replace the file, and take over the rows of images that are in it already
    compute : what computes; this process does by default

    Raises
    ------
    ImageError, SourceError, OutputError, RecipeMismatchError, ResumeError, FeatureFileError
        Nothing is left under the name of `output` then that was not there before; what is computed
        is kept for the next run.
    """
    with _store_of(output, job) as store:
        about = (job.recipes, job.options, job.records)
        if is_leftover(output):
            finished = not restart and store.is_same(*about)
            store.clear()
            if finished:
                return
        check_output(output, overwrite=overwrite or update)
        earlier: list[RowSource] = []
        if update and output.exists():
            earlier.append(FinishedRows(output, job.recipes, job.options))
        ledger = store.begin(
            *about, augmented=job.columns.augmented > 0, restart=restart, update=update
        )
        known = KnownRows(ledger, [*earlier, *store.earlier()])
        room = (compute or _compute)(job, store, ledger, known)
        if ledger.row_count == 0:
            store.clear()
            raise job.nothing_readable(ledger.failures)
        (room or job.room(store, ledger.read(ledger.with_row[:1]).rows)).require(0)
        _place(job, store, ledger, overwrite=overwrite or update)
        store.clear()


@contextmanager
def _store_of(output: Path, job: Job) -> Iterator[PartStore]:
    """Open the store, and say with every error what is safe in it."""
    try:
        store = PartStore(output)
    except PenultError:
        raise
    except OSError as error:
        raise explain(error, output) from error
    try:
        try:
            yield store
        except PenultError:
            raise
        except OSError as error:
            raise explain(error, output) from error
    except (ClusterError, ImageError, OutputError) as error:
        if not store.safe:
            raise
        are = "is" if store.safe == 1 else "are"
        again = f"the same {call_or_command()} goes on from there"
        if isinstance(error, ImageError):
            again = (
                f"with that image mended or removed, the same {call_or_command()} with "
                f"{option('update', True)} goes on"
            )
        raise type(error)(
            f"{error}; {store.safe:,} of {job.counted} {are} safe in {store.folder}: {again}"
        ) from error
    finally:
        store.close()


def _compute(job: Job, store: PartStore, ledger: Ledger, known: KnownRows) -> Room | None:
    """Give every image of the listing a row or a reason."""
    to_do, at = job.records.in_reading_order(ledger.to_do), 0
    room = job.room(store, ledger.read(ledger.with_row[:1]).rows) if ledger.row_count else None
    if room is not None:
        room.require(len(to_do) - known.left)
    done, failed = ledger.done, len(ledger.failures)
    kept = done
    if failed and job.extractor.spec.reading.on_error == "fail":
        first = ledger.failures[0]
        raise ImageError(first.line)
    records = (job.records[int(k)] for k in to_do)
    is_known = known.__contains__ if known.left else None
    with closing(job.blocks(records, is_known, len(to_do))) as blocks:
        try:
            job.report(done, failed, kept)
            for block in blocks:
                positions = to_do[at : at + len(block.outcomes)]
                if room is None and block.rows:
                    room = job.room(store, block.rows)
                    room.require(len(to_do) - known.left)
                at += len(positions)
                again = [k for k, outcome in enumerate(block.outcomes) if outcome.known]
                known.settle(positions[again], [block.outcomes[k].digest for k in again])
                kept += len(again)
                store.add(new_outcomes(block, positions))
                if store.is_due:
                    if room is not None:
                        room.require(len(to_do) - at + store.waiting - known.left)
                    store.flush(ledger)
                done, failed = done + len(positions), failed + _photos_failed(block)
                job.report(done, failed, kept)
        except ImageError:
            raise  # only where the run was to stop at the first bad image
        except BaseException:
            # Whatever ends the run, Ctrl-C or the engine: what is computed is not lost.
            store.flush(ledger)
            raise
        store.flush(ledger)
    return room


def _photos_failed(block: Block) -> int:
    """How many photos failed; that their augmented views fail with them is not counted again."""
    return sum(
        outcome.failure is not None and not isinstance(outcome.record, AugmentedRecord)
        for outcome in block.outcomes
    )


def new_outcomes(block: Block, positions: NDArray[np.intp]) -> Outcomes:
    """Take what a block has that was not known before, at these positions of the listing."""
    new = [k for k, outcome in enumerate(block.outcomes) if not outcome.known]
    outcomes = [block.outcomes[k] for k in new]
    return Outcomes(
        positions=positions[new].astype(np.int64),
        ids=[outcome.record.id for outcome in outcomes],
        content=[outcome.digest for outcome in outcomes],
        reasons=[outcome.failure.reason if outcome.failure else "" for outcome in outcomes],
        rows=block.rows,
    )


def _place(job: Job, store: PartStore, ledger: Ledger, *, overwrite: bool) -> None:
    """Put the file together from the rows that are safe, and give it its name."""
    with atomic_output(store.output, overwrite=overwrite, folder=store.folder) as temporary:
        writer = job.writer(temporary)
        try:
            _copy(job, ledger, writer)
            writer.finish(job.all_failures(ledger.failures))
            writer.close()
        except BaseException:
            writer.abandon()
            raise
        require_readable(temporary, store.output, job.recipes, ledger)
        store.about_to_place(temporary)


def _copy(job: Job, ledger: Ledger, writer: FeatureWriter) -> None:
    for block in ledger.blocks():
        # An older penult kept such rows: they are in its parts, or the file to be updated.
        unfit = reasons(block.rows, job.extractor.recipes)
        for number, reason in unfit.items():
            ledger.fail(int(block.positions[number]), reason)
        good = block.without(unfit) if unfit else block
        writer.append(good.records, good.content, good.rows)
    if ledger.row_count == 0:
        raise job.nothing_readable(ledger.failures)
